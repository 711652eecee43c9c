"""What arrives while the new protocol is not ready for it: held bytes, a FIN, and calls within calls."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from tests.memory import Memory, upgrade_request
from tests.protocols_for_tests import RecorderFactory, echo, fail
from upgradegw.interfaces import Allow
from upgradegw.protocols.stream import stream
from upgradegw.web.resource import UpgradeResource


def pause(protocol: Any) -> None:
    """A behaviour: stop reading."""
    protocol.transport.pauseProducing()


class EndOfStreamBeforeTheSwitch(SynchronousTestCase):
    """A-32: the client sent its last byte and a FIN while the application was still deciding."""

    def switch(self, factory: RecorderFactory, behind: bytes = b"all") -> Memory:
        answer: Deferred[Allow] = Deferred()
        memory = Memory(UpgradeResource([stream("echo", factory)], authorize=lambda request: answer))
        memory.send(upgrade_request() + behind)
        memory.transport.end_of_stream()
        answer.callback(Allow())
        return memory

    def test_paused(self) -> None:
        """A-32: the FIN stays behind the bytes that are held while the protocol does not read."""
        factory = RecorderFactory(half_close=True, made=pause)
        self.switch(factory)
        assert factory.only.events == ["upgraded", "made"]
        factory.only.transport.resumeProducing()  # type: ignore[union-attr]
        assert factory.only.events == ["upgraded", "made", "data", "read lost"]

    def test_paused_without_data(self) -> None:
        """A-32: the same if nothing but the FIN is held."""
        factory = RecorderFactory(half_close=True, made=pause)
        self.switch(factory, b"")
        assert factory.only.events == ["upgraded", "made"]
        factory.only.transport.resumeProducing()  # type: ignore[union-attr]
        assert factory.only.events == ["upgraded", "made", "read lost"]

    def test_paused_and_not_half_closeable(self) -> None:
        """A-32: a protocol that knows no half-close gets every byte before the connection ends."""
        factory = RecorderFactory(made=pause, data=echo)
        memory = self.switch(factory)
        assert not memory.transport.disconnecting
        factory.only.transport.resumeProducing()  # type: ignore[union-attr]
        assert memory.received.endswith(b"\r\n\r\nall")
        assert memory.transport.disconnecting

    def test_closed(self) -> None:
        """A-32: a protocol that has closed is told nothing more."""
        factory = RecorderFactory(half_close=True, made=lambda p: p.transport.loseConnection())
        self.switch(factory)
        assert factory.only.events == ["upgraded", "made"]

    def test_failure(self) -> None:
        """A-45: ``readConnectionLost`` raises: a traceback, and the connection is dropped."""
        memory = self.switch(RecorderFactory(half_close=True, read_lost=fail))
        assert len(self.flushLoggedErrors(RuntimeError)) == 1
        assert memory.transport.disconnected


class _Reentrance:
    """A protocol that pauses and resumes while it looks at a piece."""

    stock: bool

    def test_resume_within_data_received(self) -> None:
        """WS-22: the next held piece comes when the protocol has done with this one, not in the middle of it."""
        steps: list[str] = []

        def look(protocol: Any) -> None:
            steps.append("begin")
            protocol.transport.pauseProducing()
            protocol.transport.resumeProducing()
            steps.append("end")

        factory = RecorderFactory(made=pause, data=look)
        memory = Memory(UpgradeResource([stream("echo", factory)]), stock=self.stock)
        memory.send(upgrade_request() + b"one")
        memory.send(b"two", b"three")
        factory.only.transport.resumeProducing()  # type: ignore[union-attr]
        assert factory.only.data == b"onetwothree"
        assert steps == ["begin", "end"] * 3
        assert memory.transport.producerState == "producing"

    def test_lost_within_data_received(self) -> None:
        """WS-22: nothing is delivered behind ``connectionLost``, not even what was held before it."""
        factory = RecorderFactory(made=pause)
        memory = Memory(UpgradeResource([stream("echo", factory)]), stock=self.stock)
        factory.behaviour["data"] = lambda protocol: memory.transport.lose()
        memory.send(upgrade_request() + b"one")
        memory.send(b"two")
        factory.only.transport.resumeProducing()  # type: ignore[union-attr]
        assert factory.only.events == ["upgraded", "made", "data", "lost"]


class StockSiteTests(_Reentrance, SynchronousTestCase):
    """Over ``twisted.web.server.Site``."""

    stock = True


class UpgradeSiteTests(_Reentrance, SynchronousTestCase):
    """Over ``UpgradeSite``."""

    stock = False


class Closing(SynchronousTestCase):
    """A protocol that closes before it has got what came behind the request."""

    def test_no_hole(self) -> None:
        """What a TLS layer delivers behind the close is dropped as well: a stream has no hole."""
        factory = RecorderFactory(made=lambda p: p.transport.loseConnection())
        memory = Memory(UpgradeResource([stream("echo", factory)]))
        memory.send(upgrade_request() + b"first", b"second")
        memory.transport.lose()
        assert factory.only.events == ["upgraded", "made", "lost"]

    def test_nothing_missing(self) -> None:
        """Where nothing came behind the request, what is delivered is the transport's to decide, as ever."""
        factory = RecorderFactory(made=lambda p: p.transport.loseConnection())
        memory = Memory(UpgradeResource([stream("echo", factory)]))
        memory.send(upgrade_request(), b"late")
        assert factory.only.data == b"late"
