"""Bytes to responses, however they are cut."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.http1.wire import splits
from upgradegw.proxy.exchange import ResponseHead
from upgradegw.proxy.http1.reading import ResponseReader, State
from upgradegw.proxy.http1.response import BadResponse


class Sink:
    """Notes what is read."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.content = b""

    def got_interim(self, head: ResponseHead) -> None:
        self.events.append(head.status)

    def got_head(self, head: ResponseHead) -> None:
        self.events.append(head.status)

    def got_data(self, data: bytes) -> None:
        assert data
        self.content += data

    def got_end(self) -> None:
        self.events.append("end")

    def got_switch(self, head: ResponseHead, rest: bytes) -> None:
        self.events += [head.status, rest]


class Reading:
    """A reader that expects a response."""

    def __init__(self, *segments: bytes, head_only: bool = False, max_head: int = 1000, max_interim: int = 10) -> None:
        self.sink = Sink()
        self.reader = ResponseReader(self.sink, max_head, max_interim)
        self.reader.begin(head_only)
        self.feed(*segments)

    def feed(self, *segments: bytes) -> None:
        """Deliver segments."""
        for segment in segments:
            self.reader.feed(segment)

    @property
    def events(self) -> list[Any]:
        return self.sink.events


LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nTrailer: x\r\n\r\n"
CLOSE = b"HTTP/1.0 200 OK\r\n\r\nhello"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"


@pytest.mark.parametrize("message", [LENGTH, CHUNKS], ids=["length", "chunks"])
@pytest.mark.parametrize("before", [b"", INTERIM], ids=["", "interim"])
def test_every_split(message: bytes, before: bytes) -> None:
    """One segment, every cut in two, byte by byte: the same response; trailers are dropped."""
    for segments in splits(before + message):
        reading = Reading(*segments)
        assert reading.events == [*([100, 103] if before else []), 200, "end"]
        assert reading.sink.content == b"hello"
        assert reading.reader.keep_alive
        assert reading.reader.state == State.NOTHING


@pytest.mark.parametrize("segments", list(splits(CLOSE)), ids=len)
def test_a_response_that_the_end_ends(segments: tuple[bytes, ...]) -> None:
    """Without a length the connection's end is the response's."""
    reading = Reading(*segments)
    assert reading.events == [200]
    assert reading.reader.end_of_input()
    assert (reading.events, reading.sink.content) == ([200, "end"], b"hello")
    assert not reading.reader.keep_alive


@pytest.mark.parametrize("message", [LENGTH, CHUNKS], ids=["length", "chunks"])
def test_a_response_that_is_cut(message: bytes) -> None:
    """Wherever the connection ends before the response does, the response is not complete."""
    for size in range(1, len(message)):
        reading = Reading(message[:size])
        assert not reading.reader.end_of_input()
        assert "end" not in reading.events


@pytest.mark.parametrize("segments", list(splits(b"HTTP/1.1 101 Go\r\nUpgrade: x\r\n\r\n\x00\xffHTTP")), ids=len)
def test_a_switch(segments: tuple[bytes, ...]) -> None:
    """Behind a 101 nothing is read any more: what came with it is the new protocol's."""
    sink = Sink()
    reader = ResponseReader(sink, 1000, 10)
    reader.begin(False)
    for number, segment in enumerate(segments):
        reader.feed(segment)
        if reader.state == State.SWITCHED:
            rest = b"".join(segments[number + 1 :])
            assert sink.events[0] == 101
            assert sink.events[1] + rest == b"\x00\xffHTTP"
            break
    else:
        raise AssertionError("no switch")


@pytest.mark.parametrize("message", [LENGTH, CHUNKS], ids=["length", "chunks"])
@pytest.mark.parametrize("behind", [b"\r\n", b"x", LENGTH], ids=["line end", "byte", "response"])
def test_bytes_behind_a_response(message: bytes, behind: bytes) -> None:
    """A-39: the response is right, but nobody knows whose the bytes are: the connection is not used again."""
    for segments in (message + behind,), (message[:-1], message[-1:] + behind):
        reading = Reading(*segments)
        assert (reading.events, reading.sink.content) == ([200, "end"], b"hello")
        assert not reading.reader.keep_alive


def test_bytes_that_no_request_asked_for() -> None:
    """Between two responses there are none."""
    reading = Reading(LENGTH)
    with pytest.raises(BadResponse):
        reading.reader.feed(b"H")


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 204 No Content", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99", b"HEAD"]
)
def test_responses_without_content(head: bytes) -> None:
    """They end with their head, and the connection goes on."""
    is_head = head == b"HEAD"
    line = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked" if is_head else head
    reading = Reading(line + b"\r\n\r\n", head_only=is_head)
    assert reading.events[1:] == ["end"]
    assert reading.reader.keep_alive


