"""The connections to an upstream over HTTP/2: when they are opened, how many, and how they end."""

from __future__ import annotations

import pytest
from twisted.internet.testing import MemoryReactorClock

from tests.http2.client import frame, settings
from tests.proxy.http2_in_memory import MAX_CONCURRENT_STREAMS, World, server_with
from upgradegw.http2.frames import Kind, goaway
from upgradegw.proxy.address import UpstreamAddress
from upgradegw.proxy.connecting import NotConnected
from upgradegw.proxy.http2 import Http2Upstream
from upgradegw.proxy.settings import UpstreamSettings
from upgradegw.proxy.upstream import upstream_for


def test_the_choice_of_the_version() -> None:
    """``h2c://`` and ``http_version=2`` mean HTTP/2."""
    reactor = World().reactor
    for address, version in (("h2c://192.0.2.1", 1), ("https://192.0.2.1", 2)):
        asked = upstream_for(UpstreamAddress.parse(address), UpstreamSettings(http_version=version), reactor)
        assert isinstance(asked, Http2Upstream)
        assert asked.settings.http_version == 2
        assert address in repr(asked)


def test_the_address_has_its_part_in_the_request() -> None:
    """Its prefix stands before the target, and its authority where the route names none."""
    world = World(address="h2c://192.0.2.1:8080/app")
    world.ask(target=b"/a", authority=b"")
    assert world.server.streams[1].get(b":path") == [b"/app/a"]
    assert world.server.streams[1].get(b":authority") == [b"192.0.2.1:8080"]


def test_nothing_is_asked_before_the_settings() -> None:
    """Requests wait for the SETTINGS, and share the connection then."""
    world = World(server_with({}, greets=False))
    first, second = world.ask(), world.ask()
    server = world.server
    assert server.streams == {}
    assert server.settings[2] == 0  # no pushes
    server.say(settings())
    world.turn()
    assert set(server.streams) == {1, 3}
    server.answer(3)
    server.answer(1)
    world.turn()
    assert first.events == second.events == ["head", "end"]


def test_no_more_streams_than_the_upstream_takes() -> None:
    """MAX_CONCURRENT_STREAMS is kept; who has no room gets a connection of its own (RFC 9113 section 5.1.2)."""
    world = World(server_with({MAX_CONCURRENT_STREAMS: 2}))
    for _ in range(5):
        world.ask_only()
    assert [len(server.streams) for server in world.servers] == [2, 2, 1]
    world.servers[0].answer(1)
    world.turn()
    world.ask()
    assert [len(server.streams) for server in world.servers] == [3, 2, 1]


def test_a_limit_that_sinks_is_kept() -> None:
    """SETTINGS that come later hold, too."""
    world = World()
    world.ask()
    world.server.say(settings({MAX_CONCURRENT_STREAMS: 1}))
    world.turn()
    world.ask()
    assert [len(server.streams) for server in world.servers] == [1, 1]


def test_an_upstream_that_takes_no_streams() -> None:
    """Where nothing may be asked, the failure says so at once, and no connection follows another for ever."""
    world = World(server_with({MAX_CONCURRENT_STREAMS: 0}))
    answer = world.ask()
    assert answer.failure == ("upstream_bad_response", 502)
    assert isinstance(answer.error, NotConnected)
    assert len(world.servers) == 1


def test_going_away() -> None:
    """Behind a GOAWAY what was accepted is answered, the rest is asked elsewhere (RFC 9113 section 6.8)."""
    world = World()
    kept, moved = world.ask(), world.ask(method=b"POST")
    old = world.server
    old.say(goaway(1, 0))
    world.turn()
    new = world.servers[1]
    assert list(new.streams) == [1]
    new.answer(1)
    old.answer(1)
    world.turn()
    assert kept.events == moved.events == ["head", "end"]
    assert old.end is not None
    assert new.end is None


def test_an_upstream_that_half_closes() -> None:
    """A FIN is the end of all responses that are not complete."""
    world = World()
    answer = world.ask(method=b"POST")
    world.server.transport.loseWriteConnection()
    world.turn()
    assert answer.failure == ("upstream_closed", 502)
    assert world.server.end is not None


# --- No connection.


def test_nobody_is_there() -> None:
    """A connection that is refused is 502, and says that nothing was sent."""
    world = World(None)
    answer = world.ask()
    assert answer.failure == ("upstream_unreachable", 502)
    assert isinstance(answer.error, NotConnected)


def test_an_upstream_that_says_nothing() -> None:
    """SETTINGS that do not come within ``connect_timeout`` are a 504."""
    world = World(server_with({}, greets=False), connect_timeout=3.0)
    answer = world.ask()
    world.advance(2.0)
    assert answer.events == []
    world.advance(3.0)
    assert answer.failure == ("upstream_timeout", 504)
    world.advance(5.0)
    assert world.server.end is not None


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"\0" * 30])
def test_an_upstream_that_speaks_something_else(said: bytes) -> None:
    """What is no HTTP/2 is a 502 at once, and its connection is closed."""
    world = World(server_with({}, greets=False))
    answer = world.ask()
    world.server.say(said)
    world.turn()
    assert answer.failure == ("upstream_bad_response", 502)
    assert "HTTP/1.1" in answer.error.detail or not said.startswith(b"HTTP")  # type: ignore[union-attr]
    world.advance(4.0)
    assert world.server.end is not None


