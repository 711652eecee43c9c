"""How an HTTP/2 connection ends: GOAWAY, a close that lets the client read it, deadlines, and the client's own end."""

from __future__ import annotations

from typing import Any

from h2.errors import ErrorCodes
from twisted.internet.interfaces import IHalfCloseableDescriptor, IHalfCloseableProtocol, ISSLTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from upgradegw.http.context import Context
from upgradegw.http2.any_stream import AnyStream
from upgradegw.http2.faults import ConnectionFault
from upgradegw.http2.frames import FrameReader, goaway
from upgradegw.http2.limits import Http2Limits
from upgradegw.http2.meters import Meters
from upgradegw.http2.session import Session
from upgradegw.http2.streams import Streams
from upgradegw.negotiation.reasons import Reason
from upgradegw.transports import abort_transport

#: Seconds and bytes for which a client may go on sending behind our GOAWAY before the connection is closed: a close
#: with unread bytes would be a TCP reset, which destroys a GOAWAY that the client has not yet read.
LINGER_SECONDS = 2.0
LINGER_BYTES = 1024 * 1024


_log = Logger(namespace="upgradegw")


class State:
    """What a connection is doing."""

    #: Streams are opened and answered.
    OPEN = 0
    #: A GOAWAY was sent or received: what is running is answered, then the connection closes.
    DRAINING = 1
    #: Nothing more is looked at.
    CLOSING = 2
    #: There is no connection any more.
    GONE = 3