def test_one_response_after_another() -> None:
    """A reader is used again; nothing of one response is left for the next."""
    reading = Reading(INTERIM + CHUNKS)
    for message in (LENGTH, CHUNKS, LENGTH):
        reading.reader.begin(False)
        assert reading.reader.untouched
        for segment in (message[:30], message[30:]):
            reading.reader.feed(segment)
            assert not reading.reader.untouched
    assert reading.events == [100, 103, 200, "end", *[200, "end"] * 3]


def padded(size: int) -> bytes:
    """A head of so many bytes, the empty line included."""
    start = b"HTTP/1.1 204 OK\r\nX: "
    return start + b"x" * (size - len(start) - 4) + b"\r\n\r\n"


@pytest.mark.parametrize("step", [1000, 7, 1])
def test_the_largest_head(step: int) -> None:
    """A-39, giant head: ``max_head`` bytes are a head, one more is none; it is not waited for nor kept."""
    for head in (padded(300), padded(301)):
        reading = Reading(max_head=300)
        segments = [head[at : at + step] for at in range(0, len(head), step)]
        if len(head) == 300:
            reading.feed(*segments)
            assert reading.events == [204, "end"]
        else:
            with pytest.raises(BadResponse, match="more than 300 bytes"):
                reading.feed(*segments)


def test_a_head_without_end() -> None:
    """A-39: of a head that does not end no more than ``max_head`` bytes are taken."""
    reading = Reading(b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 47, max_head=300)  # 299 bytes
    with pytest.raises(BadResponse, match="more than 300 bytes"):
        reading.feed(b"X:")


@pytest.mark.parametrize("count", [0, 9, 10])
def test_interim_responses(count: int) -> None:
    """A-39, a flood of 1xx: up to ``max_interim`` pass."""
    reading = Reading(b"HTTP/1.1 102 Processing\r\n\r\n" * count + LENGTH)
    assert reading.events == [102] * count + [200, "end"]


def test_too_many_interim_responses() -> None:
    """And one more is a bad response; the next request may have as many again."""
    reading = Reading(b"HTTP/1.1 102 Processing\r\n\r\n" * 10 + LENGTH)
    reading.reader.begin(False)
    with pytest.raises(BadResponse, match="more than 10 interim"):
        reading.reader.feed(b"HTTP/1.1 102 Processing\r\n\r\n" * 11 + LENGTH)
    assert reading.events == [*[102] * 10, 200, "end", *[102] * 10]


@pytest.mark.parametrize(
    "content",
    [
        b"g\r\n",
        b"\r\n",
        b"-1\r\n",
        b"0x1\r\n",
        b"1 \r\na\r\n",
        b"1\na\r\n",
        b"1\r\nab\r\n",
        b"1\r\na0\r\n",
        b"0\r\nX\r\n\r\n",
    ],
)
def test_bad_chunks(content: bytes) -> None:
    """A-39: chunks that are none end the response in error, and not as if it were complete."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    for segments in ((head + content,), (head, content), tuple(bytes([byte]) for byte in head + content)):
        reading = Reading()
        with pytest.raises(BadResponse):
            reading.feed(*segments)
        assert "end" not in reading.events


def test_nothing_is_passed_on_to_who_has_had_enough() -> None:
    """``stop`` from within an event is the end of all events."""
    for message in (LENGTH, CHUNKS, INTERIM + LENGTH, CLOSE, b"HTTP/1.1 204 OK\r\n\r\n"):
        reading = Reading()
        sink = reading.sink

        def stop(head: ResponseHead, reading: Reading = reading) -> None:
            reading.events.append(head.status)
            reading.reader.stop()

        sink.got_head = sink.got_interim = stop  # type: ignore[method-assign]
        reading.reader.feed(message)
        assert len(sink.events) == 1
        assert sink.content == b""


@pytest.mark.parametrize("message", [LENGTH, CHUNKS], ids=["length", "chunks"])
def test_enough_with_the_last_piece(message: bytes) -> None:
    """``stop`` at content is the end as well, though the response were complete."""
    reading = Reading()

    def stop(data: bytes) -> None:
        reading.sink.content += data
        reading.reader.stop()

    reading.sink.got_data = stop  # type: ignore[method-assign]
    reading.feed(message)
    assert reading.events == [200]
    assert reading.sink.content == b"hello"


@given(st.binary(max_size=200), st.lists(st.integers(1, 20), max_size=20))
def test_any_bytes(data: bytes, cuts: list[int]) -> None:
    """Whatever an upstream sends, it is a response or ``BadResponse``."""
    reading = Reading()
    try:
        reading.reader.feed(b"HTTP/1.1 200 OK\r\n")
        for cut in [*cuts, len(data)]:
            if data and reading.reader.state == State.HEAD:
                reading.reader.feed(data[:cut])
            data = data[cut:]
    except BadResponse:
        pass
