"""An attacker of a process that speaks HTTP/2, and a client that must be served all the while."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

from hpack import Encoder
from hyperframe.frame import Frame

from tests.http2.client import END, END_HEADERS, fields, frame, settings
from tests.support.process import PATIENCE, Server
from upgradegw.http2.frames import PREFACE, Kind


class Attacker:
    """One HTTP/2 connection without TLS, with frames by hand."""

    def __init__(self, server: Server, values: dict[int, int] | None = None, *, receive_buffer: int = 0) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", server.port))
        self.encoder = Encoder()
        self.frames: list[Any] = []
        self.ended_after = 0.0
        self.send(PREFACE + settings(values))

    def head(self, stream_id: int, path: bytes = b"/", *more: tuple[bytes, bytes], method: bytes = b"GET") -> bytes:
        """Return HEADERS of a request without content."""
        return self.block(stream_id, fields(method, path, *more))

    def block(self, stream_id: int, block: Any, flags: int = END | END_HEADERS) -> bytes:
        """Return HEADERS with these fields."""
        return frame(Kind.HEADERS, self.encoder.encode(block), flags, stream_id)

    def send(self, data: bytes) -> bool:
        """Send; return whether the server still takes bytes."""
        try:
            self.socket.sendall(data)
        except OSError:
            return False
        return True

    def read_to_the_end(self, seconds: float = 5.0) -> bool:
        """Read until the server has closed; return whether it has in this time."""
        began = time.monotonic()
        received = b""
        self.socket.settimeout(0.2)
        while (passed := time.monotonic() - began) < seconds:
            try:
                piece = self.socket.recv(1 << 16)
            except TimeoutError:
                continue
            except ConnectionError:
                piece = b""
            if not piece:
                self.ended_after = passed
                self._parse(received)
                return True
            received += piece
        self._parse(received)
        return False

    def read(self, seconds: float) -> None:
        """Read for a while."""
        self.read_to_the_end(seconds)

    def _parse(self, received: bytes) -> None:
        while len(received) >= 9:
            found, length = Frame.parse_frame_header(memoryview(received[:9]))
            if len(received) < 9 + length:
                return
            found.parse_body(memoryview(received[9 : 9 + length]))
            self.frames.append(found)
            received = received[9 + length :]

    def codes(self, kind: int) -> list[int]:
        """Return the error codes of GOAWAY or RST_STREAM frames that have come."""
        return [each.error_code for each in self.frames if each.type == kind]

    def close(self) -> None:
        """Leave."""
        self.socket.close()


@contextlib.contextmanager
def attacking(server: Server, values: dict[int, int] | None = None, **arguments: Any) -> Iterator[Attacker]:
    """Attack for the duration of a ``with`` block."""
    attacker = Attacker(server, values, **arguments)
    try:
        yield attacker
    finally:
        attacker.close()


def ask(server: Server, path: str = "/") -> bytes:
    """Ask over HTTP/1.1 on a connection of its own, and return the content."""
    with server.connect() as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n".encode())
        received = b""
        while piece := connection.recv(1 << 16):
            received += piece
    head, _, content = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    return content


@contextlib.contextmanager
def another_is_served(server: Server, within: float = 2.0) -> Iterator[None]:
    """Ask over and over while something else goes on: each answer must come in time."""
    stopped = threading.Event()
    worst = [0.0]
    failures: list[BaseException] = []

    def ask_on() -> None:
        while not stopped.wait(0.02):
            began = time.monotonic()
            try:
                assert ask(server) == b"ok"
            except BaseException as failure:  # noqa: BLE001 - told in the test's thread
                failures.append(failure)
                return
            worst[0] = max(worst[0], time.monotonic() - began)

    thread = threading.Thread(target=ask_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(PATIENCE)
    assert not failures, failures
    assert worst[0] < within
