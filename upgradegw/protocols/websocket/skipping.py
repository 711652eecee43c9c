"""Skipping frames until the client's Close, behind a Close frame of our own that ended the conversation.

After a connection has failed no more data is interpreted (RFC 6455 section 7.1.7), and nothing is kept; but the
client's Close still says that it has read ours, so that the connection can be closed without losing that.
"""

from __future__ import annotations

_CLOSE = 8
_MAX_CONTROL = 125  # RFC 6455 section 5.5
_MAX_HEADER = 14  # two bytes, eight of length, four of mask


class FrameSkipper:
    """Reads frame headers only; holds no more than one header and the content of one control frame."""

    __slots__ = ("_buffer", "_lost", "_skip")

    def __init__(self, skip: int) -> None:
        """Start within a stream of frames.

        Args:
            skip: How many bytes of the present frame are still to come.
        """
        self._skip = skip
        self._buffer = b""
        self._lost = False

    def feed(self, data: bytes) -> bytes | None:
        """Take bytes; return the unmasked content of a Close frame as soon as one is complete."""
        if self._lost:
            return None
        if self._skip >= len(data):
            self._skip -= len(data)
            return None
        buffer = self._buffer + data[self._skip :]
        self._skip = 0
        at = 0
        while True:
            header = _header(buffer[at : at + _MAX_HEADER])
            if header is None:
                break
            opcode, size, length, mask = header
            at += size
            if opcode == _CLOSE:
                if length > _MAX_CONTROL:
                    return b""
                if len(buffer) < at + length:
                    at -= size
                    break
                return _unmask(buffer[at : at + length], mask)
            if length >> 63:
                self._lost = True
                return None
            at += length
        self._skip = max(0, at - len(buffer))
        self._buffer = buffer[at:]
        return None


def _header(data: bytes) -> tuple[int, int, int, bytes] | None:
    """Read opcode, size of the header, length of the content and mask, or None if the header is incomplete."""
    if len(data) < 2:  # noqa: PLR2004 - RFC 6455 section 5.2: the shortest header
        return None
    length = data[1] & 0x7F
    extended = {126: 2, 127: 8}.get(length, 0)
    masked = 4 if data[1] & 0x80 else 0
    size = 2 + extended + masked
    if len(data) < size:
        return None
    if extended:
        length = int.from_bytes(data[2 : 2 + extended], "big")
    return data[0] & 0x0F, size, length, data[size - masked : size]


def _unmask(content: bytes, mask: bytes) -> bytes:
    return bytes(byte ^ mask[i % 4] for i, byte in enumerate(content)) if mask else content
