"""A factory in use behind upgrades."""

from __future__ import annotations

from typing import Any

import pytest
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny
from twisted.internet.protocol import Factory
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from tests.protocols_for_tests import RecorderFactory
from tests.testing.applications import EchoFactory
from upgradegw.protocols.factories import FactoryUse
from upgradegw.protocols.stream import stream
from upgradegw.protocols.websocket import websocket
from upgradegw.testing import Client
from upgradegw.web.resource import UpgradeResource


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

    def test_two_uses_of_one_factory(self) -> None:
        """A factory behind two upgrades, or that also listens, is started once and stopped once."""
        factory = Counted()
        one, other = FactoryUse(factory), FactoryUse(factory)
        one.acquire()
        other.acquire()
        one.release()
        assert factory.steps == ["start"]
        other.release()
        assert factory.steps == ["start", "stop"]

    def test_a_start_that_fails(self) -> None:
        """The connection does not count; the next one tries again."""
        factory = Counted()
        use = FactoryUse(factory)
        factory.startFactory = lambda: 1 // 0  # type: ignore[method-assign,assignment]
        with pytest.raises(ZeroDivisionError):
            use.acquire()
        del factory.startFactory
        use.acquire()
        use.release()
        assert factory.steps == ["start", "stop"]

    def test_a_stop_that_fails(self) -> None:
        """It is logged, and concerns nobody else: the connection has ended."""
        factory = Counted()
        use = FactoryUse(factory)
        factory.stopFactory = lambda: 1 // 0  # type: ignore[method-assign,assignment]
        use.acquire()
        use.release()
        assert len(self.flushLoggedErrors(ZeroDivisionError)) == 1

    def test_settings_of_startFactory(self) -> None:
        """What ``startFactory`` sets holds for the first connection as well, be it the class of its protocols."""

        class Other(WebSocketServerProtocol):
            pass

        def start() -> None:
            factory.protocol = Other
            factory.setProtocolOptions(maxMessagePayloadSize=77)

        factory = WebSocketServerFactory()
        factory.protocol = WebSocketServerProtocol
        factory.startFactory = start  # type: ignore[method-assign]
        upgrade = websocket(factory)
        with Client(UpgradeResource([upgrade])) as client:
            client.start_websocket()
            (protocol,) = upgrade.connections
            assert isinstance(protocol, Other)
            assert protocol.maxMessagePayloadSize == 77

    def test_behind_upgrades(self) -> None:
        """doStart comes before the first buildProtocol, doStop behind the last connectionLost, also of refused ones."""
        seen: list[str] = []

        class Noting(RecorderFactory):
            def startFactory(self) -> None:
                seen.append("start")

            def stopFactory(self) -> None:
                seen.append("stop")

            def buildProtocol(self, addr: Any) -> Any:
                seen.append("build")
                return super().buildProtocol(addr)

        with Client(UpgradeResource([stream("echo", Noting(lost=lambda _: seen.append("lost")))])) as client:
            client.upgrade("echo").lose()
        assert seen == ["start", "build", "lost", "stop"]
        seen.clear()
        factory = EchoFactory(lambda _request: (_ for _ in ()).throw(ConnectionDeny(403)))
        factory.startFactory = lambda: seen.append("start")
        factory.stopFactory = lambda: seen.append("stop")
        with Client(UpgradeResource([websocket(factory)])) as client:
            client.start_websocket()
        assert seen == ["start", "stop"]
