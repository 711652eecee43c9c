"""How a connection ends: refusals, closes that do not destroy the last answer, deadlines, and the client's FIN.

A connection is in one of the states below. What happens in HEAD, CONTENT and ANSWERING is told in ``channel``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IHalfCloseableDescriptor, IHalfCloseableProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from upgradegw.http.content import ContentStream
from upgradegw.http.context import Context
from upgradegw.http1.chunked import ChunkedDecoder
from upgradegw.http1.limiting import LimitedHalf
from upgradegw.http1.refusals import refusal
from upgradegw.negotiation.model import Fields
from upgradegw.negotiation.reasons import Reason
from upgradegw.transports import abort_transport

#: Seconds and bytes for which a client that has been refused may go on sending before the connection is closed. A
#: close with unread bytes would be a TCP reset, which destroys an answer that the client has not yet read.
LINGER_SECONDS = 2.0
LINGER_BYTES = 1024 * 1024

#: Method, target and fields of a request, as far as they are known.
About = tuple[bytes, bytes, Fields]


class State:
    """What a connection is doing; numbers, for an enumeration takes five times as long to be asked for one."""

    #: Idle, or the head of a request is arriving.
    HEAD = 0
    #: The content of a request is arriving.
    CONTENT = 1
    #: A request is with its resource; content that is streamed arrives in this state, too.
    ANSWERING = 2
    #: A request waits for TLS, in which it will be answered; nothing else can arrive.
    SECURING = 3
    #: Nothing more is looked at; what there is to send is sent.
    CLOSING = 4
    #: The connection speaks another protocol.
    TAKEN = 5
    #: There is no connection any more.
    GONE = 6


@implementer(IHalfCloseableProtocol)
class ClosingHalf(LimitedHalf):
    """The part of the channel that knows how to end.

    Attributes:
        timeOut: Seconds that the connection may lie idle, or None.
        connection_id: A name of this connection for the logs.
        bucket: The wheel's.
        counted_as: The context's: the client for which this connection counts.
    """

    timeOut: float | None = 60.0
    bucket = 0
    counted_as: str | None = None
    _state = State.HEAD
    # Bytes that have arrived and were not yet looked at: those of _in from _at on.
    _in: bytes | bytearray = b""
    _at = 0
    # Since when a head, or a TLS handshake, has been arriving.
    _head_since: float | None = None
    _request: Any = None
    # What of the content is still to come: bytes, or a decoder that knows.
    _left = 0
    _chunks: ChunkedDecoder | None = None
    _stream: ContentStream | None = None
    _unwelcome = False
    _in_tls = False
    _reading = True
    _lingering = False
    _discarded = 0
    _when_sent: Callable[[], None] | None = None
    _peer: Any = None
    _host: Any = None

    def __init__(self, context: Context) -> None:
        """Wait for a connection.

        Args:
            context: What the site's connections share.
        """
        self._context = context
        self._clock = context.clock
        self._limits = context.limits
        self.connection_id = context.next_id()

    @property
    def welcome(self) -> bool:
        """Whether there was room for this connection."""
        return not self._unwelcome

    def isSecure(self) -> bool:
        """Tell whether the connection is encrypted by us."""
        return self._in_tls

    def getPeer(self) -> Any:
        """Return the address of the connection's other end."""
        if self._peer is not None:
            return self._peer
        peer = self.transport.getPeer()
        if self._head is not None:  # until then a PROXY header may come and say otherwise
            self._peer = peer
        return peer

    def getHost(self) -> Any:
        """Return the address of this end."""
        if self._host is not None:
            return self._host
        host = self.transport.getHost()
        if self._head is not None:
            self._host = host
        return host

    # --- Refusing and closing.

    def _refuse(
        self, status: int, reason: Reason, detail: str = "", request: About = (b"", b"", ()), *, silent: bool = False
    ) -> None:
        """Answer without a resource, and close.

        Args:
            status: The status code.
            reason: Why, for the log.
            detail: What was found, for the log.
            request: What was asked, as far as it is known.
            silent: Close without the answer: whoever is there does not speak HTTP/1.1.
        """
        answer = refusal(status, self._clock.seconds(), body=request[0] != b"HEAD")
        self._context.log_refusal(self, request, (status, reason, detail), len(answer.partition(b"\r\n\r\n")[2]))
        if not silent:
            self.write(answer)
        self._after_sending(self._linger)

    def _after_sending(self, then: Callable[[], None]) -> None:
        """Look at nothing that arrives any more; do something when what is to be sent is with the transport."""
        self._state = State.CLOSING
        self._in, self._at = b"", 0
        self._head_since = None
        self._left, self._chunks = 0, None
        self.flush()
        self._progress()
        if self._queue or self.blocked:
            self._when_sent = then
            self._update_reading()
        else:
            then()

    def _linger(self) -> None:
        """End our side, let the client go on for a moment, then close."""
        transport = self.transport
        self._progress()
        self._lingering = True
        if self._read_closed or self._in_tls:
            # On TLS a close ends our side only: the layer reads on until the client has closed, too.
            self._close_transport()
        elif IHalfCloseableDescriptor.providedBy(transport):
            self._unregister_self()
            self._update_reading()
            self.transport.loseWriteConnection()
        else:
            self._lose()
        self._context.wheel.hasten(self)

    def _lose(self) -> None:
        """Close when the transport has sent what it has."""
        self._state = State.CLOSING
        self._lingering = False
        self._progress()
        self._close_transport()

    def _close_transport(self) -> None:
        self._unregister_self()
        self.transport.loseConnection()

    def loseConnection(self) -> None:
        """Close when everything written has been sent (called by Request)."""
        if self._state < State.CLOSING:
            self._after_sending(self._lose)

    def abort(self) -> None:
        """End at once."""
        abort_transport(self.transport)

    def stop(self) -> None:
        """End in order: what is being answered is answered."""
        if self._state == State.HEAD:
            self._after_sending(self._lose)

    def _discard(self, data: bytes) -> None:
        """Take bytes of a client that has been refused."""
        self._discarded += len(data)
        if self._lingering and self._discarded > LINGER_BYTES:
            self._lose()

    # --- The other side ends.

    def readConnectionLost(self) -> None:
        """The client has ended its side: answer what it asked in full, then close."""
        self._read_closed = True
        self._progress()
        if self._state == State.CLOSING:
            if self._lingering:
                self._lose()
        elif self._state == State.ANSWERING and not self._left and self._chunks is None:
            self._context.wheel.hasten(self)
        else:
            self._after_sending(self._lose)

    def writeConnectionLost(self) -> None:
        """Our side has ended, as we wanted."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone."""
        self._state = State.GONE
        self._socket = None
        self._forget()
        self._queue.clear()
        self._in, self._at = b"", 0
        stream, self._stream = self._stream, None
        request, self._request = self._request, None
        if stream is not None:
            stream.fail()
        if request is not None:
            request.connectionLost(reason)

    def _forget(self) -> None:
        self._context.wheel.forget(self)
        self._context.remove(self)

    # --- Deadlines.

    def _progress(self) -> None:
        self._since = self._clock.seconds()

    def deadline(self) -> float | None:
        """Say when to look after this connection again (the wheel asks)."""
        if self.transport is None:
            return 0.0  # somebody took the transport without asking
        since, seconds = self._since, self._patience()
        if self._state == State.HEAD and self._head_since is not None and not self.blocked:
            since = self._head_since
        return since + seconds if seconds else None

    def _patience(self) -> float | None:
        """Return how many seconds may pass without anything happening, or None for any number."""
        state, limits = self._state, self._limits
        if self.blocked or self.owed:
            return self._limits_now().write_timeout
        if state == State.HEAD:
            if self._unwelcome:
                return LINGER_SECONDS
            return self.timeOut if self._head_since is None else limits.head_timeout
        if state == State.CONTENT or (self._stream is not None and self._reading):
            return self._limits_now().content_timeout
        if state == State.ANSWERING:
            return self.timeOut if self._read_closed else None
        return LINGER_SECONDS if self._lingering else limits.write_timeout

    def expired(self) -> None:
        """The deadline has passed (the wheel says)."""
        state = self._state
        if self.transport is None:
            self._forget()
        elif self.blocked or self.owed:
            self.abort()
        elif state == State.HEAD:
            if self._at < len(self._in):
                self._refuse(408, Reason.HEAD_TIMEOUT)
            else:
                self._lose()
        elif state == State.CONTENT or (self._stream is not None and self._reading):
            self._refuse_content(408, Reason.CONTENT_TIMEOUT)
        elif self._lingering and not self.isSecure():
            self._lose()
        else:
            self.abort()

    def _refuse_content(self, status: int, reason: Reason, detail: str = "") -> None:
        """Refuse a request whose content cannot be read on."""
        raise NotImplementedError

    def _update_reading(self) -> None:
        """Read from the transport, or let the client wait."""
        raise NotImplementedError
