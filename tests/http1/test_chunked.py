"""Chunked content: decoded in any split, compared with llhttp, and strict."""

from __future__ import annotations

import itertools
from typing import Any

import httptools
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.http1.wire import chunked, splits
from upgradegw.http1.chunked import MAX_SIZE_LINE, MAX_TRAILERS, ChunkedDecoder, ChunkedError


def decode(*segments: bytes) -> tuple[bytes, bool, bytes]:
    """Return content, whether it ended, and what followed."""
    decoder = ChunkedDecoder()
    content = rest = b""
    for segment in segments:
        if decoder.finished:
            rest += segment
            continue
        piece, rest = decoder.receive(segment)
        content += piece
    return content, decoder.finished, rest


def decode_each(decoder: ChunkedDecoder, data: bytes) -> None:
    """Feed a decoder byte by byte."""
    for at in range(len(data)):
        decoder.receive(data[at : at + 1])


WHOLE = b'3\r\nabc\r\nA;x=1;y="a\\"b"\r\n0123456789\r\n00\r\nTrailer: x\r\n\r\nGET /'


@pytest.mark.parametrize("segments", list(splits(WHOLE)))
def test_every_split(segments: tuple[bytes, ...]) -> None:
    """RFC 9112 section 7.1: content, end and the next request are found however the bytes arrive."""
    assert decode(*segments) == (b"abc0123456789", True, b"GET /")


@given(st.binary(max_size=200), st.integers(1, 50), st.lists(st.integers(0, 400)))
def test_round_trip(content: bytes, size: int, cuts: list[int]) -> None:
    """What was chunked in any way and split in any way is content again."""
    data = chunked(content, size) + b"rest"
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    segments = [data[a:b] for a, b in itertools.pairwise(places)]
    assert decode(*segments) == (content, True, b"rest")


@pytest.mark.parametrize(
    "bad",
    [
        b"3\nabc\r\n0\r\n\r\n",
        b"3\r\nabc\n0\r\n\r\n",
        b"3\r\nabcd\r\n",
        b"3\r\nab\r\n",
        b"3\r\nabc0\r\n\r\n",
        b"3\rabc\r\n",
        b"\r\n",
        b"x\r\n",
        b"-3\r\nabc\r\n",
        b"+3\r\nabc\r\n",
        b"0x3\r\nabc\r\n",
        b" 3\r\nabc\r\n",
        b"3 \r\nabc\r\n",
        b"3 ;a\r\nabc\r\n",
        b"3;\r\nabc\r\n",
        b"3;a=\r\nabc\r\n",
        b"3;a\x00\r\nabc\r\n",
        b"3;a=\x0b\r\nabc\r\n",
        b'3;a="\r\nabc\r\n',
        b"3;a\nb\r\nabc\r\n",
        b"3_0\r\n",
        b"11111111111111111\r\n",
        b"0\n\r\n",
        b"0\r\n\n",
        b"0\r\nno trailer\r\n\r\n",
        b"0\r\n folded: x\r\n\r\n",
        b"0\r\nX : y\r\n\r\n",
        b"0\r\nX: \x00\r\n\r\n",
        b"0\r\n\r\r\n",
    ],
)
def test_bad_chunks(bad: bytes) -> None:
    """A-08, UP-20: bad sizes, lone LF or CR, bad extensions and bad trailers are errors, in one piece and in bytes."""
    with pytest.raises(ChunkedError):
        decode(bad)
    with pytest.raises(ChunkedError):
        decode(*(bad[at : at + 1] for at in range(len(bad))))


@pytest.mark.parametrize(
    ("start", "fill", "bound"),
    [(b"3;a=", b"x", MAX_SIZE_LINE), (b"0\r\nX: ", b"y", MAX_TRAILERS)],
)
def test_lines_without_end(start: bytes, fill: bytes, bound: int) -> None:
    """A-08: a line that does not end is refused when it passes its bound, not kept."""
    decoder = ChunkedDecoder()
    decoder.receive(start)
    with pytest.raises(ChunkedError):
        decode_each(decoder, fill * (bound + 10))


def test_trailers_are_bounded_together() -> None:
    """Many trailers are as bad as a long one."""
    line = b"X: " + b"y" * 1000 + b"\r\n"
    assert decode(b"0\r\n" + line * 16 + b"\r\n")[1]
    with pytest.raises(ChunkedError):
        decode(b"0\r\n" + line * 17 + b"\r\n")


def test_size_line_bound_is_exact() -> None:
    """An extension may fill the size line up to its bound."""
    line = b"1;a=" + b"x" * (MAX_SIZE_LINE - 4)
    assert decode(line + b"\r\nz\r\n0\r\n\r\n")[:2] == (b"z", True)
    with pytest.raises(ChunkedError):
        decode(line + b"x\r\nz\r\n0\r\n\r\n")


class _Oracle:
    def __init__(self) -> None:
        self.content, self.finished = b"", False

    def on_body(self, data: bytes) -> None:
        self.content += data

    def on_message_complete(self) -> None:
        self.finished = True


def _oracle(data: bytes) -> tuple[bytes, bool] | None:
    """What llhttp makes of it, or None if it refuses."""
    oracle: Any = _Oracle()
    parser = httptools.HttpRequestParser(oracle)
    parser.feed_data(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    try:
        parser.feed_data(data)
    except httptools.HttpParserError:
        return None
    return oracle.content, oracle.finished


FRAGMENTS = st.sampled_from(
    [
        b"0",
        b"1",
        b"3",
        b"a",
        b"F",
        b"10",
        b";",
        b"=",
        b"x",
        b'"',
        b"\\",
        b" ",
        b"\t",
        b"\r\n",
        b"\r",
        b"\n",
        b"abc",
        b":",
        b"X: y",
    ]
)


@given(st.lists(FRAGMENTS, max_size=20).map(b"".join) | st.binary(max_size=40))
@example(b"3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n")
def test_as_strict_as_llhttp(data: bytes) -> None:
    """A-08: what we accept, llhttp accepts with the same content; nothing but ChunkedError is raised."""
    decoder = ChunkedDecoder()
    try:
        content, rest = decoder.receive(data)
    except ChunkedError:
        return
    expected = _oracle(data[: len(data) - len(rest)] if decoder.finished else data)
    if expected is None:
        # llhttp saw it in the middle of a line, we see it at its end.
        with pytest.raises(ChunkedError):
            decoder.receive(b"\r\n")
    else:
        assert expected == (content, decoder.finished)
