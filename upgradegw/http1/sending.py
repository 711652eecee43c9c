"""The sending half of a connection: what twisted.web's Request writes, in few and bounded writes to the transport.

A response's head waits for the first of its content, so that both leave in one write. While the transport is full,
what is written waits here, and large writes are given to the transport in pieces: each piece that it takes is progress,
and a client that takes none for ``write_timeout`` can be told from one that is slow.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from socket import socket
from typing import Any

from twisted.internet.interfaces import IPullProducer, IPushProducer
from twisted.internet.protocol import Protocol
from twisted.web.http_headers import Headers
from zope.interface import implementer

from upgradegw.http.headers import CR, LF
from upgradegw.transports import plain_socket

#: Bytes given to the transport at once: one more than Twisted's transports hold before they pause their producer, so
#: that each piece is paused for and resumed after, which shows that it was sent.
PIECE = 64 * 1024 + 1


#: Never has anything in it.
_EMPTY: deque[bytes | memoryview] = deque(maxlen=0)


@implementer(IPullProducer)
class _Pulled:
    """A pull producer of the application, registered with the transport itself; notes that the transport ran dry."""

    __slots__ = ("_half", "_producer")

    def __init__(self, half: SendingHalf, producer: Any) -> None:
        self._half = half
        self._producer = producer

    def resumeProducing(self) -> None:
        """The transport has sent everything and asks for more."""
        self._half.owed = False
        self._producer.resumeProducing()

    def stopProducing(self) -> None:
        """The connection is gone."""
        self._producer.stopProducing()


@implementer(IPushProducer)
class SendingHalf(Protocol):
    """Takes a response's bytes for the transport, and is the transport's producer.

    Attributes:
        blocked: Whether the transport takes nothing for now.
        owed: Whether a pull producer's bytes wait in the transport.
        keep_alive: Whether the connection goes on behind the response; false as soon as the response says ``close``.
    """

    transport: Any
    blocked = False
    owed = False
    keep_alive = True
    _producer: Any = None
    _producer_paused = False
    _pulling = False
    _socket: socket | None = None
    _gathering = False
    _registered = False
    _held = b""
    _since = 0.0
    _read_closed = False
    # What waits here; a deque of its own, 600 bytes, only for those on whose connection something has had to wait.
    _queue = _EMPTY

    def _put_by(self, data: bytes) -> None:
        """Let data wait here."""
        if self._queue is _EMPTY:
            self._queue = deque()
        self._queue.append(data)

    # --- For Request.

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Any) -> None:
        """Take a response's head (called by Request).

        Args:
            version: The HTTP version that the status line names.
            code: The status code.
            reason: The reason phrase.
            headers: The fields: Headers, or pairs of name and value.
        """
        if not isinstance(headers, Headers):
            pairs, headers = headers, Headers()
            for name, value in pairs:
                headers.addRawHeader(name, value)
        if LF in reason or CR in reason:
            reason = b" ".join(reason.splitlines())
        head = [self._held, version, b" ", code, b" ", reason, b"\r\n"]
        closes = False
        for name, values in headers.getAllRawHeaders():
            for value in values:
                head.extend((name, b": ", value, b"\r\n"))
            if name == b"Connection":
                closes = _lists_close(values)
        if closes:
            self.keep_alive = False
        elif not self._goes_on() and version == b"HTTP/1.1":
            head.append(b"Connection: close\r\n")
        head.append(b"\r\n")
        self._held = b"".join(head)
        if not self._gathering:
            self.flush()

    def write_interim(self, code: int, reason: bytes, fields: Iterable[tuple[bytes, bytes]]) -> None:
        """Send an interim response ahead of the final one (RFC 9110 section 15.2), to a client of HTTP/1.1.

        Args:
            code: The status code, 102 to 199.
            reason: The reason phrase.
            fields: The fields, without line ends.
        """
        lines = [b"HTTP/1.1 %d %b" % (code, reason), *(name + b": " + value for name, value in fields)]
        self.write(b"\r\n".join([*lines, b"", b""]))

    def _goes_on(self) -> bool:
        """Decide, when the head is written, whether the connection goes on behind the response."""
        return self.keep_alive

    def write(self, data: bytes) -> None:
        """Take content (called by Request)."""
        held = self._held
        if held:
            self._held = b""
            if len(data) < PIECE:
                data = held + data
            else:
                self._send(held)
        if data:
            self._send(data)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Take content in pieces (called by Request, for chunks)."""
        self.write(b"".join(iovec))

    def flush(self) -> None:
        """Send a head that waits for content."""
        held, self._held = self._held, b""
        if held:
            self._send(held)

    def _send(self, data: bytes) -> None:
        if self._read_closed:
            self._progress()  # shows that the application is still at it
        if self._pulling:
            # The producer writes when the transport asks; nothing needs to wait here.
            self.owed = True
            self._progress()
            self.transport.write(data)
        elif self._queue or self.blocked:
            self._put_by(data)
        elif len(data) > PIECE:
            self._put_by(data)
            self._drain()
        elif self._socket is not None:
            self._send_at_once(self._socket, data)
        else:
            self.transport.write(data)

    def _send_at_once(self, connected: socket, data: bytes) -> None:
        """Send without the way through the reactor, while nothing waits in the transport: half the cost of a write.

        What the socket does not take, and every error, is left to the transport, and all that follows with it until it
        has run dry.
        """
        try:
            sent = connected.send(data)
        except OSError:
            sent = 0
        if sent < len(data):
            self._socket = None
            self.transport.write(data[sent:] if sent else data)

    def _drain(self) -> None:
        """Give the transport as much of the queue as it takes."""
        queue = self._queue
        self._socket = None
        while queue and not self.blocked:
            data = queue.popleft()
            if len(data) > PIECE:
                data = memoryview(data)
                queue.appendleft(data[PIECE:])
                data = data[:PIECE]
            self.transport.write(bytes(data))

    def _give_all(self) -> None:
        """Give the transport everything, at once."""
        self.flush()
        self._socket = None
        while self._queue:
            self.transport.write(bytes(self._queue.popleft()))

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let a producer of the application's be paused and resumed (called by Request).

        Args:
            producer: The producer.
            streaming: Whether it is an IPushProducer; else it is asked for each piece.

        Raises:
            RuntimeError: There is one already.
        """
        if self._producer is not None:
            raise RuntimeError(f"cannot register {producer!r}: {self._producer!r} was not unregistered")
        self._producer = producer
        if streaming:
            self._pause_producer(self.blocked or bool(self._queue))
            return
        self._pulling = True
        self.blocked = False
        self._unregister_self()
        self._give_all()
        self._registered = True
        self.transport.registerProducer(_Pulled(self, producer), False)

    def unregisterProducer(self) -> None:
        """Forget the application's producer (called by Request)."""
        if self._producer is None:
            return
        self._producer = None
        self._producer_paused = False
        if self._pulling:
            self._pulling = self.owed = False
            self._unregister_self()
            self._register_self()

    # --- For the transport.

    def _register_self(self) -> None:
        """Be told when the transport is full; needed only once there is a request, whose answer may fill it."""
        if not self._registered and hasattr(self.transport, "registerProducer"):
            self._registered = True
            self.transport.registerProducer(self, True)

    def _unregister_self(self) -> None:
        if self._registered:
            self._registered = False
            self.transport.unregisterProducer()

    def pauseProducing(self) -> None:
        """The transport is full."""
        self.blocked = True
        self._progress()
        self._pause_producer(True)
        self._sending_changed()

    def resumeProducing(self) -> None:
        """The transport has sent what it had."""
        self.blocked = False
        self._progress()
        if self._queue:
            self._drain()
            if self.blocked:
                return
        else:
            self._socket = plain_socket(self.transport)
        self._pause_producer(False)
        self._sending_changed()

    def _pause_producer(self, pause: bool) -> None:
        """Tell the application's producer, if that is news for it."""
        if self._producer is None or pause == self._producer_paused:
            return
        self._producer_paused = pause
        if pause:
            self._producer.pauseProducing()
        else:
            self._producer.resumeProducing()

    def stopProducing(self) -> None:
        """The connection is gone; ``connectionLost`` follows."""
        if self._producer is not None:
            self._producer.stopProducing()

    # --- For the rest of the channel.

    def _progress(self) -> None:
        """Note that something was taken, or begins to wait."""

    def _sending_changed(self) -> None:
        """The transport is full, or has room again."""


def _lists_close(values: Iterable[bytes]) -> bool:
    return any(option.strip().lower() == b"close" for value in values for option in value.split(b","))
