"""A reactor in memory: its time passes when a test says so, and what is ready happens at once."""

from __future__ import annotations

from math import inf
from typing import Any

from twisted.internet.testing import MemoryReactorClock

from upgradegw.testing.ends import End

#: Steps in one moment after which nobody expects an end.
_TOO_MANY = 1_000_000


class Reactor(MemoryReactorClock):
    """Twisted's ``MemoryReactorClock``, which also moves the bytes of the connections in memory.

    A site that is to be tested with ``Client`` is made with one: ``UpgradeSite(root, reactor=Reactor())``.
    """

    def __init__(self) -> None:
        """Begin at second 0."""
        super().__init__()
        self._turning = False

    def advance(self, amount: float) -> None:
        """Let time pass, from one delayed call to the next; what follows from each happens before the next.

        Args:
            amount: Seconds.
        """
        if self._turning:
            super().advance(amount)
            return
        self.turn()
        end = self.rightNow + amount
        while (due := min((call.getTime() for call in self.calls), default=inf)) <= end:
            self.rightNow = max(self.rightNow, due)
            self.turn()
        self.rightNow = max(self.rightNow, end)

    def turn(self) -> None:
        """Let everything happen that needs no time.

        Raises:
            RuntimeError: There is no end to it: a call that calls itself again with no delay, for example.
        """
        if self._turning:
            return
        self._turning = True
        try:
            for _ in range(_TOO_MANY):
                if not self._step():
                    return
        finally:
            self._turning = False
        raise RuntimeError("the site and its clients never come to rest")

    def _step(self) -> bool:
        """Give every connection that is ready a turn, and make the next call that is due; return whether any was."""
        ready = [end for end in _ends(self.getReaders()) if end.readable]
        for end in ready:
            if end.readable and end in self.readers:
                end.take_turn(reading=True)
        waiting = [end for end in _ends(self.getWriters()) if end.writable]
        for end in waiting:
            if end.writable and end in self.writers:
                end.take_turn(reading=False)
        return self._make_next_call() or bool(ready or waiting)

    def _make_next_call(self) -> bool:
        """Make the first call that is due; return whether there was one."""
        call = min(self.calls, key=lambda each: each.getTime(), default=None)
        if call is None or call.getTime() > self.rightNow:
            return False
        self.calls.remove(call)
        call.called = 1
        call.func(*call.args, **call.kw)
        return True


def _ends(descriptors: list[Any]) -> list[End]:
    """Return those that are ours, in the order in which they were made."""
    return sorted((each for each in descriptors if isinstance(each, End)), key=lambda end: end.number)
