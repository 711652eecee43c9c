"""Short frames that are delivered without their mask, and whatever else comes, as it is."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.protocol import Protocol
from twisted.logger import globalLogPublisher

from tests.reactor.running import Serving, converse
from tests.reactor.talking import connect, read
from upgradegw.reactor import UvReactor
from upgradegw.reactor.reading import library

pytestmark = pytest.mark.skipif(library() is None, reason="nothing is compiled")


class Framed(Protocol):
    """Wants short frames without their mask, but for those that say no."""

    def __init__(self, seen: list[Any]) -> None:
        self.seen = seen

    def dataReceived(self, data: bytes) -> None:
        self.seen.append(data)
        self.answer()

    def answer(self) -> None:
        transport: Any = self.transport
        transport.write(b".")

    def frame(self, first: int, content: bytes) -> bool:
        if content == b"no":
            return False
        if content == b"raise":
            raise ValueError("mine")
        self.seen.append((first, content))
        self.answer()
        return True

    dataReceived.upgradegw_frame = frame  # type: ignore[attr-defined]


def masked(first: int, content: bytes, mask: bytes = b"abcd") -> bytes:
    """A frame of a client."""
    return bytes((first, 0x80 | len(content))) + mask + bytes(a ^ mask[i % 4] for i, a in enumerate(content))


def _frames(reactor: UvReactor, make: Callable[[list[Any]], Any], messages: list[bytes]) -> list[Any]:
    seen: list[Any] = []

    def scenario(port: int) -> None:
        client = connect(port)
        client.sendall(b"begin")
        read(client, 1)
        for message in messages:
            client.sendall(message)
            read(client, 1)

    converse(reactor, Serving(lambda: make(seen)), scenario)
    return seen[1:]


def test_frames_without_their_mask(reactor: UvReactor) -> None:
    """Of every length that is short, with any mask, text and binary."""
    choose = random.Random(3)
    frames = [(choose.choice((0x81, 0x82)), choose.randbytes(size), choose.randbytes(4)) for size in range(126)]
    assert _frames(reactor, Framed, [masked(*each) for each in frames]) == [each[:2] for each in frames]


def test_what_is_no_whole_short_frame(reactor: UvReactor) -> None:
    """It comes as it is: fragments, reserved bits, control frames, longer ones, two at once, parts, other octets."""
    whole = masked(0x82, b"hello")
    pieces = [
        *(masked(first, b"hello") for first in (0x01, 0x02, 0x80, 0x88, 0x89, 0x8A, 0xC1, 0xC2, 0x83)),
        b"\x82\xfe\x00\x7e" + b"mask" + bytes(126),
        b"\x82\xff" + bytes(7) + b"\x05maskhello",
        b"\x82\x05hello", whole + whole, whole[:-1], whole + b"x", whole[:5], whole[:2], b"\x82", b"GET / HTTP/1.1",
        masked(0x82, b"no"),
    ]  # fmt: skip
    assert _frames(reactor, Framed, pieces) == pieces


def test_a_protocol_that_overrides_or_wants_nothing(reactor: UvReactor) -> None:
    """Who puts something else in the place of ``dataReceived`` gets everything."""

    class Overriding(Framed):
        def dataReceived(self, data: bytes) -> None:
            super().dataReceived(data)

    frame = masked(0x82, b"hello")
    assert _frames(reactor, Overriding, [frame, frame]) == [frame, frame]


def test_a_protocol_that_comes_later(reactor: UvReactor) -> None:
    """Whoever has taken over a connection gets the first read as it is, and then what it wants."""
    seen: list[Any] = []

    class Switching(Framed):
        def dataReceived(self, data: bytes) -> None:
            super().dataReceived(data)
            if data == b"switch":
                transport: Any = self.transport
                transport.protocol = Framed(seen)
                transport.protocol.transport = transport

    frame = masked(0x82, b"hello")
    found = _frames(reactor, lambda _: Switching(seen), [frame, b"switch", frame, frame])
    assert (seen[1:], found) == ([frame, b"switch", frame, (0x82, b"hello")], [])


def test_a_frame_that_fails(reactor: UvReactor) -> None:
    """As where everything is delivered as it is: logged, and the end."""
    logged: list[Any] = []
    observer: Any = logged.append
    globalLogPublisher.addObserver(observer)
    try:
        assert _frames(reactor, Framed, [masked(0x82, b"raise")]) == []
    finally:
        globalLogPublisher.removeObserver(observer)
    assert [event["log_failure"].value.args for event in logged if "log_failure" in event] == [("mine",)]
