"""A client that does what it is told and nothing else, on a connection to a site that listens, and its requests."""

from __future__ import annotations

import re
import socket
import ssl
import struct
from typing import Any

from tests.protocols.websocket.support import CLOSE, close, frame, read_frames

_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})[ \r]")


class Client:
    """A client's end of a connection: does what it is told, and otherwise nothing.

    Attributes:
        received: All that came, decrypted.
        closed: Whether the server has ended its side, or all of it.
        was_reset: Whether it did so with a reset.
        reads: Whether it takes what comes.
        ready: Whether the TLS handshake is done.
    """

    def __init__(self, place: Any, connection: socket.socket) -> None:
        self.place = place
        self.socket = connection
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a segment arrives when it is sent
        self.received = b""
        self.closed = self.was_reset = self.ready = False
        self.reads = True
        self.tls: ssl.SSLObject | None = None
        self._out = bytearray()

    def start_tls(self, context: ssl.SSLContext, name: str = "localhost") -> None:
        """Begin the handshake."""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self._shake_hands()

    def _shake_hands(self) -> None:
        assert self.tls is not None
        try:
            self.tls.do_handshake()
            self.ready = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self.closed = True
        self._out += self._outgoing.read()

    def send(self, *segments: bytes) -> Client:
        """Send segments, each to arrive by itself; what the server does not read stays with us."""
        for number, segment in enumerate(segments, 1):
            if self.tls is not None and not self.closed:
                self.tls.write(segment)
                self._out += self._outgoing.read()
            else:
                self._out += segment
            self.place.settle(patient=number == len(segments))
        return self

    @property
    def unsent(self) -> int:
        """Bytes that the server has not taken from us."""
        return len(self._out)

    def pump(self) -> bool:
        """Write and read what is possible; tell whether anything was."""
        if self.socket.fileno() < 0:
            return False
        wrote = self._write()
        return self._read() or wrote

    def _write(self) -> bool:
        if not self._out:
            return False
        try:
            sent = self.socket.send(bytes(self._out[: 1 << 18]))
        except BlockingIOError:
            return False
        except OSError:
            self._out.clear()
            return False
        del self._out[:sent]
        return True

    def _read(self) -> bool:
        if not self.reads or self.closed:
            return False
        try:
            data = self.socket.recv(1 << 18)
        except BlockingIOError:
            return False
        except OSError:
            self.closed = self.was_reset = True
            return True
        if self.tls is None:
            self.received += data
            self.closed = not data
        else:
            self._decrypt(data)
        return True

    def _decrypt(self, data: bytes) -> None:
        assert self.tls is not None
        if not data:
            self.closed = True
            return
        self._incoming.write(data)
        if not self.ready:
            self._shake_hands()
        try:
            while self.ready and (clear := self.tls.read(1 << 18)):
                self.received += clear
            if self.ready:
                self._say_goodbye()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self.closed = True
        self._out += self._outgoing.read()

    def _say_goodbye(self) -> None:
        """Answer the server's close_notify."""
        assert self.tls is not None
        self.closed = True
        self.tls.unwrap()

    def finish(self) -> Client:
        """End our side: on TLS with close_notify, on TCP with FIN."""
        if self.tls is not None:
            try:
                self.tls.unwrap()
            except ssl.SSLWantReadError:
                self._out += self._outgoing.read()
        else:
            self.socket.shutdown(socket.SHUT_WR)
        self.place.settle()
        return self

    def reset(self) -> None:
        """Go without a word: RST."""
        if self.socket.fileno() >= 0:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.socket.close()
        self.place.settle()

    # --- What came.

    @property
    def statuses(self) -> list[int]:
        """The status codes of all responses."""
        return [int(status) for status in _STATUS.findall(self.received)]

    @property
    def frames(self) -> list[tuple[int, bytes]]:
        """The WebSocket frames behind the 101."""
        return read_frames(self.received.partition(b"\r\n\r\n")[2])

    @property
    def close_code(self) -> int | None:
        """The code of the server's Close."""
        return next((int.from_bytes(content[:2], "big") for opcode, content in self.frames if opcode == CLOSE), None)

    def echoes(self, text: bytes = b"still there?") -> bool:
        """Tell whether the WebSocket echo still answers."""
        self.send(frame(1, text))
        self.place.until(lambda: self.closed or any(content == text for _, content in self.frames))
        return not self.closed

    def refused(self, *statuses: int) -> None:
        """Expect one response, with one of these codes, and the end of the connection."""
        self.place.until(lambda: self.closed)
        assert len(self.statuses) == 1, self.received[:300]
        assert self.statuses[0] in statuses, self.received[:300]

    def failed(self, code: int) -> None:
        """Expect a Close with this code, and the end, at once behind our own or in five seconds."""
        self.place.until(lambda: self.closed or self.close_code is not None)
        assert self.close_code == code, (self.close_code, self.received[-200:])
        self.send(close(code))
        if not self.closed:
            self.place.advance(6)
        self.place.until(lambda: self.closed)


def any_server(*protocols: str) -> ssl.SSLContext:
    """A client's TLS that does not look at certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


def get(path: bytes, *lines: bytes, method: bytes = b"GET", version: bytes = b"1.1") -> bytes:
    """A request without content."""
    head = [method + b" " + path + b" HTTP/" + version, *lines, b"", b""]
    if not any(line.lower().startswith(b"host:") for line in lines):
        head.insert(1, b"Host: a.example")
    return b"\r\n".join(head)


def websocket_request(*lines: bytes, path: bytes = b"/ws", version: bytes = b"1.1") -> bytes:
    """The request of a WebSocket client (RFC 6455 section 1.2), with some lines more."""
    return get(
        path,
        b"Connection: Upgrade",
        b"Upgrade: websocket",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        b"Sec-WebSocket-Version: 13",
        *lines,
        version=version,
    )
