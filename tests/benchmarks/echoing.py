"""Both ends of a tunnel that is measured: a WebSocket server that echoes frames of one size, and clients that count.

Neither parses a frame, so that little of the core that they share is spent: a path says how long a message is, and
with it how long are the frames of both sides. ``python tests/benchmarks/echoing.py`` is the server; it prints its port.
"""

from __future__ import annotations

import re
import selectors
import socket
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha1

_BUFFER = bytearray(1 << 18)
_KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_REQUEST = (
    b"GET /%d HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: " + _KEY + b"\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_ANSWER = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n"
)
_SMALL, _MIDDLE = 126, 1 << 16


def frame(size: int, *, masked: bool) -> bytes:
    """Return a binary frame of zeros; masked with zeros, which is as good for who does not look inside.

    Args:
        size: Bytes of the message.
        masked: Whether a client sends it.
    """
    bit = 0x80 if masked else 0
    if size < _SMALL:
        head = bytes((0x82, bit | size))
    elif size < _MIDDLE:
        head = bytes((0x82, bit | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x82, bit | 127)) + size.to_bytes(8, "big")
    return head + bytes(4 * masked) + bytes(size)


class _End:
    """One connection: answers each frame that has come in whole with one that goes out."""

    def __init__(self, connection: socket.socket, selector: selectors.BaseSelector) -> None:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection = connection
        self.frames = 0
        self.head = b""
        self._selector = selector
        self._unsent = memoryview(b"")
        self._incoming = self._missing = 0
        self._outgoing = b""
        selector.register(connection, selectors.EVENT_READ, self)

    def begin(self, incoming: int, outgoing: bytes) -> None:
        """From now on frames come in.

        Args:
            incoming: Bytes of one.
            outgoing: What each is answered with.
        """
        self._incoming = self._missing = incoming
        self._outgoing = outgoing

    def send(self, data: bytes) -> None:
        """Send, now or when there is room."""
        if self._unsent:
            self._unsent = memoryview(bytes(self._unsent) + data)
            return
        try:
            sent = self.connection.send(data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            self._unsent = memoryview(data)[sent:]
            self._selector.modify(self.connection, selectors.EVENT_READ | selectors.EVENT_WRITE, self)

    def writable(self) -> None:
        """There is room."""
        sent = self.connection.send(self._unsent)
        self._unsent = self._unsent[sent:]
        if not self._unsent:
            self._selector.modify(self.connection, selectors.EVENT_READ, self)

    def readable(self) -> bool:
        """Something has come; return whether the connection is still there."""
        size = self.connection.recv_into(_BUFFER)
        if not size:
            self.close()
            return False
        if not self._incoming:
            self.head += _BUFFER[:size]
            return True
        whole = 0
        while size >= self._missing:
            size -= self._missing
            self._missing = self._incoming
            whole += 1
        self._missing -= size
        if whole:
            self.frames += whole
            self.send(self._outgoing * whole)
        return True

    def close(self) -> None:
        """Be gone."""
        self._selector.unregister(self.connection)
        self.connection.close()


def serve() -> None:
    """Echo until killed."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    print(listening.getsockname()[1], flush=True)  # noqa: T201 - whoever starts us waits for it
    selector = selectors.DefaultSelector()
    selector.register(listening, selectors.EVENT_READ)
    while True:
        for key, events in selector.select():
            end = key.data
            if end is None:
                _End(listening.accept()[0], selector)
                continue
            try:
                if events & selectors.EVENT_WRITE:
                    end.writable()
                if events & selectors.EVENT_READ and end.readable() and end.head.endswith(b"\r\n\r\n"):
                    _open(end)
            except ConnectionError:
                end.close()


def _open(end: _End) -> None:
    asked = re.match(rb"GET /(\d+)", end.head)
    key = re.search(rb"(?i)\r\nsec-websocket-key: *(\S+)", end.head)
    assert asked is not None, end.head
    assert key is not None, end.head
    size, end.head = int(asked[1]), b""
    end.begin(len(frame(size, masked=True)), frame(size, masked=False))
    end.send(_ANSWER % b64encode(sha1(key[1] + _GUID, usedforsecurity=False).digest()))


class Clients:
    """Some connections through a port, each with some messages on their way."""

    def __init__(self, port: int, connections: int, size: int, in_flight: int) -> None:
        """Connect, and wait until all are open.

        Args:
            port: What is measured listens here.
            connections: How many.
            size: Bytes of a message.
            in_flight: Messages that wait for their echo, on each.
        """
        self._selector = selectors.DefaultSelector()
        self._ends: list[_End] = []
        for _ in range(connections):
            end = _End(socket.create_connection(("127.0.0.1", port)), self._selector)
            self._ends.append(end)
            end.send(_REQUEST % size)
            self._run(lambda end=end: end.head.endswith(b"\r\n\r\n"))  # type: ignore[misc]
            assert end.head.startswith(b"HTTP/1.1 101"), end.head
            end.begin(len(frame(size, masked=False)), frame(size, masked=True))
        for end in self._ends:
            end.send(frame(size, masked=True) * in_flight)

    def _run(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not done():
            assert time.monotonic() < deadline, "no answer for a minute"
            for key, events in self._selector.select(1):
                if events & selectors.EVENT_WRITE:
                    key.data.writable()
                if events & selectors.EVENT_READ:
                    assert key.data.readable(), "the connection was closed"

    def echoes(self, seconds: float) -> int:
        """Let messages go to and fro, and return how many came back.

        Args:
            seconds: How long.
        """
        before = sum(end.frames for end in self._ends)
        until = time.monotonic() + seconds
        self._run(lambda: time.monotonic() >= until)
        return sum(end.frames for end in self._ends) - before

    def close(self) -> None:
        """Leave."""
        for end in self._ends:
            end.close()
        self._selector.close()


def handshakes(port: int, seconds: float) -> int:
    """Return how many handshakes succeeded, one after the other, each on a new connection that is reset behind it.

    Args:
        port: What is measured listens here.
        seconds: How long.
    """
    done, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.sendall(_REQUEST % 32)
            answer = connection.recv(4096)
            assert answer.startswith(b"HTTP/1.1 101"), answer
        done += 1
    return done


if __name__ == "__main__":
    sys.exit(serve())
