"""Access events reach those who subscribed, whatever becomes of other observers."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from upgradegw.events import AccessEvents


class Observers(SynchronousTestCase):
    """Several observers of one list."""

    def setUp(self) -> None:
        self.events = AccessEvents()
        self.seen: list[Any] = []

    def test_observer_that_fails(self) -> None:
        """A-45: an observer that raises costs a traceback; the others hear the event, and the caller goes on."""

        def failing(event: Any) -> None:
            raise KeyError(event["event"])

        self.events.subscribe(failing)
        self.events.subscribe(self.seen.append)
        self.events.emit("{event}", event="end")
        assert [event["event"] for event in self.seen] == ["end"]
        assert len(self.flushLoggedErrors(KeyError)) == 1

    def test_observer_that_leaves(self) -> None:
        """One that ends its subscription at an event does not keep the event from the next one."""

        def once(event: Any) -> None:
            unsubscribe()

        unsubscribe = self.events.subscribe(once)
        self.events.subscribe(self.seen.append)
        self.events.emit("{event}", event="switch")
        self.events.emit("{event}", event="end")
        assert [event["event"] for event in self.seen] == ["switch", "end"]
