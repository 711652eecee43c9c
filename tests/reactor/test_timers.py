"""Delayed calls: their order, and what moves or cancels them."""

from __future__ import annotations

from typing import Any

from tests.reactor.running import new_reactor, run


def test_calls_come_in_their_order_and_not_early() -> None:
    """Those of one time in the order in which they were asked for."""
    seen: list[tuple[str, bool]] = []
    with new_reactor() as reactor:
        begun = reactor.seconds()

        def note(name: str, delay: float) -> None:
            seen.append((name, reactor.seconds() >= begun + delay))

        for name, delay in (("c", 0.02), ("b", 0.01), ("a", 0.0)):
            reactor.callLater(delay, note, name, delay)
        run(reactor, lambda: len(seen) == 3)
    assert seen == [("a", True), ("b", True), ("c", True)]


def test_a_call_can_be_moved_and_cancelled() -> None:
    """Ahead of the alarm, behind it, or away."""
    seen: list[str] = []
    with new_reactor() as reactor:
        ahead = reactor.callLater(1000, seen.append, "ahead")
        away = reactor.callLater(0.001, seen.append, "away")
        behind = reactor.callLater(0.001, seen.append, "behind")
        ahead.reset(0.001)
        behind.delay(1000)
        away.cancel()
        run(reactor, lambda: seen != [])
        assert (seen, reactor.getDelayedCalls()) == (["ahead"], [behind])
        behind.cancel()


def test_a_call_that_fails_holds_no_other_up() -> None:
    """It is logged."""
    seen: list[str] = []
    with new_reactor() as reactor:
        reactor.callLater(0, lambda: 1 / 0)
        reactor.callLater(0, seen.append, "next")
        run(reactor, lambda: seen != [])


def test_only_the_next_call_to_come_sets_the_alarm() -> None:
    """A later one costs uvloop nothing."""
    alarms: list[float] = []
    with new_reactor() as reactor:
        loop: Any = reactor.loop

        class Counting:
            def call_later(self, delay: float, *arguments: Any) -> Any:
                alarms.append(delay)
                return loop.call_later(delay, *arguments)

            def __getattr__(self, name: str) -> Any:
                return getattr(loop, name)

        reactor.loop = Counting()  # type: ignore[assignment]
        calls = [reactor.callLater(delay, int) for delay in (100, 200, 50, 300)]
        reactor.loop = loop
        for call in calls:
            call.cancel()
    assert [round(delay) for delay in alarms] == [100, 50]
