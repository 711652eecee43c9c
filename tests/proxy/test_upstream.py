"""An upstream as a route sees it: asked, it answers; asked again, over the same connection."""

from __future__ import annotations

import pytest

from tests.http1.wire import splits
from tests.proxy.upstream_in_memory import OK, Answer, World, request
from upgradegw.proxy.address import UpstreamAddress
from upgradegw.proxy.settings import UpstreamSettings
from upgradegw.proxy.upstream import Upstream, upstream_for


def test_a_request_and_its_response() -> None:
    """The request goes out when the connection is there, and the response comes as head, content and end."""
    world = World()
    answer = world.ask()
    assert answer.events == []
    line = world.connect()
    assert line.heard() == b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
    line.say(b"HTTP/1.1 200 Fine\r\nContent-Length: 3\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\nyes")
    assert answer.events == ["head", "data", "end"]
    (head,) = answer.heads
    assert (head.status, head.phrase, head.http_version, head.content_length) == (200, b"Fine", b"HTTP/1.1", 3)
    assert head.fields == ((b"Content-Length", b"3"), (b"Set-Cookie", b"a"), (b"Set-Cookie", b"b"))
    assert answer.content == b"yes"


def test_the_next_request_takes_the_same_connection() -> None:
    """An idle connection is used again, and the request on it goes out from within ``ask``."""
    world = World()
    line = world.idle()
    answer = world.ask(target=b"/2")
    assert world.waiting == 0
    assert line.heard() == b"GET /2 HTTP/1.1\r\nHost: a.example\r\n\r\n"
    line.say(OK)
    assert answer.events == ["head", "data", "end"]


def test_who_asks_again_at_the_end_has_the_same_connection() -> None:
    """``end`` comes when the connection is free already."""
    world = World()
    second = Answer()
    _, line = world.open(answer=Answer(end=lambda _: world.ask(answer=second)))
    line.say(OK)
    line.heard()
    line.say(OK)
    assert second.events == ["head", "data", "end"]
    assert len(world.lines) == 1
    assert world.waiting == 0


def test_two_requests_at_a_time_take_two_connections() -> None:
    """Requests are not pipelined: one waits for no other's response."""
    world = World()
    first, one = world.open()
    second, two = world.open()
    two.say(OK)
    assert (first.events, second.events) == ([], ["head", "data", "end"])
    one.say(OK)
    assert first.events == ["head", "data", "end"]


@pytest.mark.parametrize("segments", list(splits(OK)), ids=len)
def test_every_split(segments: tuple[bytes, ...]) -> None:
    """How the bytes of a response are cut is of no importance."""
    world = World()
    answer, line = world.open()
    line.say(*segments)
    assert (answer.status, answer.content, answer.events[-1]) == (200, b"ok", "end")
    world.ask()
    assert world.waiting == 0


def test_the_address_has_a_prefix_and_its_own_authority() -> None:
    """The prefix stands before each target; Host is the address's own where the route does not say otherwise."""
    world = World("http://192.0.2.1:8080/app/")
    world.ask(request(target=b"/x?y", authority=b""))
    assert world.connect().heard() == b"GET /app/x?y HTTP/1.1\r\nHost: 192.0.2.1:8080\r\n\r\n"


def test_behind_close_a_connection_ends_with_its_response() -> None:
    """A route that is gone lets its requests come to their end, and keeps nothing."""
    world = World()
    answer, line = world.open()
    world.upstream.close()
    line.say(OK)
    assert answer.events == ["head", "data", "end"]
    assert line.disconnecting
    assert world.reactor.getDelayedCalls() == []


def test_close_closes_idle_connections() -> None:
    """And in order; no timer is left behind."""
    world = World()
    line = world.idle()
    world.upstream.close()
    assert line.disconnecting
    assert not line.aborted
    assert world.reactor.getDelayedCalls() == []


def test_http_1_1_is_spoken_unless_asked_for_2() -> None:
    """``upstream_for`` chooses by address and settings."""
    world = World()
    http1 = upstream_for(UpstreamAddress.parse("http://192.0.2.1"), UpstreamSettings(), world.reactor)
    assert isinstance(http1, Upstream)
    assert http1.http_version == b"HTTP/1.1"
    assert repr(http1) == "Upstream('http://192.0.2.1')"
    http2 = upstream_for(UpstreamAddress.parse("h2c://192.0.2.1"), UpstreamSettings(), world.reactor)
    assert http2.http_version == b"HTTP/2"


def test_a_request_that_would_be_two_is_not_sent() -> None:
    """Nothing that reaches the upstream's head may hold a line end."""
    world = World()
    with pytest.raises(ValueError, match="line end"):
        world.ask(target=b"/ HTTP/1.1\r\nX: y\r\n\r\nGET /admin")
    assert world.waiting == 0
