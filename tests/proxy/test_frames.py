"""Where one frame ends and the next begins, however the bytes are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.protocols.websocket.support import frame
from upgradegw.proxy.frames import Frames, close_frame
from upgradegw.testing.frames import BINARY, CLOSE, PING, TEXT

NO_MASK = b""

#: Frames of all three forms of length, masked and not.
FRAMES = {
    "empty": frame(TEXT, b"", mask=NO_MASK),
    "short": frame(TEXT, b"hello", mask=NO_MASK),
    "masked": frame(TEXT, b"hello", mask=b"abcd"),
    "longest short": frame(BINARY, b"x" * 125, mask=NO_MASK),
    "extended": frame(BINARY, b"x" * 126, mask=b"abcd"),
    "longest extended": frame(BINARY, b"x" * 65_535, mask=NO_MASK),
    "long": frame(BINARY, b"x" * 65_536, mask=b"abcd"),
    "ping": frame(PING, b"?", mask=NO_MASK),
}


def _ends(data: bytes, cuts: list[int]) -> list[bool]:
    frames = Frames()
    found = []
    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        frames.feed(data[start:end])
        found.append(frames.at_boundary)
    return found


@pytest.mark.parametrize("name", FRAMES)
def test_every_cut_of_a_frame(name: str) -> None:
    """Between two frames is a boundary, and nowhere else."""
    both = FRAMES["short"] + FRAMES[name] + FRAMES["masked"]
    first, second = len(FRAMES["short"]), len(FRAMES["short"]) + len(FRAMES[name])
    for cut in {*range(1, min(first + 16, len(both))), *range(second - 4, len(both))}:
        assert _ends(both, [cut]) == [cut in {first, second}, True], cut


@given(st.lists(st.sampled_from(sorted(FRAMES)), max_size=6), st.data())
def test_any_cuts_of_any_frames(names: list[str], data: st.DataObject) -> None:
    """How the bytes are cut is of no importance, and the place of each boundary is known."""
    pieces = [FRAMES[name] for name in names]
    whole = b"".join(pieces)
    boundaries = {sum(map(len, pieces[:number])) for number in range(len(pieces) + 1)}
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    assert _ends(whole, cuts) == [cut in boundaries for cut in [*cuts, len(whole)]]
    cut = data.draw(st.integers(0, len(whole)))
    frames = Frames()
    frames.feed(whole[:cut])
    following = min(each for each in boundaries if each >= cut)
    rest = whole[cut:]
    split = data.draw(st.integers(0, len(rest)))
    if cut in boundaries:
        assert frames.at_boundary
        return
    found = frames.next_boundary(rest[:split])
    if found is None:
        assert split < following - cut
        found = frames.next_boundary(rest[split:])
        assert found is not None
        found += split
    assert found == following - cut
    assert frames.at_boundary


@pytest.mark.parametrize("mask", [NO_MASK, b"\x01\x02\x03\x04"])
def test_the_code_of_a_close(mask: bytes) -> None:
    """The code is read, masked or not, also where the header and the code come byte by byte."""
    close = frame(CLOSE, b"\x03\xf1bye", mask=mask)
    whole = Frames()
    whole.feed(FRAMES["short"] + close)
    assert whole.close_code == 1009
    slow = Frames()
    for number in range(len(close)):
        assert slow.close_code is None or number >= len(close) - 3
        slow.feed(close[number : number + 1])
    assert (slow.close_code, slow.at_boundary) == (1009, True)


def test_a_close_without_a_code() -> None:
    """RFC 6455 section 7.1.5: none is 1005; before any Close there is none at all."""
    frames = Frames()
    frames.feed(FRAMES["short"])
    assert frames.close_code is None
    frames.feed(frame(CLOSE, b"", mask=b"abcd"))
    assert (frames.close_code, frames.at_boundary) == (1005, True)


def test_only_the_first_close_counts() -> None:
    """Behind a Close there are no frames (RFC 6455 section 5.5.1)."""
    frames = Frames()
    frames.feed(frame(CLOSE, b"\x03\xe8") + frame(CLOSE, b"\x03\xf1"))
    assert frames.close_code == 1000


def test_a_length_beyond_all_bounds() -> None:
    """A frame that claims more than there can be costs nothing but its own end."""
    frames = Frames()
    frames.feed(b"\x82\x7f" + b"\xff" * 8)
    for _ in range(3):
        frames.feed(b"x" * 100_000)
    assert not frames.at_boundary
    assert frames.next_boundary(b"y") is None


def test_our_close() -> None:
    """A Close of ours is as RFC 6455 section 5.5.1 has it; one in a client's name is masked anew each time."""
    assert close_frame(1001, masked=False) == frame(CLOSE, b"\x03\xe9", mask=NO_MASK)
    masked = close_frame(1001, masked=True)
    assert masked == frame(CLOSE, b"\x03\xe9", mask=masked[2:6])
    assert masked != close_frame(1001, masked=True)
