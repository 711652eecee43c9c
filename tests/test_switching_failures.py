"""The application fails behind the 101: one connection is lost, one traceback is logged, others live on."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.memory import Memory, upgrade_request
from tests.protocols_for_tests import RecorderFactory, fail
from upgradegw.protocols.stream import stream
from upgradegw.web.resource import UpgradeResource


class _Failing:
    """The application fails behind the switch: one connection is lost, one traceback is logged, others live on."""

    stock: bool

    def assert_only_this_one_dies(self, factory: RecorderFactory, *data: bytes) -> None:
        memory = Memory(UpgradeResource([stream("echo", factory)]), stock=self.stock)
        other = memory.connect()
        other.deliver(upgrade_request())
        factory.behaviour.update(self.behaviour)
        memory.send(upgrade_request(), *data)
        assert memory.transport.disconnected or memory.transport.disconnecting
        assert len(self.flushLoggedErrors(RuntimeError)) == 1  # type: ignore[attr-defined]
        factory.behaviour.clear()
        other.deliver(b"alive")
        assert factory.built[0].data == b"alive"

    behaviour: dict[str, Any]

    def test_upgraded_raises(self) -> None:
        """A-45: ``upgraded`` raises."""
        self.behaviour = {"upgraded": fail}
        self.assert_only_this_one_dies(RecorderFactory())

    def test_connection_made_raises(self) -> None:
        """A-45: ``connectionMade`` raises."""
        self.behaviour = {"made": fail}
        self.assert_only_this_one_dies(RecorderFactory())

    def test_data_received_raises_on_leading_data(self) -> None:
        """A-45: ``dataReceived`` raises on the bytes behind the request."""
        self.behaviour = {"data": fail}
        factory = RecorderFactory()
        memory = Memory(UpgradeResource([stream("echo", factory)]), stock=self.stock)
        factory.behaviour.update(self.behaviour)
        memory.send(upgrade_request() + b"boom")
        assert memory.transport.disconnected
        assert len(self.flushLoggedErrors(RuntimeError)) == 1  # type: ignore[attr-defined]


class StockSiteFailureTests(_Failing, SynchronousTestCase):
    """Over ``twisted.web.server.Site``."""

    stock = True


class UpgradeSiteFailureTests(_Failing, SynchronousTestCase):
    """Over ``UpgradeSite``."""

    stock = False
