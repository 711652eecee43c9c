"""A hostile upstream over HTTP/2 (A-39): each abuse is one clear failure, and costs no memory that is not bounded."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.http2.client import (
    ACK,
    COMPRESSION_ERROR,
    ENHANCE_YOUR_CALM,
    FLOW_CONTROL_ERROR,
    FRAME_SIZE_ERROR,
    INITIAL_WINDOW_SIZE,
    PROTOCOL_ERROR,
    STREAM_CLOSED,
    data,
    frame,
    ping,
    rst,
    settings,
    window_update,
)
from tests.proxy.http2_in_memory import FrameServer, World
from tests.proxy.upstream_in_memory import Answer
from upgradegw.http2.frames import Kind

KIB = 1024
Abuse = Callable[[FrameServer], list[bytes]]

#: What makes one response none: what is sent on stream 1.
ON_THE_STREAM: dict[str, Abuse] = {
    "no status": lambda server: [server.head(1, [(b"a", b"b")])],
    "status behind a field": lambda server: [server.head(1, [(b"a", b"b"), (b":status", b"200")])],
    "two of it": lambda server: [server.head(1, [(b":status", b"200"), (b":status", b"204")])],
    "no number": lambda server: [server.head(1, [(b":status", b"2x0")])],
    "a number too large": lambda server: [server.head(1, [(b":status", b"600")])],
    "101": lambda server: [server.head(1, [(b":status", b"101")])],
    "pseudo-header field of a request": lambda server: [server.head(1, [(b":status", b"200"), (b":path", b"/")])],
    "upper case": lambda server: [server.head(1, [(b":status", b"200"), (b"X-A", b"b")])],
    "space in a name": lambda server: [server.head(1, [(b":status", b"200"), (b"x a", b"b")])],
    "line end": lambda server: [server.head(1, [(b":status", b"200"), (b"a", b"b\r\nset-cookie: c")])],
    "NUL": lambda server: [server.head(1, [(b":status", b"200"), (b"a", b"b\0")])],
    "connection": lambda server: [server.head(1, [(b":status", b"200"), (b"connection", b"close")])],
    "transfer-encoding": lambda server: [server.head(1, [(b":status", b"200"), (b"transfer-encoding", b"chunked")])],
    "upgrade": lambda server: [server.head(1, [(b":status", b"426"), (b"upgrade", b"websocket")])],
    "two lengths": lambda server: [server.head(1, [(b":status", b"200"), *[(b"content-length", b"1")] * 2])],
    "no length": lambda server: [server.head(1, [(b":status", b"200"), (b"content-length", b"-1")])],
    "a head too large": lambda server: [server.head(1, [(b":status", b"200"), (b"a", b"x" * 17 * KIB)])],
    "too many fields": lambda server: [server.head(1, [(b":status", b"200"), *[(b"a", b"")] * 600])],
    "too much content": lambda server: [
        server.head(1, [(b":status", b"200"), (b"content-length", b"1")]),
        data(1, b"12", end=True),
    ],
    "too little content": lambda server: [
        server.head(1, [(b":status", b"200"), (b"content-length", b"3")]),
        data(1, b"12", end=True),
    ],
    "no content": lambda server: [server.head(1, [(b":status", b"200"), (b"content-length", b"3")], end=True)],
    "content of 204": lambda server: [server.head(1, [(b":status", b"204")]), data(1, b"x", end=True)],
    "content before the head": lambda _server: [data(1, b"x")],
    "an end before the head": lambda _server: [data(1, end=True)],
    "a 1xx that ends": lambda server: [server.head(1, [(b":status", b"103")], end=True)],
    "only a 1xx": lambda server: [server.head(1, [(b":status", b"103")]), data(1, end=True)],
    "a storm of 1xx": lambda server: [server.head(1, [(b":status", b"103")])] * 11,
    "two heads": lambda server: [server.head(1), server.head(1)],
    "trailers that go on": lambda server: [server.head(1), data(1, b"x"), server.head(1, [(b"a", b"b")])],
    "trailers with a status": lambda server: [server.head(1), server.head(1, end=True)],
    "trailers in upper case": lambda server: [server.head(1), server.head(1, [(b"A", b"b")], end=True)],
}

#: Those behind which both sides have ended: there is nothing to reset any more.
CLOSED = {"too little content", "no content"}


@pytest.mark.parametrize("name", ON_THE_STREAM)
def test_a_response_that_is_none(name: str) -> None:
    """A malformed response costs its own request, which fails with 502; the connection goes on (RFC 9113 8.1.1)."""
    world = World()
    answer, other = world.ask(), world.ask()
    server = world.server
    server.say(*ON_THE_STREAM[name](server))
    world.turn()
    assert answer.failure == ("upstream_bad_response", 502)
    assert "end" not in answer.events
    assert server.streams[1].code == (None if name in CLOSED else PROTOCOL_ERROR)
    server.answer(3)
    world.turn()
    assert other.events == ["head", "end"]


def test_more_than_the_window_of_a_stream() -> None:
    """DATA beyond the stream's window resets the stream, and is not kept (RFC 9113 section 6.9.1)."""
    world = World()
    slow = world.ask(answer=Answer(head=lambda answer: answer.exchange.pauseProducing()))
    other = world.ask()
    server = world.server
    server.say(server.head(1), *(data(1, bytes(16 * KIB)) for _ in range(6)))
    server.answer(3)
    world.turn()
    assert slow.failure[1] == 502
    assert server.streams[1].code == FLOW_CONTROL_ERROR
    assert other.events == ["head", "end"]


