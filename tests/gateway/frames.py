"""WebSocket as both ends of the tests speak it: the key, and frames of up to 65,535 bytes."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from tests.gateway.wire import Wire

#: The key of RFC 6455 section 1.3, and what a handshake has besides Upgrade.
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
FIELDS = ("Connection: Upgrade", "Upgrade: websocket", f"Sec-WebSocket-Key: {KEY}", "Sec-WebSocket-Version: 13")

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def accept_for(key: str) -> str:
    """Return the Sec-WebSocket-Accept that a key asks for (RFC 6455 section 4.2.2)."""
    digest = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
    return base64.b64encode(digest).decode()


@dataclass(frozen=True)
class Frame:
    """A frame that has come.

    Attributes:
        opcode: What it is.
        data: Its data, unmasked.
        masked: Whether it was masked, as a client's must be.
        final: Whether it is a message's last.
    """

    opcode: int
    data: bytes
    masked: bool
    final: bool = True

    @property
    def code(self) -> int | None:
        """The code of a Close, None if there is none."""
        return int.from_bytes(self.data[:2], "big") if self.opcode == CLOSE and len(self.data) > 1 else None


def frame(opcode: int, data: bytes, *, masked: bool = False) -> bytes:
    """Return a frame, masked if a client sends it."""
    mask = bytes([0x80 * masked])[0]
    if len(data) < 126:
        head = bytes([0x80 | opcode, mask | len(data)])
    else:
        head = bytes([0x80 | opcode, mask | 126]) + len(data).to_bytes(2, "big")
    return head + (b"\x01\x02\x03\x04" + _mask(data, b"\x01\x02\x03\x04") if masked else data)


def _mask(data: bytes, mask: bytes) -> bytes:
    return bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))


def read(wire: Wire) -> Frame | None:
    """Return the next frame, None if no whole one comes."""
    head = wire.take(2)
    if len(head) < 2:
        return None
    length, masked = head[1] & 0x7F, bool(head[1] & 0x80)
    if length > 125:
        length = int.from_bytes(wire.take({126: 2, 127: 8}[length]), "big")
    mask = wire.take(4) if masked else b"\0\0\0\0"
    data = wire.take(length)
    if len(data) < length or len(mask) < 4:
        return None
    return Frame(head[0] & 15, _mask(data, mask), masked, final=bool(head[0] & 0x80))
