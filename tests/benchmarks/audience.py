"""Many WebSocket clients in one process: readers that check every message, and some that do not read until told to.

Run by ``broadcast.py``. A message begins with its number, eight digits. On standard output: ``open`` when all
connections are open, a number when every reader has all messages up to it, and ``slow ORDER CODE`` for each slow client
that was told to read: whether its messages came in order, and the code of the Close behind them.
"""

from __future__ import annotations

import resource
import select
import socket
import sys
import zlib
from collections.abc import Iterator

_REQUEST = (
    b"GET / HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n"
)
_DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n"

#: The receive buffer of a slow client, so that what it does not read stays with the server.
_SMALL = 4096

#: Bytes read at a time.
_READ = 1 << 18


def raise_limit(files: int) -> None:
    """Allow this process so many open files.

    Raises:
        ValueError: The system does not allow it.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, max(files, hard)))


def say(*words: object) -> None:
    """Write a line for ``broadcast.py``."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def frames(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Yield opcode with its flags, content and end of each complete frame of a server's (RFC 6455 section 5.2)."""
    at = 0
    while len(data) - at >= 2:
        size, start = data[at + 1], at + 2
        if size >= 126:
            start += 2 if size == 126 else 8
            if len(data) < start:
                return
            size = int.from_bytes(data[at + 2 : start], "big")
        if len(data) < start + size:
            return
        yield data[at], data[start : start + size], start + size
        at = start + size


class Listener:
    """One connection."""

    def __init__(self, port: int, deflate: bool, slow: bool) -> None:
        self.socket = socket.socket()
        if slow:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(_REQUEST % (_DEFLATE if deflate else b""))
        self.number = 0
        self.in_order = True
        self.code: int | None = None
        self._rest = b""

    def open(self) -> None:
        """Wait for the 101."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.socket.recv(4096)
        assert head.startswith(b"HTTP/1.1 101 "), head

    def take(self, data: bytes) -> None:
        """Look at what has come."""
        data = self._rest + data
        at = 0
        for flags, content, end in frames(data):
            at = end
            if flags & 0x0F == 8:
                self.code = int.from_bytes(content[:2], "big")
                continue
            message = zlib.decompressobj(-15).decompress(content + b"\0\0\xff\xff") if flags & 0x40 else content
            self.in_order = self.in_order and int(message[:8]) == self.number and self.code is None
            self.number += 1
        self._rest = data[at:]


class Audience:
    """All of them."""

    def __init__(self, port: int, readers: int, slow: int, deflate: bool) -> None:
        self.slow = [Listener(port, deflate, slow=True) for _ in range(slow)]
        self.readers = [Listener(port, deflate, slow=False) for _ in range(readers)]
        for listener in (*self.slow, *self.readers):
            listener.open()
        self._by_number = {listener.socket.fileno(): listener for listener in self.readers}
        self._behind = len(self.readers)
        self._told = 0
        say("open")

    def run(self) -> None:
        """Read until told to stop."""
        poll = select.epoll()
        poll.register(sys.stdin.fileno(), select.EPOLLIN)
        for number in self._by_number:
            poll.register(number, select.EPOLLIN)
        while True:
            for number, _ in poll.poll():
                if number != sys.stdin.fileno():
                    self._read(self._by_number[number])
                elif sys.stdin.readline() == "read\n":
                    self._read_slow()
                else:
                    return

    def _read(self, listener: Listener) -> None:
        before = listener.number
        data = listener.socket.recv(_READ)
        assert data, "a reader was closed"
        listener.take(data)
        assert listener.in_order, "a message is missing"
        assert listener.code is None, f"a reader was closed with {listener.code}"
        if before <= self._told < listener.number:
            self._behind -= 1
            if self._behind == 0:
                self._tell()

    def _tell(self) -> None:
        """Say what all have; those that have no more than that are the ones to wait for."""
        self._told = min(listener.number for listener in self.readers)
        self._behind = sum(listener.number == self._told for listener in self.readers)
        say(self._told)

    def _read_slow(self) -> None:
        for listener in self.slow:
            while listener.code is None:
                data = listener.socket.recv(_READ)
                if not data:
                    break
                listener.take(data)
            listener.socket.sendall(b"\x88\x82\0\0\0\0\x03\xf0")
            say("slow", listener.in_order, listener.code)


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    raise_limit(arguments[1] + arguments[2] + 100)
    Audience(*arguments[:3], deflate=bool(arguments[3])).run()