#: What ends the connection, and with which code.
ON_THE_CONNECTION: dict[str, tuple[int, Abuse]] = {
    "PUSH_PROMISE": (
        PROTOCOL_ERROR,
        lambda server: [frame(Kind.PUSH_PROMISE, b"\0\0\0\2" + server.encoder.encode([(b":path", b"/")]), 4, 1)],
    ),
    "HEADERS of its own": (PROTOCOL_ERROR, lambda server: [server.head(2)]),
    "HEADERS on a stream that nobody opened": (PROTOCOL_ERROR, lambda server: [server.head(5)]),
    "DATA on a stream that nobody opened": (PROTOCOL_ERROR, lambda _server: [data(5, b"x")]),
    "RST_STREAM on a stream that nobody opened": (PROTOCOL_ERROR, lambda _server: [rst(5)]),
    "HEADERS behind the end": (STREAM_CLOSED, lambda server: [server.head(3, end=True), server.head(3)]),
    "DATA behind the end": (STREAM_CLOSED, lambda server: [server.head(3, end=True), data(3, b"x")]),
    "a frame too large": (FRAME_SIZE_ERROR, lambda server: [server.head(1), data(1, bytes(17 * KIB))]),
    "a header block that is cut off by another frame": (
        PROTOCOL_ERROR,
        lambda server: [frame(Kind.HEADERS, server.encoder.encode([(b"a", b"b")]), 0, 1), ping()],
    ),
    "CONTINUATION without end": (
        ENHANCE_YOUR_CALM,
        lambda _server: [frame(Kind.HEADERS, b"\x00", 0, 1), *[frame(Kind.CONTINUATION, b"x" * 100, 0, 1)] * 20],
    ),
    "a header block without end": (
        ENHANCE_YOUR_CALM,
        lambda _server: [
            frame(Kind.HEADERS, b"x" * 16 * KIB, 0, 1),
            *[frame(Kind.CONTINUATION, b"x" * 16 * KIB, 0, 1)] * 3,
        ],
    ),
    "a header list beyond the double": (
        ENHANCE_YOUR_CALM,
        lambda server: [server.head(1, [(b":status", b"200"), *[(b"a", b"x" * 3 * KIB)] * 20])],
    ),
    "no HPACK": (COMPRESSION_ERROR, lambda _server: [frame(Kind.HEADERS, b"\xff\xff\xff\xff\xff\xff\xff", 4, 1)]),
    "SETTINGS by the thousand": (ENHANCE_YOUR_CALM, lambda _server: [settings()] * 1100),
    "PING by the thousand": (ENHANCE_YOUR_CALM, lambda _server: [ping()] * 1100),
    "answers to pings by the thousand": (ENHANCE_YOUR_CALM, lambda _server: [ping(flags=ACK)] * 1100),
    "SETTINGS with too many entries": (
        ENHANCE_YOUR_CALM,
        lambda _server: [frame(Kind.SETTINGS, b"\0\7\0\0\0\0" * 40)],
    ),
    "a window beyond all windows": (
        FLOW_CONTROL_ERROR,
        lambda _server: [settings({INITIAL_WINDOW_SIZE: 2**31 - 1}), window_update(1, 1), window_update(2**31 - 1)],
    ),
    "a window opened by nothing": (PROTOCOL_ERROR, lambda _server: [window_update(0)]),
    "empty DATA": (ENHANCE_YOUR_CALM, lambda server: [server.head(1), *[data(1)] * 20]),
    "frames that nobody knows": (ENHANCE_YOUR_CALM, lambda _server: [frame(99)] * 11_000),
}


