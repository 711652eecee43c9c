"""A switch of an upstream: the connection that becomes a tunnel, and those that must not."""

from __future__ import annotations

from tests.producers import Producer
from tests.protocols_for_tests import RecorderFactory
from tests.proxy.upstream_in_memory import SWITCH, Answer, Line, World


def switched(*segments: bytes, **more: bytes) -> tuple[Answer, Line]:
    """Ask for a switch, and get it."""
    answer, line = World().open(tokens=(b"echo",), **more)
    line.say(*segments)
    assert answer.events == ["switched"], answer.error
    return answer, line


def test_a_switch() -> None:
    """The transport is the connection's own; reading is paused until ``resume``."""
    answer, line = switched(SWITCH + b"early")
    tunnel = answer.tunnel
    assert tunnel is not None
    assert answer.heads[0].phrase == b"Switching Protocols"
    assert (tunnel.transport, tunnel.leading_data) == (line, b"early")
    assert line.paused == [True]
    protocol = RecorderFactory().buildProtocol(None)
    tunnel.attach(protocol)
    protocol.makeConnection(line)
    tunnel.resume()
    assert line.paused == [True, False]
    assert line.protocol is protocol
    line.say(b"later")
    assert protocol.data == b"later"


def test_a_switch_is_of_no_pool() -> None:
    """The connection has no deadline and no producer any more, and is never used for a request."""
    world = World()
    answer, line = world.open(tokens=(b"echo",))
    content = Producer()
    answer.exchange.registerProducer(content, True)
    line.say(SWITCH)
    assert world.reactor.getDelayedCalls() == []
    assert line.producer is None
    answer.exchange.cancel()
    assert not line.disconnecting
    world.upstream.close()
    assert not line.disconnecting


def test_a_switch_behind_content() -> None:
    """Content goes first; the upstream may answer when all of it is sent."""
    world = World()
    answer = world.ask(method=b"POST", content_length=29, tokens=(b"tcp",))
    line = world.connect()
    answer.exchange.write(b'{"Detach":false,"Tty":false}\n')
    line.say(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
    assert answer.events == ["switched"]
    answer.exchange.finish()
    assert answer.heads[0].phrase == b"UPGRADED"


def test_a_switch_before_the_content_is_complete() -> None:
    """The rest of the content would be the new protocol's first bytes: 502."""
    world = World()
    answer = world.ask(method=b"POST", content_length=29, tokens=(b"tcp",))
    line = world.connect()
    answer.exchange.write(b"{")
    line.say(SWITCH)
    assert answer.failure == ("upstream_bad_switch", 502)
    assert line.aborted


def test_a_switch_that_nobody_asked_for() -> None:
    """RFC 9110 section 15.2.2: without a token there is none."""
    answer, line = World().open()
    line.say(SWITCH)
    assert answer.failure == ("upstream_bad_switch", 502)
    assert line.aborted


def test_a_switch_behind_an_idle_connection() -> None:
    """A pooled connection switches as well; reading goes on from there."""
    world = World()
    line = world.idle()
    answer = world.ask(tokens=(b"echo",))
    line.say(b"HTTP/1.1 103 Early Hints\r\n\r\n" + SWITCH)
    assert answer.events == ["interim", "switched"]


def test_another_answer_than_a_switch() -> None:
    """A refusal is an ordinary response, and the connection goes on."""
    world = World()
    answer, line = world.open(tokens=(b"echo",))
    line.say(b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: other\r\nContent-Length: 0\r\n\r\n")
    assert answer.events == ["head", "end"]
    world.ask()
    assert world.waiting == 0
