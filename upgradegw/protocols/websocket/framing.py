"""A message as one frame, as a server sends it: unmasked (RFC 6455 sections 5.1 and 5.2)."""

from __future__ import annotations

FIN, COMPRESSED = 0x80, 0x40
TEXT, BINARY = 1, 2

#: The lengths that stand in one byte, and in two more.
SHORT, MIDDLE = 126, 1 << 16

#: The heads of short messages, by first octet and size: most messages are short, and there are few such heads.
HEADS = {
    octet: tuple(bytes((octet, size)) for size in range(SHORT))
    for octet in (FIN | TEXT, FIN | BINARY, FIN | COMPRESSED | TEXT, FIN | COMPRESSED | BINARY)
}


def message_frame(content: bytes, first_octet: int) -> bytes:
    """Return a message as one frame.

    Args:
        content: The message, compressed if the first octet says so.
        first_octet: One of those in ``HEADS``.
    """
    size = len(content)
    if size < SHORT:
        return HEADS[first_octet][size] + content
    if size < MIDDLE:
        return bytes((first_octet, 126, size >> 8, size & 0xFF)) + content
    return bytes((first_octet, 127)) + size.to_bytes(8, "big") + content