@implementer(IHalfCloseableProtocol)
class ClosingHalf(Protocol):
    """The part of the connection that knows how to end.

    Attributes:
        connection_id: A name of this connection for the logs.
        bucket: The wheel's.
        counted_as: The context's: the client for which this connection counts.
        blocked: Whether the transport takes nothing for now.
    """

    transport: Any
    bucket = 0
    counted_as: str | None = None
    blocked = False
    _state = State.OPEN
    _read_closed = False
    _lingering = False
    _discarded = 0
    _blocked_since = 0.0
    _block_since: float | None = None
    _last_answered = 2**31 - 1
    _secure: bool | None = None
    _peer: Any = None
    _host: Any = None

    def __init__(self, context: Context, limits: Http2Limits, connection_id: str, session: Session) -> None:
        """Wait for a connection.

        Args:
            context: What the site's connections share.
            limits: The bounds.
            connection_id: Its name.
            session: What h2 knows of it.
        """
        self.context = context
        self.connection_id = connection_id
        self._clock = context.clock
        self._limits = limits
        self._meters = Meters(limits, context.clock.seconds)
        self._frames = FrameReader(limits, 2 * context.limits.max_head, self._meters)
        self.session = session
        self._streams: Streams[AnyStream] = Streams()
        self._since = context.clock.seconds()
        self._control: list[bytes] = []

    def seconds(self) -> float:
        """Return the time."""
        return self._clock.seconds()

    def isSecure(self) -> bool:
        """Tell whether the connection is encrypted by us."""
        if self._secure is None:
            self._secure = bool(ISSLTransport.providedBy(self.transport))
        return self._secure

    def getPeer(self) -> Any:
        """Return the address of the connection's other end."""
        if self._peer is None or not self._streams.highest:  # until then a PROXY header may come and say otherwise
            self._peer = self.transport.getPeer()
        return self._peer

    def getHost(self) -> Any:
        """Return the address of this end."""
        if self._host is None or not self._streams.highest:
            self._host = self.transport.getHost()
        return self._host

    # --- Ending.

    def _fail(self, fault: ConnectionFault) -> None:
        """End the connection because of an error: GOAWAY, then a close (RFC 9113 section 5.4.1)."""
        if self._state >= State.CLOSING:
            return
        self._log_fault(fault)
        self._go_away(fault.code)
        self._state = State.CLOSING
        self._end_streams(Failure(fault))
        self._linger()

    def _log_fault(self, fault: ConnectionFault) -> None:
        """Tell the log why the connection ends."""
        self.context.log_refusal(self, (b"", b"", ()), (400, fault.reason, fault.detail), 0, "HTTP/2")

    def _go_away(self, code: int = ErrorCodes.NO_ERROR) -> None:
        """Say that no more streams are answered (RFC 9113 section 6.8)."""
        self._state = max(self._state, State.DRAINING)
        # RFC 9113 section 6.8: the number never rises, whatever has been refused since.
        self._last_answered = min(self._streams.highest, self._last_answered)
        self._control.append(goaway(self._last_answered, code))
        self.touch()

    def _end_streams(self, reason: Failure) -> None:
        for stream in list(self._streams.live.values()):
            stream.lost(reason)
        self._streams.live.clear()

    def _linger(self) -> None:
        """Send what is ready, end our side, let the client go on for a moment, then close."""
        transport = self.transport
        self.transport.write(self.session.take() + b"".join(self._control))
        self._control.clear()
        self._since = self.seconds()
        self._lingering = True
        if self._read_closed or self.isSecure() or not IHalfCloseableDescriptor.providedBy(transport):
            # On TLS a close ends our side only: the layer reads on until the client has closed, too.
            self._close_transport()
        else:
            self._unregister_self()
            self.transport.loseWriteConnection()
        self.context.wheel.hasten(self)

    def _close_if_done(self) -> None:
        """Close if nothing more will be answered, and all answers are with the transport."""
        if self._state == State.DRAINING and not self._streams.live and not self.blocked:
            self._state = State.CLOSING
            self._since = self.seconds()
            self._close_transport()
            self.context.wheel.hasten(self)

    def _close_transport(self) -> None:
        self._unregister_self()
        self.transport.loseConnection()

    def _register_self(self) -> None:
        if hasattr(self.transport, "registerProducer"):
            self.transport.registerProducer(self, True)

    def _unregister_self(self) -> None:
        if hasattr(self.transport, "unregisterProducer"):
            self.transport.unregisterProducer()

    def stop(self) -> None:
        """End in order: what is being answered is answered, what has been switched is told."""
        if self._state >= State.CLOSING:
            return
        self._go_away()
        for stream in list(self._streams.live.values()):
            try:
                stream.stop()
            except Exception:  # noqa: BLE001 - the application's; the others are told all the same
                _log.failure("an application failed at the stop of stream {id}", id=stream.connection_id)
                stream.reset_later(ErrorCodes.INTERNAL_ERROR)
        self.flush()

    def abort(self) -> None:
        """End at once."""
        abort_transport(self.transport)

    def _discard(self, data: bytes) -> None:
        """Take bytes of a client that has been told to go."""
        self._discarded += len(data)
        if self._lingering and self._discarded > LINGER_BYTES:
            self._lingering = False
            self._close_transport()

    # --- The other side ends.

    def readConnectionLost(self) -> None:
        """The client has ended its side: answer what it asked in full, then close."""
        self._read_closed = True
        self._since = self.seconds()
        if self._state >= State.CLOSING:
            self._close_transport()
            return
        self._state = State.DRAINING
        for stream in list(self._streams.live.values()):
            if not stream.read_ended:
                self._streams.close(stream.stream_id)
                stream.lost(Failure(connectionDone.value))
        self.flush()

    def writeConnectionLost(self) -> None:
        """Our side has ended, as we wanted."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone."""
        self._state = State.GONE
        self._end_streams(reason)
        self.context.wheel.forget(self)
        self.context.remove(self)

    # --- Deadlines.

    def deadline(self) -> float | None:
        """Say when to look after this connection again (the wheel asks)."""
        return min(self._deadlines(), default=None)

    def _deadlines(self) -> list[float]:
        limits, since = self.context.limits, self._since
        if self._state >= State.CLOSING:
            return [since + (LINGER_SECONDS if self._lingering else limits.write_timeout)]
        if self.blocked:
            return [self._blocked_since + self._write_timeout()]
        if not self._frames.has_settings:
            return [
                since + (self._limits.settings_timeout if self._frames.has_preface else self._limits.preface_timeout)
            ]
        times = [self._block_since + limits.head_timeout] if self._block_since is not None else []
        if not self._streams.live:
            return [*times, since + self.idle_timeout] if self.idle_timeout else times
        if self._read_closed and self.idle_timeout:
            times.append(since + self.idle_timeout)
        ends = [stream.deadline() for stream in self._streams.live.values()]
        return [*times, *(end for end in ends if end is not None)]

    def _write_timeout(self) -> float:
        """Return the seconds for which the transport may stand still: as many as the most patient stream has."""
        timeouts = [stream.limits.write_timeout for stream in self._streams.live.values()]
        return max(timeouts, default=self.context.limits.write_timeout)

    @property
    def idle_timeout(self) -> float | None:
        """Seconds for which the connection may have no stream, or None."""
        raise NotImplementedError

    def expired(self) -> None:
        """A deadline has passed (the wheel says)."""
        now, since = self.seconds(), self._since
        if self._state >= State.CLOSING or self.blocked:
            self.abort()
        elif not self._frames.has_settings:
            self._fail(ConnectionFault(ErrorCodes.SETTINGS_TIMEOUT, "no preface and SETTINGS", Reason.HEAD_TIMEOUT))
        elif self._block_since is not None and self._block_since + self.context.limits.head_timeout <= now:
            self._fail(ConnectionFault(ErrorCodes.ENHANCE_YOUR_CALM, "a header block", Reason.HEAD_TIMEOUT))
        elif not self._streams.live:
            self._go_away()
            self.flush()
        elif self._read_closed and self.idle_timeout and since + self.idle_timeout <= now:
            self.abort()
        else:
            for stream in list(self._streams.live.values()):
                end = stream.deadline()
                if end is not None and end <= now:
                    stream.expired()

    # --- For the sending part.

    def flush(self) -> None:
        """Send what is ready, and close if that was all."""
        raise NotImplementedError

    def touch(self) -> None:
        """There is something to send."""
        raise NotImplementedError
