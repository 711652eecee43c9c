"""The codec of WebSocket frames, on the client's side."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upgradegw.testing import Violation
from upgradegw.testing.frames import TEXT, Frame, FrameReader, encode


def as_server(data: bytes) -> bytes:
    """Take the mask off a frame."""
    length = data[1] & 0x7F
    at = {126: 4, 127: 10}.get(length, 2)
    mask, content = data[at : at + 4], data[at + 4 :]
    unmasked = bytes(byte ^ mask[number % 4] for number, byte in enumerate(content))
    return data[:1] + bytes([length]) + data[2:at] + unmasked


@given(
    st.lists(
        st.builds(Frame, st.sampled_from([0, 1, 2]), st.binary(max_size=300), st.booleans())
        | st.builds(Frame, st.sampled_from([8, 9, 10]), st.binary(max_size=125))
    ),
    st.integers(min_value=1, max_value=40),
)
def test_frames_come_out_as_they_went_in(frames: list[Frame], size: int) -> None:
    """RFC 6455 section 5.2: whatever the pieces in which they arrive."""
    data = b"".join(as_server(encode(frame)) for frame in frames)
    reader = FrameReader()
    found = [frame for at in range(0, len(data), size) for frame in reader.feed(data[at : at + size])]
    assert found == frames


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536, 100_000])
def test_lengths(size: int) -> None:
    """RFC 6455 section 5.2: each length in its shortest form."""
    data = encode(Frame(TEXT, b"x" * size))
    assert len(data) == 2 + (0 if size < 126 else 2 if size < 65536 else 8) + 4 + size
    assert FrameReader().feed(as_server(data)) == [Frame(TEXT, b"x" * size)]


@pytest.mark.parametrize("size", [5, 300, 66_000])
def test_byte_by_byte(size: int) -> None:
    """A frame is there with its last byte."""
    data, reader = as_server(encode(Frame(TEXT, b"x" * size))), FrameReader()
    assert [reader.feed(data[at : at + 1]) for at in range(len(data) - 1)] == [[]] * (len(data) - 1)
    assert reader.feed(data[-1:]) == [Frame(TEXT, b"x" * size)]


def test_frames_are_masked() -> None:
    """WS-15: a client masks (RFC 6455 section 5.3)."""
    assert encode(Frame(TEXT, b"Hello")) == bytes.fromhex("818537fa213d7f9f4d5158")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x81\x83", "masks"),
        (b"\xc1\x03", "reserved bit"),
        (b"\x83\x00", "no opcode 3"),
        (b"\x8b\x00", "no opcode 11"),
        (b"\x09\x00", "fragmented"),
        (b"\x89\x7e\x00\x7e", "too long"),
        (b"\x81\x7e\x00\x7d", "shortest"),
        (b"\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff", "shortest"),
    ],
)
def test_what_no_server_may_send(data: bytes, why: str) -> None:
    """RFC 6455 sections 5.1, 5.2 and 5.5: noticed with the frame's head."""
    reader = FrameReader()
    assert reader.feed(data[:1]) == []
    with pytest.raises(Violation, match=why):
        reader.feed(data[1:])
