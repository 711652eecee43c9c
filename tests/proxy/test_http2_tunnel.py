"""Tunnels to an upstream over HTTP/2: streams that an extended CONNECT has opened (RFC 8441)."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.logger import capturedLogs
from twisted.web.resource import Resource

from tests.http2.client import CANCEL, data, window_update
from tests.http2.talking import HalfTalker, Talker
from tests.producers import Producer
from tests.protocols_for_tests import RecorderFactory
from tests.proxy.http2_in_memory import ENABLE_CONNECT_PROTOCOL, H2Server, World, server_with
from tests.proxy.upstream_in_memory import Answer
from tests.proxy.upstream_reactor import site_of
from upgradegw.http2.frames import Kind
from upgradegw.protocols.stream import stream
from upgradegw.web.resource import UpgradeResource
from upgradegw.web.site import UpgradeSite

KIB = 1024
CONNECTS = {ENABLE_CONNECT_PROTOCOL: 1}


def tunnel(world: World, talker: Any = None, **more: Any) -> tuple[Answer, Any]:
    """Open a tunnel, answered by the test; return the answer and the protocol on it."""
    answer = world.ask(tokens=(b"echo",), **more)
    if not answer.events:
        world.server.say(world.server.head(max(world.server.streams)))
        world.turn()
    assert answer.events == ["switched"], answer.error
    return answer, join(world, answer, talker or HalfTalker())


def join(world: World, answer: Answer, talker: Any) -> Any:
    """Let a protocol speak on the tunnel."""
    found = answer.tunnel
    assert found is not None
    found.attach(talker)
    talker.makeConnection(found.transport)
    found.resume()
    world.turn()
    return talker


def test_a_tunnel_to_hyper_h2() -> None:
    """Behind a 2xx the stream carries bytes both ways, and ends in order."""
    world = World(H2Server)
    answer, talker = tunnel(world)
    assert (answer.status, answer.heads[0].fields) == (200, ((b"x-server", b"h2"),))
    assert (b":protocol", b"echo") in world.server.requests[0]
    talker.transport.write(b"hello")
    world.turn()
    assert talker.data == b"hello"
    talker.transport.loseWriteConnection()
    world.turn()
    assert talker.read_ended
    assert talker.end is ConnectionDone


def test_a_site_of_ours_is_the_upstream() -> None:
    """A plain request, a switch and a refused one, to our own server over HTTP/2."""
    world = World()
    root = Resource()
    root.putChild(
        b"up", UpgradeResource([stream("echo", RecorderFactory(data=lambda one: one.transport.write(one.data)))])
    )
    root.putChild(b"", Resource())
    site = UpgradeSite(root, reactor=world.reactor)
    world.reactor.make = site_of(site)
    plain = world.ask(target=b"/none")
    assert plain.status == 404
    talker = join(world, world.ask(tokens=(b"echo",), target=b"/up"), HalfTalker())
    talker.transport.write(b"hello")
    world.turn()
    assert talker.data == b"hello"
    refused = world.ask(tokens=(b"other",), target=b"/up")
    assert (refused.status, refused.events[-1]) == (501, "end")
    talker.transport.abortConnection()
    world.turn()
    assert len(world.reactor.upstreams) == 1
    site.stopFactory()
    world.upstream.close()
    world.turn()


def test_a_refusal_is_a_response() -> None:
    """Any status but 2xx is a response with its content; our side of the stream ends."""
    world = World(server_with(CONNECTS))
    answer = world.ask(tokens=(b"echo",))
    world.server.answer(1, status=b"401", content=b"who?")
    world.turn()
    assert (answer.events, answer.content) == (["head", "data", "end"], b"who?")
    assert world.server.streams[1].ended or world.server.streams[1].code is not None


@pytest.mark.parametrize(("values", "length"), [({}, 0), (CONNECTS, 5), (CONNECTS, None)])
def test_a_switch_that_cannot_be_asked_for(values: dict[int, int], length: int | None) -> None:
    """Without the upstream's word for it no CONNECT goes out, nor one with content (RFC 8441 section 3)."""
    world = World(server_with(values))
    answer = world.ask(tokens=(b"echo",), content_length=length)
    assert answer.failure == ("upstream_no_switch", 502)
    assert world.server.streams == {}


def test_the_upstream_ends_first() -> None:
    """Our side goes on after the upstream's END_STREAM, and ends when it wants to."""
    world = World(server_with(CONNECTS))
    _, talker = tunnel(world)
    world.server.say(data(1, b"bye", end=True))
    world.turn()
    assert (talker.data, talker.read_ended, talker.end) == (b"bye", True, None)
    talker.transport.write(b"late")
    talker.transport.loseConnection()
    world.turn()
    asked = world.server.streams[1]
    assert (asked.content, asked.ended, asked.code, talker.end) == (b"late", True, None, ConnectionDone)


