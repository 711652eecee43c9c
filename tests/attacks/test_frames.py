"""Frames that no client may send, text that is none, and floods of small ones."""

from __future__ import annotations

import sys
import tracemalloc

import pytest

from tests.attacks.conftest import Serve
from tests.protocols.websocket.support import BINARY, CLOSE, PING, PONG, TEXT, frame

VIOLATIONS = {
    "no mask": frame(TEXT, b"x", mask=b""),
    "no mask, ping": frame(PING, b"x", mask=b""),
    "RSV1 without an extension": frame(TEXT, b"x", rsv=4),
    "RSV2": frame(TEXT, b"x", rsv=2),
    "RSV3 in a ping": frame(PING, rsv=1),
    "opcode 3": frame(3, b"x"),
    "opcode 11": frame(11, b"x"),
    "16-bit length for 125 bytes": b"\x81\xfe\x00\x7d" + bytes(129),
    "64-bit length for 65,535 bytes": b"\x82\xff" + (65535).to_bytes(8, "big") + bytes(4),
    "highest bit of the length": b"\x82\xff\x80" + bytes(11),
    "long ping": b"\x89\xfe\x00\x7e" + bytes(130),
    "fragmented ping": frame(PING, b"x", fin=False),
    "continuation of nothing": frame(0, b"x"),
    "new message within one": frame(TEXT, b"x", fin=False) + frame(TEXT, b"y"),
    "Close of one byte": frame(CLOSE, b"x"),
    "Close 1005": frame(CLOSE, (1005).to_bytes(2, "big")),
    "Close 999": frame(CLOSE, (999).to_bytes(2, "big")),
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_violation(anywhere: Serve, name: str) -> None:
    """A-29: Close 1002, then the end; what comes behind is not looked at, and other connections go on."""
    place = anywhere()
    other = place.open_websocket()
    hidden = VIOLATIONS[name] + frame(TEXT, b"hidden", mask=bytes(4))
    for segments in ((hidden,), [bytes([byte]) for byte in hidden]):
        client = place.open_websocket()
        client.send(*segments)
        if name.startswith("Close"):
            place.until(lambda client=client: client.closed)
            assert client.close_code == 1002
        else:
            client.failed(1002)
        assert b"hidden" not in client.received
        assert len(place.root.chats[-1].seen) == 2  # opened and closed
    assert other.echoes()


@pytest.mark.parametrize("opcode", [PING, PONG])
def test_flood_of_control_frames(anywhere: Serve, opcode: int) -> None:
    """A-29: more than a hundred control frames in a second: 1008; a hundred each second are answered."""
    place = anywhere()
    client = place.open_websocket()
    for _ in range(3):
        client.send(frame(opcode, b"x") * 100)
        place.advance(1)
    assert client.close_code is None
    client.send(frame(opcode, b"x") * 150)
    client.failed(1008)


def test_flood_without_reading(anywhere: Serve) -> None:
    """A-29: who does not read the answers may not ask on: reading stops, and memory does not grow."""
    place = anywhere()
    client = place.open_websocket()
    client.reads = False
    segment = frame(BINARY, bytes(50_000)) * 5
    client.send(segment)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(200):
        client.send(segment)
    growth = tracemalloc.get_traced_memory()[0] - before - sys.getsizeof(client._out)
    tracemalloc.stop()
    assert client.unsent > 1 << 20
    noted = sum(map(len, place.root.chats[0].seen))  # by the test's own protocol
    assert growth < noted + (2 << 20)


def test_message_beyond_the_limit(anywhere: Serve) -> None:
    """A-29: a frame that only announces too much is refused by its header: 1009; so is a sum of fragments."""
    place = anywhere()
    client = place.open_websocket()
    client.send(b"\x82\xff" + (1 << 40).to_bytes(8, "big") + bytes(4))
    place.until(lambda: client.close_code is not None)
    assert client.close_code == 1009
    client = place.open_websocket()
    part = bytes(300_000)
    client.send(frame(BINARY, part, fin=False), *[frame(0, part, fin=False)] * 3)
    client.failed(1009)
    exact = place.open_websocket()
    exact.send(frame(BINARY, bytes(1 << 20)))
    place.until(lambda: len(exact.received) > 1 << 20)


#: Text that is no UTF-8: overlong, surrogate, beyond U+10FFFF, truncated, lone continuation.
NO_TEXT = [b"\xc0\xaf", b"\xe0\x80\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80", b"ok\xff", b"\xe2\x82"]


@pytest.mark.parametrize("text", NO_TEXT)
def test_no_text(anywhere: Serve, text: bytes) -> None:
    """A-30: 1007, in one frame, split between frames, or in the reason of a Close; nothing reaches the application."""
    place = anywhere()
    fragments = [frame(TEXT, b"valid ", fin=False), *(frame(0, bytes([byte]), fin=False) for byte in text), frame(0)]
    for segments in ([frame(TEXT, text)], fragments, [b"".join(fragments)]):
        client = place.open_websocket()
        client.send(*segments)
        client.failed(1007)
    client = place.open_websocket()
    client.send(frame(CLOSE, (1000).to_bytes(2, "big") + text))
    place.until(lambda: client.closed)
    assert client.close_code in (1002, 1007)
    assert all(len(protocol.seen) == 2 for protocol in place.root.chats)
