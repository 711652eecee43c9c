"""A message as one frame."""

from __future__ import annotations

import pytest

from tests.protocols.websocket.support import read_frames
from upgradegw.protocols.websocket.framing import BINARY, COMPRESSED, FIN, HEADS, TEXT, message_frame


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
@pytest.mark.parametrize("octet", HEADS)
def test_lengths(size: int, octet: int) -> None:
    """RFC 6455 section 5.2: the length stands in one, three or nine octets, in as few as it takes."""
    encoded = message_frame(bytes(size), octet)
    assert read_frames(encoded) == [(octet & 0x7F, bytes(size))]
    assert len(encoded) == size + (2 if size < 126 else 4 if size < 65_536 else 10)
    assert encoded[1] & 0x80 == 0


def test_octets() -> None:
    """Text and binary, compressed or not; all of them whole messages."""
    assert sorted(HEADS) == sorted(FIN | kind | bit for kind in (TEXT, BINARY) for bit in (0, COMPRESSED))
