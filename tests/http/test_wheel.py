"""The wheel: deadlines of many with one delayed call."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from upgradegw.http.wheel import Wheel


class Thing:
    """Something with a deadline that the test sets."""

    def __init__(self, wheel: Wheel, due: float | None) -> None:
        self.bucket = 0
        self.wheel = wheel
        self.due = due
        self.fired: list[float] = []
        self.asked = 0

    def deadline(self) -> float | None:
        self.asked += 1
        return self.due

    def expired(self) -> None:
        self.fired.append(self.wheel._clock.seconds())
        self.wheel.forget(self)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize("begin", [Wheel.hasten, Wheel.enter])
@pytest.mark.parametrize("due", [0.0, 0.5, 1.0, 9.3, 10.0, 59.0])
def test_a_deadline_fires_within_a_second(clock: Clock, due: float, begin: Callable[[Wheel, Thing], None]) -> None:
    """A deadline is never early, and at most a second late."""
    wheel = Wheel(clock, 60)
    thing = Thing(wheel, due)
    begin(wheel, thing)
    clock.pump([0.125] * 520)
    assert len(thing.fired) == 1
    assert due <= thing.fired[0] <= due + 1


def test_who_leaves_soon(clock: Clock) -> None:
    """What enters is not asked for its deadline if it leaves within a second; what stays is, and fires in time."""
    wheel = Wheel(clock, 60)
    first, second = Thing(wheel, 5.0), Thing(wheel, 5.0)
    wheel.enter(first)
    wheel.enter(second)
    clock.advance(0.5)
    wheel.leave(first)
    clock.pump([0.5] * 20)
    assert (first.asked, first.fired) == (0, [])
    assert second.fired == [5.0]
    assert clock.getDelayedCalls() == []


def test_one_call_while_anything_is_watched(clock: Clock) -> None:
    """There is one delayed call for all, and none when nothing is watched."""
    wheel = Wheel(clock, 60)
    things = [Thing(wheel, float(due)) for due in range(1, 50)]
    for thing in things:
        wheel.hasten(thing)
        assert len(clock.getDelayedCalls()) == 1
    assert len(wheel) == 49
    for thing in things[::2]:
        wheel.forget(thing)
        wheel.forget(thing)
    assert len(clock.getDelayedCalls()) == 1
    clock.pump([1] * 60)
    assert clock.getDelayedCalls() == []
    assert [len(thing.fired) for thing in things] == [0, 1] * 24 + [0]


def test_a_deadline_that_moves_away_costs_nothing(clock: Clock) -> None:
    """Something that is busy moves its deadline without telling; it is asked when its bucket comes."""
    wheel = Wheel(clock, 60)
    thing = Thing(wheel, 5.0)
    wheel.hasten(thing)
    thing.due = 100.0
    clock.pump([1] * 99)
    assert thing.fired == []
    assert thing.asked < 10
    clock.pump([1] * 2)
    assert len(thing.fired) == 1


def test_no_deadline_is_asked_again(clock: Clock) -> None:
    """Something without a deadline is asked every ``longest`` seconds, so that one that appears is met."""
    wheel = Wheel(clock, 10)
    thing = Thing(wheel, None)
    wheel.hasten(thing)
    clock.advance(7)
    thing.due = 17.0
    clock.pump([0.5] * 21)
    assert len(thing.fired) == 1
    assert 17 <= thing.fired[0] <= 18


def test_hasten_brings_forward_and_not_back(clock: Clock) -> None:
    """A nearer deadline is met when the wheel is told; a farther one needs no telling."""
    wheel = Wheel(clock, 60)
    thing = Thing(wheel, 50.0)
    wheel.hasten(thing)
    thing.due = 3.0
    wheel.hasten(thing)
    clock.advance(3)
    assert thing.fired == [3.0]
    other = Thing(wheel, 10.0)
    wheel.hasten(other)
    bucket, other.due = other.bucket, 40.0
    wheel.hasten(other)
    assert other.bucket == bucket


def test_one_that_expires_may_end_others(clock: Clock) -> None:
    """Forgetting another one of the same bucket, while the bucket is gone through, is safe."""
    wheel = Wheel(clock, 60)
    one, two = Thing(wheel, 5.0), Thing(wheel, 5.0)

    def end_both() -> None:
        wheel.forget(one)
        wheel.forget(two)

    one.expired = two.expired = end_both  # type: ignore[method-assign]
    wheel.hasten(one)
    wheel.hasten(two)
    clock.advance(6)
    assert clock.getDelayedCalls() == []


class Faults(SynchronousTestCase):
    """What happens when a connection's own code fails."""

    def test_one_fault_does_not_stop_the_clock(self) -> None:
        """A-45: an exception is logged; the others' deadlines are met, and the faulty one is asked again."""
        clock = Clock()
        wheel = Wheel(clock, 60)
        bad, good = Thing(wheel, 5.0), Thing(wheel, 6.0)
        bad.expired = lambda: 1 // 0  # type: ignore[method-assign,assignment,return-value]
        wheel.hasten(bad)
        wheel.hasten(good)
        clock.pump([1] * 7)
        assert len(good.fired) == 1
        assert self.flushLoggedErrors(ZeroDivisionError)
        wheel.forget(bad)


def test_leaving(clock: Clock) -> None:
    """Whoever leaves is forgotten; the delayed call stays for those who come, until the wheel is told to rest."""
    wheel = Wheel(clock, 60)
    thing = Thing(wheel, 5.0)
    wheel.hasten(thing)
    wheel.leave(thing)
    wheel.leave(thing)
    assert (len(wheel), len(clock.getDelayedCalls())) == (0, 1)
    other = Thing(wheel, 3.0)
    wheel.hasten(other)
    wheel.rest()
    assert len(clock.getDelayedCalls()) == 1
    clock.pump([1] * 6)
    assert (thing.fired, other.fired, clock.getDelayedCalls()) == ([], [3.0], [])
    wheel.hasten(thing)
    wheel.leave(thing)
    wheel.rest()
    assert clock.getDelayedCalls() == []