@pytest.mark.parametrize("name", ON_THE_CONNECTION)
def test_a_connection_that_is_abused(name: str) -> None:
    """A GOAWAY with the right code, 502 for all requests on it, and a new connection for the next one."""
    code, abuse = ON_THE_CONNECTION[name]
    world = World()
    answers = [world.ask(), world.ask()]
    server = world.server
    server.say(*abuse(server))
    world.turn()
    assert server.goaway == code
    assert {answer.failure for answer in answers if answer.error is not None} == {("upstream_bad_response", 502)}
    assert all(answer.events[-1] in {"end", "failed"} for answer in answers)
    world.advance(4.0)
    assert server.end is not None
    again = world.ask()
    world.servers[1].answer(1)
    world.turn()
    assert again.events == ["head", "end"]


def test_data_for_a_request_that_was_given_up() -> None:
    """What is under way on a stream that we have reset is dropped; who goes on with it is cut off in the end."""
    world = World()
    world.ask().exchange.cancel()
    server = world.server
    server.say(server.head(1), *[data(1, b"x")] * 1000)
    world.turn()
    assert server.goaway is None
    server.say(*[data(1, b"x")] * 10_000)
    world.turn()
    assert server.goaway == ENHANCE_YOUR_CALM


def test_cancelling_often_is_no_fault_of_the_upstream() -> None:
    """However often clients leave, the answers that are still under way do not cost the others their connection."""
    world = World()
    stays = world.ask()
    server = world.server
    for number in range(1, 400):
        world.ask().exchange.cancel()
        stream_id = 2 * number + 1
        server.say(server.head(stream_id), *[data(stream_id, b"x")] * 30)
    world.turn()
    server.answer(1)
    world.turn()
    assert stays.events == ["head", "end"]


def test_a_thousand_streams_may_be_reset() -> None:
    """An upstream that resets each request is a bad one, but none of its resets ends the connection."""
    world = World()
    for number in range(1100):
        answer = world.ask(method=b"POST")
        world.server.reset(2 * number + 1, 8)
        world.turn()
        assert answer.failure == ("upstream_closed", 502)


def test_a_head_that_does_not_end() -> None:
    """A header block that comes byte by byte has a deadline of its own."""
    world = World(response_timeout=None)
    answer = world.ask()
    server = world.server
    block = server.head(1)
    for each in block[:-1]:
        server.say(bytes([each]))
        world.advance(2.0)
    assert answer.failure == ("upstream_timeout", 504)


def test_pings_that_nobody_reads() -> None:
    """Answers to pings do not pile up for an upstream that does not read."""
    world = World(response_timeout=None)
    answer = world.ask()
    server = world.server
    server.transport.pauseProducing()
    seconds = 0
    while not answer.events:
        server.say(ping() * 100)
        world.advance(1.0)
        seconds += 1
        assert seconds < 200
    assert answer.failure == ("upstream_bad_response", 502)
