"""Bytes to frames: what is wrong with a frame by itself, and floods."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.http1.wire import splits
from tests.http2.client import (
    ACK,
    END,
    END_HEADERS,
    ENHANCE_YOUR_CALM,
    FRAME_SIZE_ERROR,
    PROTOCOL_ERROR,
    data,
    frame,
    ping,
    rst,
    settings,
    window_update,
)
from upgradegw.http2.faults import ConnectionFault
from upgradegw.http2.frames import MAX_FRAME, PREFACE, Frame, FrameReader, Kind, goaway
from upgradegw.http2.limits import Http2Limits
from upgradegw.http2.meters import Meters

LIMITS = Http2Limits()


def reader(limits: Http2Limits = LIMITS, max_block: int = 32_768, *, begun: bool = True) -> FrameReader:
    """Return a reader, by default behind the preface and the first SETTINGS."""
    made = FrameReader(limits, max_block, Meters(limits, lambda: 0.0))
    if begun:
        assert [each.kind for each in read(made, PREFACE + settings())] == [Kind.SETTINGS]
    return made


def read(made: FrameReader, *segments: bytes) -> list[Frame]:
    """Return the frames that segments bring."""
    found = []
    for segment in segments:
        made.feed(segment)
        while (each := made.next()) is not None:
            found.append(each)
    return found


def code(*segments: bytes, made: FrameReader | None = None) -> int:
    """Return the code with which segments end the connection."""
    with pytest.raises(ConnectionFault) as fault:
        read(made or reader(), *segments)
    return int(fault.value.code)


def headers(block: bytes, flags: int = END_HEADERS, stream_id: int = 1) -> bytes:
    """Return a HEADERS frame."""
    return frame(Kind.HEADERS, block, flags, stream_id)


def continuation(block: bytes, flags: int = 0, stream_id: int = 1) -> bytes:
    """Return a CONTINUATION frame."""
    return frame(Kind.CONTINUATION, block, flags, stream_id)


ALL = (
    headers(b"block", 0)
    + continuation(b"")
    + continuation(b"rest", END_HEADERS)
    + data(1, b"content", end=True)
    + rst(3)
    + ping()
    + window_update(5)
    + window_update(6, 1)
    + frame(Kind.GOAWAY, b"\0" * 8)
    + frame(0xBE, b"unknown", 0xFF, 7)
    + frame(Kind.PRIORITY, b"\0\0\0\0\1", 0, 9)
)


def test_every_split() -> None:
    """Frames are the same in every split and byte by byte; what is to be ignored is not there."""
    whole = read(reader(), ALL)
    assert [each.kind for each in whole] == [1, 0, 3, 6, 8, 8, 7]
    assert whole[0].payload == b"blockrest"
    assert whole[1].payload == b"content"
    for segments in splits(ALL):
        assert read(reader(), *segments) == whole


@given(st.binary(max_size=200))
def test_anything(junk: bytes) -> None:
    """Whatever comes, there are frames or a fault, never another exception; and one byte at a time it is the same."""
    outcomes: list[Any] = []
    for segments in ((junk,), tuple(junk[at : at + 1] for at in range(len(junk)))):
        made = reader()
        found = []
        try:
            for segment in segments:
                found += read(made, segment)
            outcomes.append(found)
        except ConnectionFault as fault:
            outcomes.append(fault.code)
    assert outcomes[0] == outcomes[1]


def test_the_preface() -> None:
    """RFC 9113 section 3.4: the preface is read byte by byte, and what differs is refused with its first byte."""
    made = reader(begun=False)
    assert read(made, *(PREFACE[at : at + 1] for at in range(len(PREFACE)))) == []
    assert made.has_preface
    assert not made.has_settings
    for at in range(len(PREFACE)):
        assert code(PREFACE[:at] + b"\xff", made=reader(begun=False)) == PROTOCOL_ERROR


@pytest.mark.parametrize("kind", range(12))
def test_too_long(kind: int) -> None:
    """RFC 9113 section 4.2: a frame longer than we allow is refused by its head, before its payload comes."""
    head = (MAX_FRAME + 1).to_bytes(3, "big") + bytes([kind, 0]) + b"\0\0\0\1"
    assert code(head) == FRAME_SIZE_ERROR


@pytest.mark.parametrize(
    ("kind", "length", "stream_id"),
    [
        (Kind.PRIORITY, 4, 1),
        (Kind.RST_STREAM, 3, 1),
        (Kind.RST_STREAM, 5, 1),
        (Kind.PING, 7, 0),
        (Kind.PING, 9, 0),
        (Kind.GOAWAY, 7, 0),
        (Kind.WINDOW_UPDATE, 3, 0),
        (Kind.WINDOW_UPDATE, 5, 1),
        (Kind.SETTINGS, 5, 0),
        (Kind.SETTINGS, 7, 0),
    ],
)
def test_wrong_lengths(kind: int, length: int, stream_id: int) -> None:
    """RFC 9113 section 6: types of a fixed length have that length."""
    assert code(frame(kind, b"\1" * length, 0, stream_id)) == FRAME_SIZE_ERROR


def test_an_acknowledgement_with_content() -> None:
    """H2-09: SETTINGS with ACK and a payload is a FRAME_SIZE_ERROR."""
    assert code(frame(Kind.SETTINGS, b"\0" * 6, ACK)) == FRAME_SIZE_ERROR


@pytest.mark.parametrize("kind", [Kind.DATA, Kind.HEADERS, Kind.PRIORITY, Kind.RST_STREAM])
def test_on_no_stream(kind: int) -> None:
    """RFC 9113 section 6: what belongs to a stream names one."""
    assert code(frame(kind, b"\0" * {Kind.PRIORITY: 5, Kind.RST_STREAM: 4}.get(kind, 1))) == PROTOCOL_ERROR


@pytest.mark.parametrize(("kind", "length"), [(Kind.SETTINGS, 0), (Kind.PING, 8), (Kind.GOAWAY, 8)])
def test_on_a_stream(kind: int, length: int) -> None:
    """RFC 9113 section 6: what belongs to the connection names no stream."""
    assert code(frame(kind, b"\0" * length, 0, 1)) == PROTOCOL_ERROR


def test_push_promise() -> None:
    """RFC 9113 section 8.4: clients promise nothing."""
    assert code(frame(Kind.PUSH_PROMISE, b"\0" * 8, END_HEADERS, 1)) == PROTOCOL_ERROR


@pytest.mark.parametrize(
    "between", [ping(), data(1, b"x"), headers(b"x"), headers(b"x", stream_id=3), frame(0xBE), continuation(b"", 0, 3)]
)
def test_within_a_header_block(between: bytes) -> None:
    """RFC 9113 section 6.10: nothing stands within a header block, not even what would be ignored."""
    assert code(headers(b"x", 0) + between) == PROTOCOL_ERROR


def test_continuation_of_nothing() -> None:
    """RFC 9113 section 6.10: CONTINUATION follows a header block that has not ended."""
    assert code(continuation(b"x", END_HEADERS)) == PROTOCOL_ERROR
    assert code(headers(b"x") + continuation(b"x", END_HEADERS)) == PROTOCOL_ERROR


def test_continuations() -> None:
    """A-16: more than max_continuations end the connection; as many do not."""
    many = b"".join(continuation(b"x") for _ in range(7))
    assert read(reader(), headers(b"x", 0) + many + continuation(b"x", END_HEADERS))[0].payload == b"x" * 9
    assert code(headers(b"x", 0) + many + continuation(b"x") + continuation(b"x")) == ENHANCE_YOUR_CALM


def test_large_blocks() -> None:
    """A-16: a header block that is larger than allowed is refused by the head of the frame that makes it so."""
    assert code(headers(b"x" * 90, 0) + continuation(b"x" * 11)[:9], made=reader(max_block=100)) == ENHANCE_YOUR_CALM
    assert len(read(reader(max_block=100), headers(b"x" * 90, 0) + continuation(b"x" * 10, END_HEADERS))) == 1


def test_empty_frames() -> None:
    """A-20: more than max_empty_frames in a row end the connection; one with something in it begins the row anew."""
    row = data(1) * 10
    assert len(read(reader(), row + data(1, b"x") + row + data(1, end=True) + row)) == 32
    assert code(row + data(1)) == ENHANCE_YOUR_CALM
    padded = frame(Kind.DATA, b"\x02\0\0", 0x8, 1)
    assert code(padded * 11) == ENHANCE_YOUR_CALM
    assert (
        code(headers(b"", 0) + continuation(b"") * 10, made=reader(Http2Limits(max_continuations=99)))
        == ENHANCE_YOUR_CALM
    )


def test_settings_entries() -> None:
    """A-18: SETTINGS with more entries than anybody needs are refused by their head."""
    assert len(read(reader(), settings(dict.fromkeys(range(100, 132), 1)))) == 1
    assert code(settings(dict.fromkeys(range(100, 133), 1))[:9]) == ENHANCE_YOUR_CALM


def test_control_frames() -> None:
    """A-18: a flood of PING, or of SETTINGS, ends the connection."""
    for one in (ping(), settings(), settings({3: 4}), ping(flags=ACK)):
        assert len(read(reader(), one * 999)) == 999
        assert code(one * 1000) == ENHANCE_YOUR_CALM


def test_glitches() -> None:
    """A-19: a flood of PRIORITY, of unknown types, or of empty frames between others ends the connection."""
    priority = frame(Kind.PRIORITY, b"\0\0\0\0\1", 0, 1)
    for one in (priority, frame(0xBE), data(1) + data(1, b"x")):
        read(reader(), one * 10_000)
        assert code(one * 10_001) == ENHANCE_YOUR_CALM


def test_padding() -> None:
    """RFC 9113 section 6.2: padding and priority are taken off, and what exceeds the frame is refused."""
    padded = headers(b"\x03\0\0\0\5\7block\0\0\0", END_HEADERS | 0x28)
    assert read(reader(), padded)[0].payload == b"block"
    assert read(reader(), headers(b"\x01\0", END_HEADERS | 0x8))[0].payload == b""
    assert code(headers(b"\x06block", END_HEADERS | 0x8)) == PROTOCOL_ERROR
    assert code(headers(b"", END_HEADERS | 0x8)) == FRAME_SIZE_ERROR  # section 4.2: not even the padding's length
    assert code(headers(b"\0\0\0", END_HEADERS | 0x20)) == PROTOCOL_ERROR


def test_depending_on_itself() -> None:
    """RFC 7540 section 5.3.1: a stream that depends on itself is an error, all else about priorities is ignored."""
    assert code(frame(Kind.PRIORITY, b"\x80\0\0\3\1", 0, 3)) == PROTOCOL_ERROR
    assert code(headers(b"\0\0\0\1\1block", END_HEADERS | 0x20)) == PROTOCOL_ERROR


def test_head_begun() -> None:
    """A header block, or the start of its frame, is known to be on its way."""
    made = reader()
    assert not made.head_begun
    read(made, headers(b"block", 0)[:6])
    assert made.head_begun
    read(made, headers(b"block", 0)[6:])
    assert made.head_begun
    read(made, continuation(b"", END_HEADERS))
    assert not made.head_begun
    read(made, data(1, b"some")[:-1])
    assert not made.head_begun


def test_reserved_bit() -> None:
    """RFC 9113 section 4.1: the reserved bit of a stream identifier is ignored."""
    raw = bytearray(data(1, b"x"))
    raw[5] |= 0x80
    assert read(reader(), bytes(raw))[0].stream_id == 1


def test_goaway() -> None:
    """RFC 9113 section 6.8: last stream, then the code."""
    assert goaway(5, 11) == b"\0\0\x08\x07\0\0\0\0\0\0\0\0\5\0\0\0\x0b"


def test_flags_of_a_block() -> None:
    """Whether a request ends with its head is told by HEADERS, not by the CONTINUATION that ends the block."""
    (found,) = read(reader(), headers(b"x", END) + continuation(b"", END_HEADERS))
    assert found.flags & END
