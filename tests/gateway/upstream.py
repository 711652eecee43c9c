"""A server that does what a test tells it to, byte for byte: the right thing, or what a gateway should not pass on."""

from __future__ import annotations

import queue
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

from tests.gateway.wire import PATIENCE, Head, Wire

T = TypeVar("T")


@dataclass(frozen=True)
class Asked:
    """A request that has come to the upstream.

    Attributes:
        head: Its head.
        content: Its content.
    """

    head: Head
    content: bytes


#: Gets each request with its connection, which is kept for another request if this returns true, else closed.
Answer = Callable[[Wire, Asked], bool | None]

#: Seconds that a connection is kept without a request: longer than any gateway of the tests keeps it.
IDLE = 90.0


def text(content: str, *lines: str, status: str = "200 OK") -> Answer:
    """Return what answers with a short text, and closes."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", "Connection: close", *lines]

    def answer(wire: Wire, _asked: Asked) -> None:
        wire.send(("\r\n".join(head) + f"\r\n\r\n{content}").encode())

    return answer


class Listener:
    """Accepts connections on a free port of 127.0.0.1, or on a UNIX socket, and gives each a thread of its own.

    Attributes:
        port: Where it listens; 0 on a UNIX socket.
    """

    def __init__(self, path: Path | None = None, tls: ssl.SSLContext | None = None) -> None:
        """Listen.

        Args:
            path: Of the UNIX socket.
            tls: What connections begin with; None for cleartext.
        """
        self._tls = tls
        if path is None:
            self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        else:
            self._listening = socket.create_server(str(path), family=socket.AF_UNIX)
        self._open: set[Wire] = set()
        self.port = 0 if path else int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_why: object) -> None:
        # Only this wakes the thread that accepts; closing alone would leave it waiting.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for wire in list(self._open):
            wire.end()

    def _accept(self) -> None:
        while True:
            try:
                connected, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connected,), daemon=True).start()

    def _serve(self, connected: socket.socket) -> None:
        if self._tls is not None:
            try:
                connected = self._tls.wrap_socket(connected, server_side=True)
            except OSError:  # the client does not want this certificate, or looked only whether somebody listens
                connected.close()
                return
        wire = Wire(connected)
        self._open.add(wire)
        try:
            self.serve(wire)
        finally:
            self._open.discard(wire)
            wire.close()

    def serve(self, wire: Wire) -> None:
        """Talk on one connection."""
        raise NotImplementedError


class Upstream(Listener):
    """Answers requests as it has been told last.

    Attributes:
        answer: What it does with a request.
    """

    def __init__(self, path: Path | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.answer: Answer = text("plain")
        self._asked: queue.SimpleQueue[Asked] = queue.SimpleQueue()
        self._told: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        super().__init__(path, tls)

    def serve(self, wire: Wire) -> None:
        """Read requests, remember and answer them."""
        goes_on: bool | None = True
        while goes_on and (head := wire.head(IDLE)):
            asked = Asked(head, wire.content(head))
            self._asked.put(asked)
            goes_on = self.answer(wire, asked)

    def asked(self) -> Asked | None:
        """Return the next request that has come; None if none comes in time."""
        return _next(self._asked)

    def tell(self, data: bytes) -> None:
        """Let the client's side of a test know what an answer has seen."""
        self._told.put(data)

    def told(self) -> bytes | None:
        """Return what an answer has told; None if it does not."""
        return _next(self._told)

    def forget(self, answer: Answer) -> None:
        """Begin anew: answer in another way, and remember nothing."""
        self.answer = answer
        self._asked, self._told = queue.SimpleQueue(), queue.SimpleQueue()


def _next(waiting: queue.SimpleQueue[T]) -> T | None:
    try:
        return waiting.get(timeout=PATIENCE)
    except queue.Empty:
        return None