def test_an_end_that_is_not_answered() -> None:
    """A stream that we have closed and the upstream has not is reset after a moment."""
    world = World(server_with(CONNECTS))
    _, talker = tunnel(world)
    talker.transport.loseConnection()
    world.turn()
    assert talker.end is ConnectionDone
    assert world.server.streams[1].code is None
    world.advance(4.0)
    assert world.server.streams[1].code == CANCEL


def test_breaking_off() -> None:
    """An abort is RST_STREAM with CANCEL, either way (RFC 8441 section 5)."""
    world = World(server_with(CONNECTS))
    _, ours = tunnel(world)
    ours.transport.abortConnection()
    world.turn()
    assert world.server.streams[1].code == CANCEL
    assert ours.end is ConnectionLost
    _, theirs = tunnel(world)
    producer = Producer()
    theirs.transport.registerProducer(producer, True)
    world.server.reset(3, CANCEL)
    world.turn()
    assert theirs.end is ConnectionLost
    assert producer.calls == ["stop"]


def test_the_connection_breaks() -> None:
    """All tunnels on a connection that is lost are lost."""
    world = World(server_with(CONNECTS))
    _, talker = tunnel(world, Talker())
    world.server.transport.abortConnection()
    world.turn()
    assert talker.end is not None
    assert talker.end is not ConnectionDone


def test_bytes_behind_the_head_wait() -> None:
    """What the upstream sends at once waits until somebody is there (A-32)."""
    world = World(server_with(CONNECTS))
    answer = world.ask(tokens=(b"echo",))
    world.server.say(world.server.head(1), data(1, b"early"), data(1, b"", end=True))
    world.turn()
    talker = join(world, answer, HalfTalker())
    assert (talker.data, talker.read_ended) == (b"early", True)


def test_a_tunnel_that_breaks_before_anybody_is_there() -> None:
    """The protocol that comes too late is told so."""
    world = World(server_with(CONNECTS))
    answer = world.ask(tokens=(b"echo",))
    world.server.say(world.server.head(1), data(1, b"early"))
    world.server.reset(1, CANCEL)
    world.turn()
    talker = join(world, answer, Talker())
    assert (talker.data, talker.end) == (b"", ConnectionLost)


def test_a_slow_reader_fills_one_window() -> None:
    """Reading that is paused lets the stream's window run out; nothing more waits here."""
    world = World(server_with(CONNECTS))
    _, talker = tunnel(world)
    talker.transport.pauseProducing()
    world.server.say(*(data(1, bytes(16 * KIB)) for _ in range(4)))
    world.turn()
    assert talker.data == b""
    assert not [each for each in world.server.frames if each.type == Kind.WINDOW_UPDATE and each.stream_id == 1]
    talker.transport.resumeProducing()
    world.turn()
    assert len(talker.data) == 64 * KIB
    assert [each for each in world.server.frames if each.type == Kind.WINDOW_UPDATE and each.stream_id == 1]


def test_a_slow_upstream_pauses_the_writer() -> None:
    """Writing faster than the upstream reads pauses the producer."""
    world = World(server_with(CONNECTS))
    _, talker = tunnel(world)
    producer = Producer()
    talker.transport.registerProducer(producer, True)
    for _ in range(20):
        talker.transport.write(bytes(8 * KIB))
        world.turn()
    assert producer.calls == ["pause"]
    assert len(world.server.streams[1].content) == 65_535
    world.server.say(window_update(10**6), window_update(10**6, 1))
    world.turn()
    assert producer.calls == ["pause", "resume"]
    assert len(world.server.streams[1].content) == 160 * KIB


def test_no_timeout_of_responses_holds_for_tunnels() -> None:
    """How long a tunnel may be silent is not for this part to say."""
    world = World(server_with(CONNECTS), read_timeout=5.0, response_timeout=5.0, idle_timeout=5.0)
    _, talker = tunnel(world)
    talker.transport.write(bytes(100 * KIB))  # more than the window
    world.advance(60.0)
    assert talker.end is None
    waiting = world.ask(tokens=(b"echo",))
    world.advance(7.0)
    assert waiting.failure == ("upstream_timeout", 504)


@pytest.mark.parametrize("closes", [False, True])
def test_whoever_asked_leaves_at_a_refusal(closes: bool) -> None:
    """The stream goes while its end waits to be sent, and its connection, too: nothing is sent on it any more."""

    def leave(answer: Answer) -> None:
        if closes:
            world.upstream.close()
        answer.exchange.cancel()

    world = World(server_with(CONNECTS), max_idle=0)
    with capturedLogs() as logged:
        answer = world.ask(tokens=(b"echo",), answer=Answer(head=leave))
        world.server.say(world.server.head(1, [(b":status", b"405")]))
        world.turn()
    assert (answer.status, answer.events) == (405, ["head"])
    assert [event for event in logged if "log_failure" in event] == []
