"""An upgrade that answers too late or wrongly: what it holds is given back once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.protocol import Protocol
from twisted.trial.unittest import SynchronousTestCase

from tests.memory import Memory, upgrade_request
from upgradegw.interfaces import Accept
from upgradegw.negotiation.model import UpgradeProtocol
from upgradegw.web.resource import UpgradeResource


class Preparing:
    """An upgrade whose ``prepare`` is the test's."""

    protocol = UpgradeProtocol(b"echo")
    methods = (b"GET",)
    content = False

    def __init__(self, prepare: Callable[[], Any]) -> None:
        self._prepare = prepare

    def check(self, head: Any) -> None:
        return None

    def prepare(self, info: Any, transport: Any) -> Any:
        return self._prepare()


class _OnEachSite:
    """Tests that run on both kinds of site."""

    stock: bool

    def setUp(self) -> None:
        self.released: list[str] = []

    def accept(self, **arguments: Any) -> Accept:
        return Accept(Protocol(), release=lambda: self.released.append("released"), **arguments)

    def connect(self, prepare: Callable[[], Any]) -> Memory:
        memory = Memory(UpgradeResource([Preparing(prepare)]), stock=self.stock)
        memory.send(upgrade_request())
        return memory

    async def stubborn(self) -> Accept:
        """Accept just because nobody wants it any more."""
        with contextlib.suppress(CancelledError):
            await Deferred()
        return self.accept()

    def test_accepted_too_late(self) -> None:
        """A-45: 503, and what has been made ready is released."""
        memory = self.connect(self.stubborn)
        memory.clock.advance(10.1)
        assert memory.status == 503
        assert self.released == ["released"]

    def test_accepted_when_the_client_has_left(self) -> None:
        """A-45: nothing is written, what has been made ready is released, and no timer is left."""
        memory = self.connect(self.stubborn)
        memory.transport.lose(ConnectionLost())
        assert memory.received == b""
        assert self.released == ["released"]
        if self.stock:
            assert not memory.clock.getDelayedCalls()  # type: ignore[attr-defined]

    def test_phrase_that_cannot_be_sent(self) -> None:
        """A-35: a reason phrase with a line break costs this request a 500."""
        memory = self.connect(lambda: self.accept(phrase=b"OK\r\nX-B: 1"))
        assert memory.status == 500
        assert b"X-B" not in memory.received
        assert self.released == ["released"]
        assert len(self.flushLoggedErrors(ValueError)) == 1  # type: ignore[attr-defined]


class StockSiteTests(_OnEachSite, SynchronousTestCase):
    """In ``twisted.web.server.Site``."""

    stock = True


class UpgradeSiteTests(_OnEachSite, SynchronousTestCase):
    """In ``UpgradeSite``."""

    stock = False
