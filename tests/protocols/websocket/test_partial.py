"""A frame that comes in pieces."""

from __future__ import annotations

from itertools import product

import pytest
from autobahn.websocket.utf8validator import Utf8Validator
from hypothesis import given
from hypothesis import strategies as st

from tests.protocols.websocket.support import BINARY, TEXT, frame
from upgradegw.protocols.websocket.partial import PartialFrame


def partial(opcode: int, content: bytes, *, text: bool = False) -> tuple[PartialFrame, bytes]:
    """Return the beginning of a frame, and what is to come."""
    encoded = frame(opcode, content)
    return PartialFrame(encoded[: len(encoded) - len(content)], len(content), text=text), encoded[-len(content) :]


@given(st.binary(min_size=1, max_size=30), st.lists(st.integers(0, 9), max_size=40))
def test_pieces(content: bytes, sizes: list[int]) -> None:
    """Whatever the pieces, the content is theirs, and whoever begins anew gets the frame as it came."""
    begun, rest = partial(BINARY, content)
    at = 0
    for size in (*sizes, len(content)):
        assert begun.add(rest[at : at + min(size, begun.missing)])
        at = begun.received
        assert begun.received + begun.missing == len(content)
        assert begun.as_received() == frame(BINARY, content)[: -begun.missing or None]
    assert begun.content() == content
    assert begun.first == 0x80 | BINARY


#: Octets at which UTF-8 decides something (RFC 3629 section 4).
OCTETS = (
    0x41,
    0x7F,
    0x80,
    0x8F,
    0x90,
    0x9F,
    0xA0,
    0xBF,
    0xC0,
    0xC2,
    0xDF,
    0xE0,
    0xE1,
    0xED,
    0xEF,
    0xF0,
    0xF1,
    0xF4,
    0xF5,
)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_first_wrong_octet(size: int) -> None:
    """WS-17: text that is wrong is found with the octet that makes it so, as Autobahn's validator finds it."""
    for octets in product(OCTETS, repeat=size):
        begun, rest = partial(TEXT, bytes(octets) + b"....", text=True)
        validator = Utf8Validator()
        for at in range(size):
            valid = validator.validate(bytes(octets[at : at + 1]))[0]
            assert begun.add(rest[at : at + 1]) == valid, octets
            if not valid:
                break


def test_the_last_octet_is_missing() -> None:
    """Text must not end within a character."""
    begun, rest = partial(TEXT, "é".encode()[:1], text=True)
    assert not begun.add(rest)
    begun, rest = partial(TEXT, "aé€".encode(), text=True)
    assert all(begun.add(rest[at : at + 1]) for at in range(len(rest)))
