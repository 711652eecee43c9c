"""Timers: Twisted's heap of delayed calls, and one alarm of uvloop for the first of them.

Twisted's asyncio reactor sorts its heap and asks for the time on every ``callLater``, and may set an alarm. Here a call
costs what it costs on Twisted's other reactors, unless it is the next to come. This is the one file that overrides
private methods of Twisted's reactor.
"""

from __future__ import annotations

from asyncio import Handle
from collections.abc import Callable
from math import inf
from typing import Any

from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.base import DelayedCall

#: Seconds added to a delay: libuv counts whole milliseconds, and an alarm that comes too early must be set again.
_NOT_EARLY = 0.0005


class TimedReactor(AsyncioSelectorReactor):
    """Twisted's asyncio reactor with cheaper timers.

    Attributes:
        loop: The loop.
    """

    def __init__(self, loop: Any) -> None:
        self.loop = loop
        self._due = inf  # when the alarm comes, in ``seconds``; -inf while delayed calls are being made
        self._alarm: Handle | None = None
        super().__init__(loop)

    def callLater(self, delay: float, callable: Callable[..., Any], *args: object, **kw: object) -> DelayedCall:  # noqa: A002 - Twisted's name
        """See ``IReactorTime.callLater``."""
        # Past the asyncio reactor, to the one that all reactors share.
        call = super(AsyncioSelectorReactor, self).callLater(delay, callable, *args, **kw)
        due = call.getTime()
        if due < self._due:
            self._set_alarm(due)
        return call

    def _ring(self) -> None:
        self._due, self._alarm = -inf, None
        try:
            self.runUntilCurrent()
        finally:
            self._due = inf
            self._reschedule()

    def _reschedule(self) -> None:
        """Set the alarm for the first call; Twisted calls this also when a call was moved ahead."""
        delay = self.timeout()
        if delay is None:
            return
        due = self.seconds() + delay
        if due < self._due:
            self._set_alarm(due)

    def _set_alarm(self, due: float) -> None:
        self._due = due
        if self._alarm is not None:
            self._alarm.cancel()
        delay = due - self.seconds()
        if delay > 0:
            self._alarm = self.loop.call_later(delay + _NOT_EARLY, self._ring)
        else:
            self._alarm = self.loop.call_soon(self._ring)
