"""A client and an upstream joined, until both have ended: half-close as half-close, a break as a break.

Nothing is timed while bytes pass. The wheel of the route compares the counters from time to time, which tells an idle
tunnel from one that is not; the same wheel bounds the steps of an ending.
"""

from __future__ import annotations

from functools import cached_property

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from upgradegw.http.wheel import Wheel
from upgradegw.interfaces import EndSummary
from upgradegw.negotiation.reasons import Reason
from upgradegw.proxy.ends import End
from upgradegw.proxy.exchange import UpstreamTunnel
from upgradegw.proxy.framed_ends import FramedEnd
from upgradegw.proxy.pump import Pump, pump_for
from upgradegw.transports import abort_transport

#: Seconds that each step of an ending may take: the rest of the frames that are under way, and the answers to our
#: Close frames; then the sending of what is buffered. What is left then is broken off.
STEP_SECONDS = 5.0

#: Into how many parts an idle timeout is divided: it is found out with one part's delay.
_LOOKS = 8


class _Step:
    """Where a tunnel is on its way."""

    OPEN = 0
    CLOSING = 1
    LOSING = 2
    ABORTED = 3


class Watch:
    """What the tunnels of a route share: a clock, and what reads from those that are plain.

    Attributes:
        clock: The reactor.
        idle_timeout: Seconds; None for no limit.
        wheel: The clock.
    """

    def __init__(self, clock: IReactorTime, idle_timeout: float | None) -> None:
        """Watch nothing yet.

        Args:
            clock: The reactor.
            idle_timeout: Seconds after which a tunnel through which nothing goes ends; None for no limit.
        """
        self.clock = clock
        self.idle_timeout = idle_timeout
        part = STEP_SECONDS if idle_timeout is None else idle_timeout / _LOOKS
        self.wheel = Wheel(clock, max(1.0, part))

    @cached_property
    def pump(self) -> Pump | None:
        """What reads from plain ends; None where there is no epoll."""
        return pump_for(self.clock)


class Tunnel:
    """A client's connection and an upstream's; an ``interfaces.Ending`` of the client's.

    Attributes:
        client: The protocol for the client's transport, whose connection makes the tunnel begin.
        upstream: The protocol for the upstream's.
        bucket: The wheel's.
    """

    bucket = 0
    _step = _Step.OPEN
    _reason: Reason | None = None
    _seen = 0
    _since = 0.0
    _until = 0.0
    _is_over = False

    def __init__(self, upstream: UpstreamTunnel, watch: Watch, *, framed: bool) -> None:
        """Wait for the client's transport.

        Args:
            upstream: The upstream's transport.
            watch: The clock.
            framed: Whether it will carry WebSocket frames.
        """
        self._joined = upstream
        self._watch = watch
        self._framed = framed
        self.client = FramedEnd(self, masks=True) if framed else End(self)
        self.upstream = FramedEnd(self, masks=False) if framed else End(self)
        self.client.other, self.upstream.other = self.upstream, self.client

    @property
    def pump(self) -> Pump | None:
        """What reads from plain ends."""
        return self._watch.pump

    # --- The beginning.

    def connected(self, end: End) -> None:
        """Begin when the client's transport is there."""
        if end is not self.client:
            return
        joined, upstream = self._joined, self.upstream
        joined.attach(upstream)
        upstream.makeConnection(joined.transport)
        self.client.join()
        upstream.join()
        self._since = self._watch.clock.seconds()
        self._watch.wheel.hasten(self)
        if joined.leading_data:
            upstream.dataReceived(joined.leading_data)
        joined.resume()
        if upstream.paused:
            joined.transport.pauseProducing()

    def release(self) -> None:
        """Nobody wants the tunnel any more; if it has not begun, the upstream is let go of."""
        if self.upstream.transport is None:
            abort_transport(self._joined.transport)

    # --- The end, from one side.

    def read_ended(self, end: End) -> None:
        """Pass a half-close on, or close both behind the second."""
        other = end.other
        if other.read_ended:
            other.lose()
            end.lose()
            return
        other.end_writing()
        if self._step == _Step.CLOSING:
            self.answered()

    def lost(self, end: End, reason: Failure) -> None:
        """Close the other end in order, or break it off as this one was."""
        other = end.other
        # Behind a Close frame nothing is missing; many clients end TLS without its own close.
        in_order = isinstance(reason.value, ConnectionDone) or (
            isinstance(end, FramedEnd) and end.frames.close_code is not None
        )
        if self._reason is None and not in_order:
            self._reason = Reason.UPSTREAM_LOST if end is self.upstream else Reason.LOST
        if other.lost or other.transport is None:
            self._over()
        elif not in_order:
            other.abort()
        elif self._step == _Step.CLOSING:
            self.answered()
        else:
            other.lose()

    def _over(self) -> None:
        if self._is_over:
            return
        self._is_over = True
        self._watch.wheel.forget(self)
        self.client.release()
        self.upstream.release()

    # --- The end, from here.

    def going_away(self, code: int = 1001) -> None:
        """End because the server stops; see ``Ending``."""
        self._end(Reason.STOPPED, code)

    def _end(self, reason: Reason, code: int) -> None:
        """Say Close to both ends of a WebSocket, each at the end of a frame; close others behind what is buffered."""
        if self._step or self._is_over:
            return
        self._reason = self._reason or reason
        client, upstream = self.client, self.upstream
        if isinstance(client, FramedEnd) and isinstance(upstream, FramedEnd):
            self._next_step(_Step.CLOSING)
            client.close(code)
            upstream.close(code)
            self.answered()
        else:
            self._lose()

    def answered(self) -> None:
        """Close whoever gets nothing more and has said all that matters."""
        for end in (self.client, self.upstream):
            if isinstance(end, FramedEnd) and not end.lost and end.silent and end.other.cut:
                end.lose()

    def _lose(self) -> None:
        self._next_step(_Step.LOSING)
        self.client.lose()
        self.upstream.lose()

    def _next_step(self, step: int) -> None:
        self._step = step
        self._until = self._watch.clock.seconds() + STEP_SECONDS
        self._watch.wheel.hasten(self)

    def summary(self) -> EndSummary:
        """Say how it went; see ``Ending``."""
        client, upstream = self.client, self.upstream
        code = None
        if isinstance(client, FramedEnd) and isinstance(upstream, FramedEnd):
            code = client.frames.close_code or upstream.frames.close_code
        reason = self._reason or Reason.CLOSED
        return EndSummary(client.received, upstream.received, code, str(reason.value))

    # --- The wheel.

    def deadline(self) -> float | None:
        """Say when to look after this tunnel again; notice whether something has gone through since the last time."""
        if self._step:
            return self._until
        idle_timeout = self._watch.idle_timeout
        if idle_timeout is None:
            return None
        seen = self.client.received + self.upstream.received
        if seen != self._seen:
            self._seen = seen
            self._since = self._watch.clock.seconds()
        return self._since + idle_timeout

    def expired(self) -> None:
        """It has been idle for too long, or a step of its ending has taken too long."""
        if self._step == _Step.OPEN:
            self._end(Reason.TUNNEL_IDLE, 1001)
        elif self._step == _Step.CLOSING:
            self._lose()
        else:
            self._next_step(_Step.ABORTED)
            self.client.abort()
            self.upstream.abort()
