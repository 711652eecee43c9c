"""WebSocket frames as a client writes and reads them (RFC 6455 section 5); no compression."""

from __future__ import annotations

from dataclasses import dataclass

from upgradegw.testing.responses import Violation

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10

#: The mask of every frame of the client's. Real clients take a new one each time (section 5.3); a test can be read.
_MASK = b"\x37\xfa\x21\x3d"

_FIN, _RSV, _OPCODE, _MASKED, _LENGTH = 0x80, 0x70, 0x0F, 0x80, 0x7F
_IN_2_BYTES, _IN_8_BYTES = 126, 127
_SMALL = 125


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame.

    Attributes:
        opcode: What it is.
        content: Its content, unmasked.
        fin: Whether its message ends with it.
    """

    opcode: int
    content: bytes = b""
    fin: bool = True


def encode(frame: Frame) -> bytes:
    """Write a frame as a client does, masked.

    Args:
        frame: The frame.
    """
    size = len(frame.content)
    first = bytes([(_FIN if frame.fin else 0) | frame.opcode])
    if size <= _SMALL:
        length = bytes([_MASKED | size])
    elif size < 1 << 16:
        length = bytes([_MASKED | _IN_2_BYTES]) + size.to_bytes(2, "big")
    else:
        length = bytes([_MASKED | _IN_8_BYTES]) + size.to_bytes(8, "big")
    mask = (_MASK * (size // 4 + 1))[:size]
    masked = int.from_bytes(frame.content, "big") ^ int.from_bytes(mask, "big")
    return first + length + _MASK + masked.to_bytes(size, "big")


class FrameReader:
    """Cuts bytes from a server into frames, and objects to what a server must not send."""

    def __init__(self) -> None:
        """Have nothing."""
        self._in = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes and return the frames that are complete.

        Args:
            data: The bytes.

        Raises:
            Violation: A frame is against RFC 6455 section 5.
        """
        self._in += data
        frames = []
        while (frame := self._next()) is not None:
            frames.append(frame)
        return frames

    def _next(self) -> Frame | None:
        data = self._in
        if len(data) < 2:  # noqa: PLR2004 - section 5.2: the shortest head
            return None
        first, second = data[0], data[1]
        size, at = second & _LENGTH, 2
        if size >= _IN_2_BYTES:
            at = 4 if size == _IN_2_BYTES else 10
            if len(data) < at:
                return None
            size = self._long(size, int.from_bytes(data[2:at], "big"))
        self._judge(first, second, size)
        if len(data) < at + size:
            return None
        frame = Frame(first & _OPCODE, bytes(data[at : at + size]), bool(first & _FIN))
        del data[: at + size]
        return frame

    @staticmethod
    def _long(kind: int, size: int) -> int:
        if size <= _SMALL or (kind == _IN_8_BYTES and size < 1 << 16):
            raise Violation(f"the length {size} is not in its shortest form (RFC 6455 section 5.2)")
        return size

    @staticmethod
    def _judge(first: int, second: int, size: int) -> None:
        opcode = first & _OPCODE
        if second & _MASKED:
            raise Violation("a server masks no frame (RFC 6455 section 5.1)")
        if first & _RSV:
            raise Violation("a reserved bit is set, and no extension was agreed on (RFC 6455 section 5.2)")
        if opcode not in {CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG}:
            raise Violation(f"there is no opcode {opcode} (RFC 6455 section 5.2)")
        if opcode >= CLOSE and (size > _SMALL or not first & _FIN):
            raise Violation("a control frame is too long or fragmented (RFC 6455 section 5.5)")
