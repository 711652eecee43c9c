"""What only the turn in C has: being there or not, and frames that it and Python follow together."""

from __future__ import annotations

import errno
import gc
import os
import resource
import select
import socket
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import upgradegw.proxy.compiled as module
from tests.proxy.turns import Noting
from upgradegw.proxy.compiled import CompiledTurn, library
from upgradegw.proxy.frames import Frames

needs_library = pytest.mark.skipif(library() is None, reason="nothing is compiled")

_LENGTHS = st.one_of(st.integers(0, 130), st.sampled_from([65535, 65536, 70000]), st.just(1 << 63), st.just(1 << 61))


@st.composite
def _frame(draw: st.DrawFn) -> bytes:
    """A frame, of which too much is left out to fill memory with."""
    first = draw(st.sampled_from([0x82, 0x81, 0x01, 0x80, 0x89, 0xC2, 0x88]))
    size, mask = draw(_LENGTHS), draw(st.booleans())
    longest = draw(st.booleans())  # a length may have more octets than it needs
    if size <= 125 and not longest:
        head = bytes([first, size | mask << 7])
    elif size < 1 << 16 and not longest:
        head = bytes([first, 126 | mask << 7]) + size.to_bytes(2, "big")
    else:
        head = bytes([first, 127 | mask << 7]) + size.to_bytes(8, "big")
    return head + (b"mask" if mask else b"") + b"\x88" * min(size, 1 << 17)


@needs_library
@settings(deadline=None)
@given(st.lists(_frame(), max_size=6), st.lists(st.integers(1, 70000), min_size=1, max_size=12), st.integers(0, 12))
def test_frames_are_followed_as_python_does(frames: list[bytes], sizes: list[int], before: int) -> None:
    """In whatever pieces they come, and whoever has followed the first of them."""
    stream, pieces = b"".join(frames), []
    for size in sizes:
        pieces.append(stream[:size])
        stream = stream[size:]
    expected, found = Frames(), Frames()
    outer, inner = socket.socketpair()
    outlet, taken = socket.socketpair()
    for each in (inner, outlet):
        each.setblocking(False)
    turn = CompiledTurn(1 << 20)
    place = None
    for number, piece in enumerate(pieces):
        expected.feed(piece)
        if number < before:
            found.feed(piece)
        elif piece:
            place = turn.put(inner, outlet, found, Noting()) if place is None else place
            outer.sendall(piece)
            turn.go(1 << 20)
            assert taken.recv(1 << 20) == piece
        if place is not None and number % 3 == 2:
            turn.forget(place)
            place = None
            assert (found.missing, found.close_code) == (expected.missing, expected.close_code)
    if place is not None:
        turn.forget(place)
    assert (found.missing, found.at_boundary, found.close_code) == (
        expected.missing, expected.at_boundary, expected.close_code,
    )  # fmt: skip
    turn.close()
    for each in (outer, inner, outlet, taken):
        each.close()


@needs_library
def test_no_more_descriptors() -> None:
    """A-40: the system's reason is told."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    unused = os.dup(0)
    os.close(unused)
    resource.setrlimit(resource.RLIMIT_NOFILE, (unused, limits[1]))
    try:
        with pytest.raises(OSError) as caught:  # noqa: PT011 - the number is what counts
            CompiledTurn(1000)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert caught.value.errno == errno.EMFILE


@needs_library
@pytest.mark.parametrize("dropped", [False, True])
def test_nothing_is_left_open(dropped: bool) -> None:
    """The descriptor is closed with the turn, or when nobody has it any more."""
    turn = CompiledTurn(1000)
    descriptor = turn.fileno()
    assert os.fstat(descriptor)
    assert not os.get_inheritable(descriptor)
    assert not select.select([descriptor], [], [], 0)[0]
    if dropped:
        del turn
        gc.collect()
    else:
        turn.close()
        turn.close()
    with pytest.raises(OSError):  # noqa: PT011 - that it is closed
        os.fstat(descriptor)


def test_numbers_are_the_same_in_both() -> None:
    """What C tells and Python understands."""
    source = Path(module.__file__).with_name("turn.c").read_text()
    assert "enum told { DONE, UNCOMMON, BROKEN, UNFOLLOWED, UNTAKEN };" in source
    assert (module._UNCOMMON, module._BROKEN, module._UNFOLLOWED) == (1, 2, 3)
    assert f"NO_FRAMES = {module._NO_FRAMES}, ASK = {module._ASK} " in source
    assert sys.maxsize > module._MOST
