"""Who of several upstreams is asked, and what is said when nobody is left."""

from __future__ import annotations

from typing import Any

import pytest

from tests.protocols_for_tests import RecorderFactory
from tests.proxy.several_upstreams import Several
from tests.proxy.upstream_in_memory import OK, SWITCH, World
from upgradegw.proxy.balance import Balanced


def test_in_turn() -> None:
    """Round robin: each as often as the others, whoever is still busy."""
    several = Several(3)
    assert [several.chosen()[0] for _ in range(7)] == list("abcabca")


def test_the_one_with_the_fewest() -> None:
    """Least connections: requests under way count, and among equals it goes in turn."""
    several = Several(3, "least_connections")
    (_, _, a), (_, _, _b), (_, _, c) = several.chosen(), several.chosen(), several.chosen()
    c.say(OK)
    assert several.chosen()[0] == "c"
    a.say(OK)
    assert several.chosen()[0] == "a"
    assert [several.chosen()[0] for _ in range(3)] == list("bca")


@pytest.mark.parametrize("end", ["response", "reset", "cancel"])
def test_a_request_counts_until_it_ends(end: str) -> None:
    """However it ends."""
    several = Several(2, "least_connections")
    _, answer, line = several.chosen()
    assert [several.chosen()[0] for _ in range(1)] == ["b"]
    if end == "response":
        line.say(OK)
    elif end == "reset":
        line.reset()
    else:
        answer.exchange.cancel()
        answer.exchange.cancel()
    assert several.chosen()[0] == "a"
    assert several.chosen()[0] in "ab"


def test_a_tunnel_counts_until_it_ends() -> None:
    """Tunnels are what lasts; who counted requests alone would send all of them to one upstream."""
    several = Several(2, "least_connections")
    _, answer, line = several.chosen(tokens=(b"echo",))
    line.say(SWITCH)
    tunnel = answer.tunnel
    assert tunnel is not None
    protocol = RecorderFactory().buildProtocol(None)
    tunnel.attach(protocol)
    protocol.makeConnection(line)
    tunnel.resume()
    for _ in range(3):
        trying, _, other = several.chosen()
        assert trying == "b"
        other.say(OK)
    line.say(b"x")
    line.reset()
    assert protocol.events == ["made", "data", "lost"]
    assert {several.chosen()[0], several.chosen()[0]} == {"a", "b"}


def test_a_switch_that_was_not_to_be_counts_no_longer() -> None:
    """The receiver may find it wrong and leave."""
    several = Several(2, "least_connections")
    _, answer, line = several.chosen(tokens=(b"echo",))
    line.say(SWITCH)
    assert answer.tunnel is not None
    answer.tunnel.transport.abortConnection()
    assert {several.chosen()[0], several.chosen()[0]} == {"a", "b"}


def test_nobody_is_left() -> None:
    """All are down: 503, with the time when the first of them may be asked again, and not from within ``ask``."""
    several = Several(2, failures=1, down_for=10.0)
    several.fail("a")
    several.reactor.advance(4)
    several.fail("b")
    answer = several.ask()
    assert answer.events == []
    several.reactor.advance(0)
    assert answer.failure == ("no_upstream", 503)
    assert answer.error is not None
    assert answer.error.retry_after == 6
    cancelled = several.ask()
    cancelled.exchange.cancel()
    several.reactor.advance(0)
    assert cancelled.events == []
    several.reactor.advance(6)
    assert several.chosen()[0] == "a"


def test_all_refuse() -> None:
    """Each is tried once; the last failure is in the log's words."""
    several = Several(3)
    answer = several.ask()
    for who in "abc":
        assert several.trying == who
        assert answer.events == []
        several.refuse()
    assert answer.failure == ("no_upstream", 503)
    assert answer.error is not None
    assert answer.error.retry_after == 1
    assert "http://192.0.2.3: Connection was refused" in answer.error.detail


def test_close_closes_all() -> None:
    """Idle connections to each, and nothing keeps time any more."""
    several = Several(2, max_idle=1)
    lines = [several.chosen()[2] for _ in range(2)]
    for line in lines:
        line.say(OK)
    assert [line.disconnecting for line in lines] == [False, False]
    several.balanced.close()
    assert [line.disconnecting for line in lines] == [True, True]
    assert several.reactor.getDelayedCalls() == []


@pytest.mark.parametrize(("upstreams", "policy"), [([], "round_robin"), ([World().upstream], "random")])
def test_what_makes_no_choice(upstreams: Any, policy: Any) -> None:
    """Nothing to choose from, or no such way to choose."""
    with pytest.raises(ValueError, match=r"choose from|must be one of"):
        Balanced(upstreams, policy, reactor=World().reactor)


def test_the_version_is_that_of_all() -> None:
    """It is asked before anybody is chosen; where they differ it is the lower one."""
    http1, http2 = World().upstream, World().upstream
    http2.http_version = b"HTTP/2"
    reactor = World().reactor
    assert Balanced([http2], reactor=reactor).http_version == b"HTTP/2"
    assert Balanced([http1, http2], reactor=reactor).http_version == b"HTTP/1.1"
    assert repr(Balanced([http1], reactor=reactor)) == "Balanced([Upstream('http://192.0.2.1:8080')])"
    assert str(Balanced([http1, http1], reactor=reactor)) == "http://192.0.2.1:8080, http://192.0.2.1:8080"
