"""Rates and clocks."""

from __future__ import annotations

import txaio
from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from upgradegw.protocols.websocket.timing import Bucket, seconds


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
