"""A connection to an upstream: what the upstream may do on it, and when it is used again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.proxy.upstream_in_memory import OK, Answer, Line, World, gone

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"


def reused(world: World) -> bool:
    """Whether the next request takes an idle connection."""
    return not (world.ask() and world.waiting)


# --- Used again, or not.


@pytest.mark.parametrize(
    "response",
    [
        OK,
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK,
    ],
)
def test_a_connection_is_used_again(response: bytes) -> None:
    """Behind a response with an end of its own."""
    world = World()
    answer, line = world.open()
    line.say(response)
    assert answer.events[-1] == "end"
    assert not line.disconnecting
    assert reused(world)


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        OK + b"\r\n",
        OK + OK,
    ],
    ids=["close", "1.0", "line end", "another response"],
)
def test_a_connection_is_not_used_again(response: bytes) -> None:
    """A-39: where it ends, or where nobody knows whose the bytes behind the response are; the response passes."""
    world = World()
    answer, line = world.open()
    line.say(response)
    assert (answer.content, answer.events[-1]) == (b"ok", "end")
    assert line.disconnecting
    assert not reused(world)


@pytest.mark.parametrize("junk", [b"x", OK, b"HTTP/1.1 408 Request Timeout\r\n\r\n"])
def test_junk_on_an_idle_connection(junk: bytes) -> None:
    """A-39: a response that came before its request would be somebody else's: the connection goes."""
    world = World()
    line = world.idle()
    line.say(junk)
    assert line.aborted
    assert not reused(world)


def test_bytes_on_a_connection_that_is_closing() -> None:
    """What was under way when it was closed is nobody's."""
    world = World(idle_timeout=2.0)
    line = world.idle()
    world.advance(4)
    assert line.disconnecting
    line.deliver(OK)
    assert not line.aborted
    gone(line)


def test_junk_before_a_request_on_a_new_connection() -> None:
    """A server that speaks first does not speak HTTP."""
    world = World()
    answer, line = world.open()
    line.say(b"220 mail.example ESMTP\r\n")
    assert answer.failure == ("upstream_bad_response", 502)
    assert line.aborted


def test_an_idle_connection_that_ends() -> None:
    """It is forgotten."""
    for end in (gone, Line.reset):
        world = World()
        end(world.idle())
        assert not reused(world)


# --- Ends too early, or in time.


def test_a_response_without_length_ends_with_the_connection() -> None:
    """RFC 9112 section 6.3: in order."""
    world = World()
    answer, line = world.open()
    line.say(b"HTTP/1.1 200 OK\r\n\r\n", b"some", b"thing")
    gone(line)
    assert (answer.content, answer.events) == (b"something", ["head", "data", "data", "end"])


def test_a_response_without_length_that_is_reset() -> None:
    """A reset is no end: the response is cut, and looks cut."""
    world = World()
    answer, line = world.open()
    line.say(b"HTTP/1.1 200 OK\r\n\r\nsome")
    line.reset()
    assert answer.events == ["head", "data", "failed"]
    assert answer.failure == ("upstream_closed", 502)


@pytest.mark.parametrize(
    "begun",
    [b"", b"HTTP/1.1 ", HEAD, HEAD + b"123", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"],
)
@pytest.mark.parametrize("end", [gone, Line.reset])
def test_early_close(begun: bytes, end: Any) -> None:
    """A-39: content that is shorter than was said, or a last chunk that never comes, is a failure."""
    world = World()
    answer, line = world.open()
    line.say(begun) if begun else None
    end(line)
    assert answer.failure == ("upstream_closed", 502)
    assert answer.events[-1] == "failed"
    assert world.waiting == 0  # a new connection's request is not sent twice
    assert world.reactor.getDelayedCalls() == []


BAD = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    b"HTTP/1.1 100 Continue\r\n\r\n" * 11,
    b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
]


@pytest.mark.parametrize("bad", BAD, ids=["te+cl", "2cl", "cr", "nul", "lf", "1xx", "giant", "chunk"])
@pytest.mark.parametrize("cut", [None, 1, 100])
def test_a_bad_response(bad: bytes, cut: int | None) -> None:
    """A-39: it is 502 and the connection's end, and nobody hears anything behind it."""
    world = World()
    answer, line = world.open()
    line.say(*([bad] if cut is None else [bad[at : at + cut] for at in range(0, len(bad), cut)]))
    assert answer.failure == ("upstream_bad_response", 502)
    assert answer.events[-1] == "failed"
    assert line.aborted
    line.reset()
    assert answer.events.count("failed") == 1
    assert not reused(world)


# --- Who has had enough.


@pytest.mark.parametrize("event", ["interim", "head", "data"])
def test_cancel_from_within(event: str) -> None:
    """Behind ``cancel`` nothing is heard, whatever is left of the segment."""
    world = World()
    answer, line = world.open(answer=Answer(**{event: lambda got: got.exchange.cancel()}))
    line.say(b"HTTP/1.1 102 Processing\r\n\r\n" + HEAD + b"12345", b"67890")
    assert answer.events[-1] == event
    assert answer.events.count(event) == 1
    assert line.aborted
    line.reset()
    assert answer.events[-1] == event


def test_cancel_before_the_answer() -> None:
    """The connection goes: what it would still bring is nobody's."""
    world = World()
    answer, line = world.open()
    answer.exchange.cancel()
    answer.exchange.cancel()
    assert line.aborted
    line.reset()
    assert answer.events == []
    assert world.reactor.getDelayedCalls() == []


def test_pausing() -> None:
    """What is paused is not read; a connection that is idle is."""
    world = World()
    answer, line = world.open()
    exchange: Any = answer.exchange
    exchange.pauseProducing()
    exchange.pauseProducing()
    assert line.paused == [True]
    line.say(OK)  # was under way in the same read
    assert answer.events == ["head", "data", "end"]
    assert line.paused == [True, False]
    exchange.pauseProducing()
    exchange.resumeProducing()
    assert line.paused == [True, False]
