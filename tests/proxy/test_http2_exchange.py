"""A request to an upstream over HTTP/2: what goes out, what comes back, and who waits for whom."""

from __future__ import annotations

import pytest

from tests.http2.client import CANCEL, REFUSED_STREAM, data
from tests.proxy.http2_in_memory import MAX_CONCURRENT_STREAMS, H2Server, World, server_with
from tests.proxy.upstream_in_memory import Answer, request
from upgradegw.http2.frames import Kind

KIB = 1024


def test_a_request_and_its_response() -> None:
    """A request and its response are those of hyper-h2's server: head, content, end."""
    world = World(H2Server)
    answer = world.ask(method=b"POST", content_length=5, target=b"/a?b", fields=((b"X-One", b" 1 "), (b"x-one", b"2")))
    answer.exchange.write(b"hello")
    world.turn()
    assert answer.events == ["head", "data", "end"]
    assert answer.content == b"hello"
    (head,) = answer.heads
    assert (head.status, head.phrase, head.fields, head.http_version) == (200, b"", ((b"x-server", b"h2"),), b"HTTP/2")
    assert world.server.requests == [
        [
            (b":method", b"POST"),
            (b":scheme", b"http"),
            (b":authority", b"a.example"),
            (b":path", b"/a?b"),
            (b"x-one", b"1"),
            (b"x-one", b"2"),
            (b"content-length", b"5"),
        ]
    ]


def test_requests_share_a_connection() -> None:
    """Requests are streams of one connection, and none waits for another's response."""
    world = World()
    first, second = world.ask(), world.ask(target=b"/2")
    world.server.answer(3, content=b"2")
    world.turn()
    assert (first.events, second.events) == ([], ["head", "data", "end"])
    world.server.answer(1)
    world.turn()
    assert first.events == ["head", "end"]


@pytest.mark.parametrize("wrong", [{"target": b"/\r\n"}, {"fields": ((b"a", b"b\nc"),)}, {"fields": ((b"a b", b"c"),)}])
def test_no_line_is_made_of_two(wrong: dict[str, object]) -> None:
    """A request that could mean another one elsewhere is not sent at all."""
    with pytest.raises(ValueError, match="cannot hold"):
        World().upstream.ask(request(**wrong), Answer())


def test_secrets_stay_out_of_the_table() -> None:
    """What one client sends as a secret cannot be found out by the size of another's (RFC 7541 section 7.1)."""
    world = World()
    for _ in range(2):
        world.ask(fields=((b"authorization", b"Basic c2VjcmV0c2VjcmV0"), (b"cookie", b"session=secret")))
    heads = [each.data for each in world.server.frames if each.type == Kind.HEADERS]
    assert len(heads) == 2
    assert len(heads[1]) > 30


# --- The end.


def test_cancelling_resets_the_stream_alone() -> None:
    """Nobody hears of a cancelled request again, what is under way is dropped, and the others go on."""
    world = World()
    gone, other = world.ask(), world.ask()
    server = world.server
    gone.exchange.cancel()
    gone.exchange.cancel()
    server.say(server.head(1), data(1, bytes(16 * KIB)), data(1, b"", end=True))
    server.answer(3)
    world.turn()
    assert server.streams[1].code == CANCEL
    assert (gone.events, other.events) == ([], ["head", "end"])


def test_cancelling_before_there_is_a_connection() -> None:
    """Who leaves early asks nothing."""
    world = World()
    answer = world.ask_only()
    answer.exchange.stopProducing()
    world.turn()
    assert (answer.events, world.server.streams) == ([], {})


def test_cancelling_from_within() -> None:
    """A receiver may cancel at each event."""
    world = World()
    for event in ("interim", "head", "data"):
        answer = world.ask(answer=Answer(**{event: lambda answer: answer.exchange.cancel()}))
        stream_id = max(world.server.streams)
        world.server.say(world.server.head(stream_id, [(b":status", b"103")]))
        world.server.answer(stream_id, content=b"x")
        world.turn()
        assert answer.events[-1] == event


def test_what_was_refused_is_asked_again() -> None:
    """A stream that the upstream has not looked at is asked anew, also for POST, but not for ever (RFC 9113 8.7)."""
    world = World()
    answer = world.ask(method=b"POST")
    for stream_id in (1, 3):
        world.server.reset(stream_id, REFUSED_STREAM)
        world.turn()
    assert answer.events == []
    world.server.reset(5, REFUSED_STREAM)
    world.turn()
    assert answer.failure == ("upstream_closed", 502)
    assert len(world.server.streams) == 3


def test_content_that_was_sent_is_not_sent_again() -> None:
    """A request whose content has gone fails, for the content is not kept."""
    world = World()
    answer = world.ask(method=b"POST", content_length=1)
    answer.exchange.write(b"x")
    world.server.reset(1, REFUSED_STREAM)
    world.turn()
    assert answer.failure == ("upstream_closed", 502)


def test_an_idempotent_request_is_tried_once_more() -> None:
    """A pooled connection that dies before a byte of the response is no failure yet (RFC 9110 section 9.2.2)."""
    world = World()
    world.ask()
    world.server.answer(1)
    world.turn()
    again, never = world.ask(), world.ask(method=b"POST")
    world.server.transport.abortConnection()
    world.turn()
    assert never.failure == ("upstream_closed", 502)
    assert again.events == []
    world.servers[1].answer(1)
    world.turn()
    assert again.events == ["head", "end"]


def test_a_first_connection_that_dies_is_a_failure() -> None:
    """An upstream that dies of the request is not asked again."""
    world = World(server_with({MAX_CONCURRENT_STREAMS: 10}))
    answer = world.ask()
    world.server.transport.abortConnection()
    world.turn()
    assert answer.failure == ("upstream_closed", 502)
    assert len(world.servers) == 1
