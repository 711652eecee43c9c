"""The upstream of the soak, and the frames that both of its ends speak: it echoes messages, and raw bytes.

``python tests/gateway/soaking.py PORT`` serves until it is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from base64 import b64encode
from hashlib import sha1

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
BINARY, CLOSE = 2, 8
_SMALL, _MIDDLE = 126, 1 << 16


def frame(opcode: int, content: bytes, mask: bytes = b"") -> bytes:
    """Return one frame (RFC 6455 section 5.2).

    Args:
        opcode: What it is.
        content: What it holds.
        mask: Four bytes if a client sends it.
    """
    bit, size = 0x80 * bool(mask), len(content)
    if size < _SMALL:
        head = bytes((0x80 | opcode, bit | size))
    elif size < _MIDDLE:
        head = bytes((0x80 | opcode, bit | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, bit | 127)) + size.to_bytes(8, "big")
    return head + mask + (masked(content, mask) if mask else content)


def masked(content: bytes, mask: bytes) -> bytes:
    """Mask, or unmask."""
    size = len(content)
    long = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(content, "big") ^ int.from_bytes(long, "big")).to_bytes(size, "big")


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Return the opcode and content of the next frame.

    Raises:
        IncompleteReadError: The connection ended before it, or within.
    """
    first, second = await reader.readexactly(2)
    size = second & 0x7F
    if size >= _SMALL:
        size = int.from_bytes(await reader.readexactly(2 if size == _SMALL else 8), "big")
    mask = await reader.readexactly(4) if second & 0x80 else b""
    content = await reader.readexactly(size)
    return first & 0x0F, masked(content, mask) if mask else content


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        key = re.search(rb"(?i)\r\nsec-websocket-key: *(\S+)", head)
        if key is None:
            writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n")
            await _echo_bytes(reader, writer)
        else:
            accept = b64encode(sha1(key[1] + _GUID, usedforsecurity=False).digest())
            writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n")
            writer.write(b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
            await _echo_messages(reader, writer)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def _echo_bytes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()


async def _echo_messages(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    opcode = BINARY
    while opcode != CLOSE:
        opcode, content = await read_frame(reader)
        writer.write(frame(opcode, content))
        await writer.drain()


async def _main(port: int) -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", port, backlog=2048)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
