"""The sending side of an HTTP/2 connection: streams in their turns, and one write for all that a reactor turn has."""

from __future__ import annotations

from typing import Any
from weakref import ref

from h2.errors import ErrorCodes
from twisted.internet.interfaces import IDelayedCall, IPushProducer
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from upgradegw.http.context import Context
from upgradegw.http2.any_stream import AnyStream
from upgradegw.http2.closing import ClosingHalf, State
from upgradegw.http2.flow import Turns
from upgradegw.http2.limits import Http2Limits
from upgradegw.http2.session import Session

_log = Logger(namespace="upgradegw")

#: Bytes given to the transport at once: one more than Twisted's transports hold before they pause their producer.
PIECE = 64 * 1024 + 1


@implementer(IPushProducer)
class ServingHalf(ClosingHalf):
    """The part of the connection that its streams see."""

    def __init__(self, context: Context, limits: Http2Limits, connection_id: str, session: Session) -> None:
        """Have nothing to send; the arguments are ``ClosingHalf``'s."""
        super().__init__(context, limits, connection_id, session)
        self._turns: Turns[AnyStream] = Turns()
        self._running = False
        self._flush_call: IDelayedCall | None = None
        self._starved: dict[AnyStream, None] = {}
        self._unfinished: set[ref[Any]] = set()
        self._acks = 0

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone."""
        if self._flush_call is not None:
            self._flush_call.cancel()
            self._flush_call = None
        super().connectionLost(reason)

    # --- Streams that end.

    def _refuse_stream(self, stream_id: int, code: ErrorCodes, *, ends: bool) -> None:
        """Reset a stream of which h2 was not told."""
        self._meters.reset()
        if ends:
            self._streams.close(stream_id)
        else:
            self._streams.abandon(stream_id)
        self.session.reset(stream_id, code)

    def stream_fault(self, stream_id: int, code: ErrorCodes) -> None:
        """Reset a stream because of what the client did (RFC 9113 section 5.4.2)."""
        self._meters.reset()
        self.reset(self._streams.live[stream_id], code)

    def reset(self, stream: AnyStream, code: int) -> None:
        """Reset a stream."""
        if self._streams.live.get(stream.stream_id) is not stream:
            return
        self.session.reset(stream.stream_id, code)
        self._gone(stream, told=stream.read_ended)
        stream.was_reset(code)

    def sent_all(self, stream: AnyStream) -> None:
        """A stream has sent its end."""
        if stream.end_was_sent():
            self.context.wheel.hasten(self)
        else:
            self._ended(stream)

    def _ended(self, stream: AnyStream) -> None:
        """A stream has ended in order."""
        self._gone(stream)
        stream.release()

    def _gone(self, stream: AnyStream, *, told: bool = True) -> None:
        """A stream is not there any more; ``told``: the client sends nothing on it, unless by mistake."""
        if told:
            self._streams.close(stream.stream_id)
        else:
            self._streams.abandon(stream.stream_id)
        self._starved.pop(stream, None)
        self.session.forget(stream.stream_id)
        stream.give_back()
        if not self._streams.live:
            self._since = self.seconds()

    def unfinished(self, request: Any) -> None:
        """Count a request, whose stream is gone, for as long as anybody holds it."""
        try:
            self._unfinished.add(ref(request, self._unfinished.discard))
        except TypeError:
            return  # made by a factory whose requests cannot be watched

    # --- Sending.

    def starved(self, stream: AnyStream) -> None:
        """A stream has content for which its own or the connection's window has no room."""
        self._starved.pop(stream, None)
        self._starved[stream] = None
        stream.hasten()

    def windows_opened(self) -> None:
        """Let the streams go on that had no room, the one first that has waited longest."""
        starved, self._starved = self._starved, {}
        for stream in starved:
            self._turns.add(stream)

    def wake(self, stream: AnyStream) -> None:
        """A stream has something to send."""
        self._turns.add(stream)
        self.touch()

    def touch(self) -> None:
        """There is something to send: in one write at the end of this turn of the reactor."""
        if self._flush_call is None and not self._running and not self.blocked and self._state is not State.GONE:
            self._flush_call = self._clock.callLater(0, self._flush_later)

    def _flush_later(self) -> None:
        self._flush_call = None
        self.flush()

    def flush(self) -> None:
        """Send what is ready, in one write unless it is much, and close if that was all."""
        if self._state is State.GONE:
            return
        running, self._running = self._running, True
        try:
            while not self.blocked:
                self._turns.run(self._may_go_on, self._send)
                data = self.session.take() + b"".join(self._control)
                self._control.clear()
                self._acks = 0
                if not data:
                    break
                self.transport.write(data)
                if self._read_closed:
                    self._since = self.seconds()  # shows that the applications are still at it
        finally:
            self._running = running
        if not running:
            self._close_if_done()

    def _send(self, stream: AnyStream) -> bool:
        """Let a stream send; what its application does wrong costs nobody else anything."""
        try:
            return stream.send_some()
        except Exception:  # noqa: BLE001 - a producer's, or a response's that cannot be sent
            self.failed(stream)
            return False

    def failed(self, stream: AnyStream) -> None:
        """Log the application's exception, and give up its stream alone."""
        _log.failure("an application failed on stream {id}", id=stream.connection_id)
        self.reset(stream, ErrorCodes.INTERNAL_ERROR)

    def has_room(self) -> bool:
        """Whether something may be sent out of turn: what is little, where all others are little, too."""
        return not self.blocked and self.session.unsent < PIECE

    def _may_go_on(self) -> bool:
        return self.session.unsent < PIECE

    def pauseProducing(self) -> None:
        """The transport is full."""
        self.blocked = True
        self._blocked_since = self.seconds()
        self.context.wheel.hasten(self)

    def resumeProducing(self) -> None:
        """The transport has sent what it had."""
        self.blocked = False
        if not self._running:
            self.flush()

    def stopProducing(self) -> None:
        """The connection is gone; ``connectionLost`` follows."""
