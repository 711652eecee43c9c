"""An orderly end with a deadline: everybody is told, waited for, and what is left in the end is aborted and counted.

``UpgradeSite.drain`` ends all connections of a site, a ``Drain`` those behind the resources that share it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from upgradegw.negotiation.websocket import check_close_code
from upgradegw.transports import abort_transport

_log = Logger(namespace="upgradegw")

#: Seconds that aborted connections have to be gone; they need one turn of the reactor.
_ABORT_SECONDS = 1.0


class OrderlyEnd:
    """Everybody is told, waited for, and in the end aborted.

    Attributes:
        is_over: Whether nobody is left, or was given up.
    """

    def __init__(self, stop: Callable[[int], Deferred[None]], abort: Callable[[], int]) -> None:
        """Prepare.

        Args:
            stop: Tells everybody, with a close code; its Deferred fires when the last is gone.
            abort: Ends at once those that are left, and returns how many these are.
        """
        self.is_over = False
        self._stop = stop
        self._abort = abort
        self._aborted = 0
        self._waiting: list[Deferred[int]] = []
        self._calls: list[IDelayedCall] = []

    def begin(self, clock: IReactorTime | None, timeout: float, code: int) -> None:
        """Tell everybody, and wait.

        Args:
            clock: Gives the time; None where there is nobody to wait for.
            timeout: Seconds until what is left is aborted.
            code: The close code for those that have one.
        """
        if clock is not None:
            self._calls = [
                clock.callLater(timeout, self._give_up),
                clock.callLater(timeout + _ABORT_SECONDS, self._finish),
            ]
        self._stop(code).addCallback(self._finish)

    def join(self) -> Deferred[int]:
        """Return a Deferred that fires with the number of those that were aborted, when all have ended."""
        # Each has one of its own, so that whoever cancels his concerns nobody else.
        joined: Deferred[int] = Deferred()
        if self.is_over:
            joined.callback(self._aborted)
        else:
            self._waiting.append(joined)
        return joined

    def _give_up(self) -> None:
        self._aborted = self._abort()
        _log.info("{number} connections have not ended: aborting", number=self._aborted)

    def _finish(self, _result: object = None) -> None:
        if self.is_over:
            return
        self.is_over = True
        for call in self._calls:
            if call.active():
                call.cancel()
        waiting, self._waiting = self._waiting, []
        for joined in waiting:
            if not joined.called:  # it may have been cancelled
                joined.callback(self._aborted)


def check_end(timeout: float, code: int) -> None:
    """Raise ValueError unless this is a time to wait, and a code that a Close frame can have."""
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or timeout < 0:
        raise ValueError(f"timeout={timeout!r} must be a number of seconds, 0 to abort at once")
    check_close_code(code)


class Drainable:
    """The part of a site that ends all of its connections in order.

    Attributes:
        reactor: Gives the time.
    """

    reactor: Any
    _context: Any
    _end: OrderlyEnd | None = None

    def drain(self, timeout: float = 10.0, code: int = 1001) -> Deferred[int]:
        """Stop, and abort what has not ended in time. A second call joins the first, whatever its arguments.

        Stop listening before: from here on new connections are answered with 503.

        Args:
            timeout: Seconds that the connections have.
            code: What WebSockets are closed with (RFC 6455 section 7.4): 1001 going away, 1012 service restart.

        Returns:
            A Deferred, to be awaited or not, that fires with how many connections had to be aborted.

        Raises:
            ValueError: The time is below 0, or the code is none that can be sent.
        """
        check_end(timeout, code)
        if self._end is None:
            self._end = OrderlyEnd(self._context.stop, self._abort_left)
            self._end.begin(self.reactor if self._context.connections else None, timeout, code)
        return self._end.join()

    def _abort_left(self) -> int:
        left = len(self._context.connections)
        self._context.abort()
        return left


class Switched:
    """A connection at the switch and behind it, as a ``Drain`` knows it."""

    __slots__ = ("_code", "_going_away", "_transport")

    def __init__(self) -> None:
        """Begin to switch."""
        self._code: int | None = None
        self._going_away: Callable[[int], None] | None = None
        self._transport: Any = None

    def ready(self, going_away: Callable[[int], None], transport: Any) -> None:
        """It has switched.

        Args:
            going_away: Ends it in order, with a close code.
            transport: Its transport.
        """
        self._going_away = going_away
        self._transport = transport
        if self._code is not None:
            self.stop(self._code)

    def stop(self, code: int) -> None:
        """End in order, now or when it has switched; what the application raises costs this connection only."""
        self._code = code
        if self._going_away is None:
            return
        try:
            self._going_away(code)
        except Exception:  # noqa: BLE001 - the application's
            _log.failure("an application failed at the end of its connection")
            self.abort()

    def abort(self) -> None:
        """End at once."""
        if self._transport is not None:
            abort_transport(self._transport)


class Drain:
    """Ends in order what is connected to the resources that share it, also in a stock ``Site``.

    ::

        drain = Drain()
        root.putChild(b"chat", UpgradeResource([websocket(chat)], drain=drain))
        root.putChild(b"feed", UpgradeResource([stream("feed", feed)], drain=drain))
        …
        aborted = await drain(timeout=10)

    From the call on these resources refuse upgrades with 503 and ``Retry-After``, those among them that were being
    prepared; plain requests are answered by ``otherwise`` as before.

    Attributes:
        draining: Whether it has been called.
    """

    def __init__(self, reactor: IReactorTime | None = None) -> None:
        """Wait for the call.

        Args:
            reactor: Gives the time; by default that of the site through which connections came.
        """
        self.draining = False
        self._clock = reactor
        self._switched: set[Switched] = set()
        self._end = OrderlyEnd(self._stop, self._abort)
        self._gone: Deferred[None] = Deferred()

    def __call__(self, timeout: float = 10.0, code: int = 1001) -> Deferred[int]:
        """End all connections in order: WebSockets with a Close frame, other protocols behind what is buffered.

        A second call joins the first, whatever its arguments.

        Args:
            timeout: Seconds that they have; what is left then is aborted.
            code: The code of the Close frame (RFC 6455 section 7.4): 1001 going away, 1012 service restart.

        Returns:
            A Deferred, to be awaited or not, that fires with how many connections had to be aborted.

        Raises:
            ValueError: The time is below 0, or the code is none that can be sent.
        """
        check_end(timeout, code)
        if not self.draining:
            self.draining = True
            self._end.begin(self._clock if self._switched else None, timeout, code)
        return self._end.join()

    def _stop(self, code: int) -> Deferred[None]:
        for switched in list(self._switched):
            switched.stop(code)
        if not self._switched and not self._gone.called:
            self._gone.callback(None)
        return self._gone

    def _abort(self) -> int:
        left = list(self._switched)
        for switched in left:
            switched.abort()
        return len(left)

    @property
    def open(self) -> int:
        """How many connections have switched, or are about to, and have not ended."""
        return len(self._switched)

    # --- For the resources.

    def add(self, clock: IReactorTime) -> Switched:
        """A connection is about to switch.

        Args:
            clock: Gives the time where it is.
        """
        if self._clock is None:
            self._clock = clock
        switched = Switched()
        self._switched.add(switched)
        return switched

    def remove(self, switched: Switched) -> None:
        """A connection has ended.

        Args:
            switched: What ``add`` returned for it.
        """
        self._switched.discard(switched)
        if self.draining and not self._switched and not self._gone.called:
            self._gone.callback(None)
