"""Time as Autobahn has it: its timers run on the clock that txaio is configured with, and so do ours."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from math import ceil
from typing import Any

import txaio
from twisted.logger import Logger

_log = Logger(namespace="upgradegw.websocket")


def call_later(seconds: float, call: Callable[..., None], *args: Any) -> Any:
    """Call later on Autobahn's clock; the result has ``cancel`` and ``active``."""
    return txaio.call_later(seconds, call, *args)


def seconds() -> float:
    """Return the time of Autobahn's clock."""
    clock: Any = txaio.config.loop
    if clock is None:
        from twisted.internet import reactor as clock  # noqa: PLC0415 - importing this module installs no reactor
    return clock.seconds()  # type: ignore[no-any-return]


#: Calls are gathered for so many seconds; pings and closing handshakes need no more precision.
_SLOT = 0.2

#: Calls made before others may have their turn.
_CHUNK = 500


class SlotTimer:
    """Calls later, with one delayed call for all that fall into one slot of time.

    Autobahn's own timer (``make_batched_timer`` of txaio) searches a list when a call is cancelled, so that each end of
    a connection costs more the more connections there are. This one has the part of its interface that Autobahn uses.
    """

    def __init__(self) -> None:
        """Have nothing to call."""
        self._slots: dict[int, _Slot] = {}

    def call_later(self, delay: float, call: Callable[[], None]) -> _Call:
        """Call after so many seconds, or up to 0.2 s later."""
        now = seconds()
        due = ceil((now + delay) / _SLOT)
        slot = self._slots.get(due)
        if slot is None:
            slot = self._slots[due] = _Slot(self._slots, due, now)
        return _Call(slot, call)


class _Slot:
    """The calls of one slot of time, and the delayed call that will make them."""

    __slots__ = ("_delayed", "_due", "_slots", "calls")

    def __init__(self, slots: dict[int, _Slot], due: int, now: float) -> None:
        self.calls: dict[_Call, None] = {}
        self._slots = slots
        self._due = due
        self._delayed = call_later(due * _SLOT - now, self._run)

    def drop(self) -> None:
        """All calls have been cancelled; if that happened while they were being made, the rest follows there."""
        if self._delayed.active():
            self._delayed.cancel()
            del self._slots[self._due]

    def _run(self) -> None:
        """Make the calls, in order; what one of them raises is logged."""
        calls = self.calls
        for each in list(islice(calls, _CHUNK)):
            if calls.pop(each, each) is None:
                try:
                    each.call()
                except Exception:  # noqa: BLE001 - one connection's fault must not stop the clock of the others
                    _log.failure("a timed call of a WebSocket connection")
        if calls:
            self._delayed = call_later(0, self._run)
        else:
            del self._slots[self._due]


class _Call:
    """One call to come; the same interface as Autobahn's timer gives."""

    __slots__ = ("_slot", "call")

    def __init__(self, slot: _Slot, call: Callable[[], None]) -> None:
        self._slot = slot
        self.call = call
        slot.calls[self] = None

    def cancel(self) -> None:
        """Do not call."""
        calls = self._slot.calls
        if calls.pop(self, self) is None and not calls:
            self._slot.drop()


class Bucket:
    """A rate with a burst of one second's worth."""

    __slots__ = ("_at", "_left", "_rate")

    def __init__(self, rate: float) -> None:
        """Start full.

        Args:
            rate: How many may pass a second.
        """
        self._rate = rate
        self._left = rate
        self._at: float | None = None

    def take(self) -> bool:
        """Let one pass, or say that it must not."""
        now = seconds()
        if self._at is not None:
            self._left = min(self._rate, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
