"""Rates and clocks."""

from __future__ import annotations

from typing import Any

import txaio
from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from upgradegw.protocols.websocket.timing import Bucket, SlotTimer, seconds


class Timing(SynchronousTestCase):
    """What limits are measured with."""

    def test_a_bucket_refills(self) -> None:
        """A-29: one second's worth at once, then the rate, never more than one second's worth."""
        clock = Clock()
        self.patch(txaio.config, "loop", clock)
        bucket = Bucket(4)
        assert [bucket.take() for _ in range(5)] == [True] * 4 + [False]
        clock.advance(0.5)
        assert [bucket.take() for _ in range(3)] == [True, True, False]
        clock.advance(100)
        assert [bucket.take() for _ in range(5)] == [True] * 4 + [False]

    def test_without_configuration_it_is_the_reactors(self) -> None:
        """The clock that Autobahn would choose."""
        self.patch(txaio.config, "loop", None)
        assert 0 <= reactor.seconds() - seconds() + 1 <= 1  # type: ignore[attr-defined]


class Slots(SynchronousTestCase):
    """The timer of pings and closing handshakes."""

    def setUp(self) -> None:
        """Have a clock of our own."""
        self.clock = Clock()
        self.patch(txaio.config, "loop", self.clock)
        self.timer = SlotTimer()
        self.called: list[int] = []

    def _add(self, delay: float, number: int) -> Any:
        return self.timer.call_later(delay, lambda: self.called.append(number))

    def test_calls_come_in_their_slot(self) -> None:
        """A call comes not before its time and at most a slot behind it, in the order in which they were asked for."""
        self.clock.advance(0.03)
        for number, delay in enumerate([20, 20.05, 20.3, 0]):
            self._add(delay, number)
        self.clock.advance(0.18)
        assert self.called == [3]
        self.clock.advance(19.8)
        assert self.called == [3]
        self.clock.advance(0.2)
        assert self.called == [3, 0, 1]
        self.clock.advance(0.2)
        assert self.called == [3, 0, 1, 2]
        assert self.clock.getDelayedCalls() == []

    def test_one_delayed_call_for_thousands(self) -> None:
        """Ten thousand calls of one slot are one delayed call; each cancelled without touching the others."""
        calls = [self._add(20, number) for number in range(10_000)]
        assert len(self.clock.getDelayedCalls()) == 1
        for call in calls[1:]:
            call.cancel()
            call.cancel()
        assert len(self.clock.getDelayedCalls()) == 1
        calls[0].cancel()
        assert self.clock.getDelayedCalls() == []
        self.clock.advance(21)
        assert self.called == []

    def test_others_have_their_turn(self) -> None:
        """What falls due at once is called in portions, each in a turn of its own."""
        for number in range(1_200):
            self._add(1, number)
        self.clock.callLater(1, lambda: self.called.append(-1))
        self.clock.advance(1.1)
        assert self.called.index(-1) == 500
        self.called.remove(-1)
        assert self.called == list(range(1_200))

    def test_calls_change_the_slot(self) -> None:
        """A call may cancel the others of its slot, and ask for another."""
        last = self._add(1, 2)
        last.cancel()

        def call() -> None:
            last.cancel()
            self._add(0, 3)

        self.timer.call_later(1, call)
        last = self._add(1, 2)
        self.clock.advance(1)
        self.clock.advance(0.2)
        assert self.called == [3]
        assert self.clock.getDelayedCalls() == []

    def test_a_fault_is_logged(self) -> None:
        """A-45: what one call raises is logged, and the others are made."""
        self.timer.call_later(1, lambda: 1 // 0)
        self._add(1, 1)
        self.clock.advance(1)
        assert self.called == [1]
        assert len(self.flushLoggedErrors(ZeroDivisionError)) == 1
