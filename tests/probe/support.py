"""Servers that say one thing, on real sockets, and the probe run against them in this process."""

from __future__ import annotations

import contextlib
import io
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.support.process import PATIENCE
from upgradegw.negotiation.websocket import accept_value
from upgradegw.probe.arguments import read
from upgradegw.probe.command import probe
from upgradegw.probe.websocket import CLOSE

__all__ = ["CLOSE_FRAME", "Once", "Probed", "answering", "run", "scripted", "switching"]

#: What a server answers a Close with.
CLOSE_FRAME = bytes([0x80 | CLOSE, 2]) + (1000).to_bytes(2, "big")


@dataclass(frozen=True)
class Probed:
    """What a run of the probe came to."""

    status: int
    printed: str
    error: str

    @property
    def verdict(self) -> str:
        """The last word: the error, or else the last line."""
        return self.error.strip().removeprefix("upgradegw probe: ") or self.printed.splitlines()[-1]


def run(*arguments: str) -> Probed:
    """Run the probe; five seconds are enough for what is on this machine."""
    out, errors = io.StringIO(), io.StringIO()
    status = probe(read(["--timeout", "5", *arguments]), out, errors)
    return Probed(status, out.getvalue(), errors.getvalue())


@contextlib.contextmanager
def scripted(talk: Callable[[socket.socket], None], path: str | None = None) -> Iterator[int]:
    """Run a server for a ``with`` block: one connection after the other, each talked to by a function.

    Args:
        talk: Gets the connection, which is closed behind it.
        path: Listen on a UNIX socket there; else on a TCP port, which is the value.
    """
    server = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
    server.bind(path or ("127.0.0.1", 0))
    server.listen()
    port = 0 if path else server.getsockname()[1]

    def serve() -> None:
        while True:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(PATIENCE)
                if connection.recv(1, socket.MSG_PEEK) == b"!":
                    return
                with contextlib.suppress(OSError):
                    talk(connection)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield port
    finally:
        with socket.socket(socket.AF_UNIX if path else socket.AF_INET) as last:
            last.connect(path or ("127.0.0.1", port))
            last.sendall(b"!")
        thread.join(PATIENCE)
        server.close()


def read_head(connection: socket.socket) -> bytes:
    """Read a request's head."""
    data = b""
    while b"\r\n\r\n" not in data and (more := connection.recv(65536)):
        data += more
    return data


def answering(answer: bytes | Callable[[bytes], bytes], *, wait: bool = False) -> Callable[[socket.socket], None]:
    """Return what reads a request and answers it; ``wait`` keeps the connection open until the client leaves."""

    def talk(connection: socket.socket) -> None:
        head = read_head(connection)
        connection.sendall(answer if isinstance(answer, bytes) else answer(head))
        while wait and connection.recv(65536):
            pass

    return talk


def switching(*lines: bytes, behind: bytes = CLOSE_FRAME) -> Callable[[socket.socket], None]:
    """Return a server that opens a WebSocket rightly, with more lines in its answer, and closes it."""

    def answer(head: bytes) -> bytes:
        key = head.split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0]
        first = b"HTTP/1.1 101 Switching Protocols", b"Upgrade: websocket", b"Connection: Upgrade"
        accept = b"Sec-WebSocket-Accept: " + accept_value(key)
        return b"\r\n".join([*first, accept, *lines, b"", b""]) + behind

    return answering(answer, wait=True)


class Once:
    """A connection whose next read after the head says that it has ended."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._read = connection, False
        self.sendall = connection.sendall

    def recv(self, size: int) -> bytes:
        """Read once."""
        if self._read:
            return b""
        self._read = True
        return self._connection.recv(size)