def test_an_upstream_that_hangs_up() -> None:
    """A connection that ends before it could be used is a 502."""
    world = World(server_with({}, greets=False))
    answer = world.ask()
    world.server.transport.abortConnection()
    world.turn()
    assert answer.failure == ("upstream_unreachable", 502)


# --- Time.


def test_no_response_in_time() -> None:
    """``response_timeout`` runs from the end of the request; the stream is reset, the connection stays."""
    world = World(response_timeout=5.0)
    late, other = world.ask(), world.ask(method=b"POST", content_length=None)
    world.advance(4.0)
    assert late.events == []
    world.advance(2.0)
    assert late.failure == ("upstream_timeout", 504)
    world.advance(60.0)
    assert other.events == []  # its content has not ended, which is the client's affair
    other.exchange.finish()
    world.server.answer(3)
    world.turn()
    assert other.events == ["head", "end"]


def test_no_more_of_the_response_in_time() -> None:
    """``read_timeout`` runs while somebody reads, and only then."""
    world = World(read_timeout=5.0)
    read, paused = world.ask(), world.ask()
    paused.exchange.pauseProducing()
    server = world.server
    for stream_id in (1, 3):
        server.say(server.head(stream_id), frame(Kind.DATA, b"x", 0, stream_id))
    world.advance(7.0)
    assert read.failure == ("upstream_timeout", 504)
    assert paused.events == ["head"]
    paused.exchange.resumeProducing()
    world.advance(3.0)
    assert paused.events == ["head", "data"]
    world.advance(4.0)
    assert paused.failure == ("upstream_timeout", 504)


def test_content_that_is_not_taken_in_time() -> None:
    """An upstream that opens no window for a request's content is given up (A-39)."""
    world = World(response_timeout=5.0)
    answer = world.ask(method=b"POST", content_length=None)
    answer.exchange.write(bytes(100_000))
    world.advance(7.0)
    assert answer.failure == ("upstream_timeout", 504)
    assert "taken" in answer.error.detail  # type: ignore[union-attr]


def test_an_upstream_that_reads_nothing() -> None:
    """A connection that takes no bytes any more is broken off."""
    world = World(response_timeout=5.0)
    answer = world.ask(method=b"POST", content_length=None)
    server = world.server
    server.say(frame(Kind.WINDOW_UPDATE, (10**7).to_bytes(4, "big")))
    server.say(frame(Kind.WINDOW_UPDATE, (10**7).to_bytes(4, "big"), 0, 1))
    world.turn()
    server.transport.pauseProducing()
    answer.exchange.write(bytes(10**6))
    world.advance(10.0)
    assert answer.error is not None
    server.transport.resumeProducing()
    world.turn()
    assert server.end is not None


def test_an_idle_connection_is_closed() -> None:
    """A connection without streams is closed after ``idle_timeout``; a stream keeps it."""
    world = World(idle_timeout=10.0, response_timeout=None)
    world.ask()
    world.advance(30.0)
    world.server.answer(1)
    world.advance(5.0)
    assert world.server.end is None
    world.advance(10.0)
    assert world.server.end is not None
    world.ask()
    assert len(world.servers) == 2


def test_no_more_idle_connections_than_wanted() -> None:
    """With ``max_idle=0`` a connection closes behind its last response."""
    world = World(max_idle=0)
    answer = world.ask()
    world.server.answer(1)
    world.turn()
    assert answer.events == ["head", "end"]
    assert world.server.end is not None


# --- The end.


def test_closing() -> None:
    """What is under way is answered, idle connections close, and nothing more is asked."""
    world = World(server_with({MAX_CONCURRENT_STREAMS: 1}))
    answer, other = world.ask(), world.ask()
    world.servers[1].answer(1)
    world.turn()
    world.upstream.close()
    assert [server.end is None for server in world.servers] == [True, False]
    late = world.ask()
    assert late.failure == ("upstream_unreachable", 502)
    world.servers[0].answer(1)
    world.turn()
    assert answer.events == other.events == ["head", "end"]
    assert world.servers[0].end is not None


def test_closing_while_connecting() -> None:
    """Who waits for a connection is answered all the same; one for which nobody waits is not opened."""
    world = World()
    waiting = world.ask_only()
    world.upstream.close()
    world.turn()
    world.server.answer(1)
    world.turn()
    assert waiting.events == ["head", "end"]
    assert world.server.end is not None
    left = World()
    left.reactor.connectTCP = MemoryReactorClock.connectTCP.__get__(left.reactor)  # type: ignore[method-assign]
    left.ask().exchange.cancel()
    left.upstream.close()
    left.turn()
    assert left.reactor.getDelayedCalls() == []
    unused = World(server_with({}, greets=False))
    unused.ask().exchange.cancel()
    unused.upstream.close()
    assert unused.server.end is not None
