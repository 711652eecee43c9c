"""The limits: nothing but frames of 32 bytes or 16 KiB cut in Python. ``python bare.py twisted|uvloop PORT``.

No server that calls Python for each message can be much faster than this one, which only unmasks and echoes: a frame
at a time, and all that one read brings in one write. It checks nothing, and knows no other frame.
"""

from __future__ import annotations

import asyncio
import sys
from base64 import b64encode
from hashlib import sha1
from typing import Any

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_ANSWER = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n"
)


class Bare:
    """What both have in common: bytes in, bytes out."""

    def __init__(self) -> None:
        self._rest = b""
        self._open = False

    def feed(self, data: bytes) -> bytes:
        """Take what was read; return what is to be written."""
        if self._rest:
            data = self._rest + data
        if not self._open:
            return self._answer(data)
        out = []
        at, end = 0, len(data)
        while end - at >= 6:
            size, start = data[at + 1] & 127, at + 6
            head = data[at : at + 1] + bytes((size,))
            if size == 126:
                size, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 8
                head += data[at + 2 : at + 4]
            if end - start < size:
                break
            out.append(head)
            out.append(_unmasked(data[start : start + size], data[start - 4 : start]))
            at = start + size
        self._rest = data[at:]
        return b"".join(out)

    def _answer(self, data: bytes) -> bytes:
        self._rest = data
        if not data.endswith(b"\r\n\r\n"):
            return b""
        self._rest, self._open = b"", True
        key = data.split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0]
        return _ANSWER % b64encode(sha1(key + _GUID, usedforsecurity=False).digest())


def _unmasked(content: bytes, mask: bytes) -> bytes:
    size = len(content)
    wide = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(content, "little") ^ int.from_bytes(wide, "little")).to_bytes(size, "little")


class OnUvloop(Bare, asyncio.Protocol):
    """On uvloop's own transports."""

    def connection_made(self, transport: Any) -> None:
        self._write = transport.write

    def data_received(self, data: bytes) -> None:
        self._write(self.feed(data))


def _on_uvloop(port: int) -> None:
    import uvloop  # type: ignore[import-not-found,import-untyped,unused-ignore]

    async def serve() -> None:
        await asyncio.get_running_loop().create_server(OnUvloop, "127.0.0.1", port, backlog=1000)
        await asyncio.Event().wait()

    uvloop.run(serve())


def _on_twisted(port: int) -> None:
    from twisted.internet import reactor
    from twisted.internet.protocol import Factory, Protocol

    class OnTwisted(Bare, Protocol):
        """On Twisted's default reactor."""

        def dataReceived(self, data: bytes) -> None:
            self.transport.write(self.feed(data))  # type: ignore[union-attr]

    listening: Any = reactor
    listening.listenTCP(port, Factory.forProtocol(OnTwisted), backlog=1000, interface="127.0.0.1")
    listening.run()


if __name__ == "__main__":
    {"uvloop": _on_uvloop, "twisted": _on_twisted}[sys.argv[1]](int(sys.argv[2]))
