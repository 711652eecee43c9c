"""A factory in use behind upgrades."""

from __future__ import annotations

from typing import Any

from twisted.internet.protocol import Factory
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from upgradegw.protocols.factories import FactoryUse


class Counted(Factory):
    """Notes when it is started and stopped."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def startFactory(self) -> None:
        self.steps.append("start")

    def stopFactory(self) -> None:
        self.steps.append("stop")


class FactoryUseTests(SynchronousTestCase):
    """Started at the first connection, stopped after the last."""

    def test_counting(self) -> None:
        """A second connection neither starts nor, when it goes, stops it."""
        factory = Counted()
        use = FactoryUse(factory)
        use.acquire()
        use.acquire()
        use.release()
        assert factory.steps == ["start"]
        use.release()
        assert factory.steps == ["start", "stop"]

    def test_quiet(self) -> None:
        """Nothing of it is logged, and the factory's own wish is left as it was."""
        events: list[Any] = []
        globalLogPublisher.addObserver(events.append)
        self.addCleanup(globalLogPublisher.removeObserver, events.append)
        factory, outspoken = Counted(), Counted()
        outspoken.noisy = True
        for each in (factory, outspoken):
            use = FactoryUse(each)
            use.acquire()
            use.release()
        assert not events
        assert "noisy" not in vars(factory)
        assert factory.noisy
        assert vars(outspoken)["noisy"] is True
