"""Connectors: attempts, failures, timeouts, and connecting again."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any
from weakref import ref

import pytest
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.internet.error import NotConnectingError, UserError
from twisted.internet.error import TimeoutError as TimedOut

from tests.reactor.protocols import Remembering
from tests.reactor.running import Connecting, Serving, new_reactor, run


class Again(Connecting):
    """Connects three times."""

    def clientConnectionLost(self, connector: Any, reason: Any) -> None:
        super().clientConnectionLost(connector, reason)
        if len(self.made) < 3:
            connector.connect()


class Watching(Connecting):
    """Knows whether its connection is still there."""

    def startedConnecting(self, connector: Any) -> None:
        super().startedConnecting(connector)
        self.connection = ref(connector.transport)


class Closing(Remembering):
    """Closes at once."""

    def connectionMade(self) -> None:
        self.transport.loseConnection()  # type: ignore[union-attr]


def test_a_factory_may_connect_again() -> None:
    """It is started once and stopped once."""
    server, client = Serving(), Again(Closing)
    with new_reactor() as reactor:
        port = reactor.listenTCP(0, server, interface="127.0.0.1")
        connectors: list[Any] = []
        run(
            reactor,
            lambda: "stop" in client.events,
            lambda: connectors.append(reactor.connectTCP("127.0.0.1", port.getHost().port, client)),
        )
    assert client.events == ["start", *["connecting", "lost"] * 3, "stop"]
    assert connectors[0].getDestination() == IPv4Address("TCP", "127.0.0.1", connectors[0].port)


def test_a_connection_goes_when_it_is_closed() -> None:
    """Whoever keeps the connector keeps no connection with it, nor leaves one to the collector of circles."""
    client = Watching(Closing)
    gc.collect()
    gc.disable()
    try:
        with new_reactor() as reactor:
            port = reactor.listenTCP(0, Serving(), interface="127.0.0.1")
            connectors: list[Any] = []
            run(
                reactor,
                lambda: "stop" in client.events,
                lambda: connectors.append(reactor.connectTCP("127.0.0.1", port.getHost().port, client)),
            )
            client.made.clear()
            assert connectors[0].state == "disconnected"
            assert client.connection() is None
    finally:
        gc.enable()


def test_nobody_listens() -> None:
    """The factory is told after it was told that we begin."""
    client = Connecting()
    with new_reactor() as reactor:
        port = reactor.listenTCP(0, Serving(), interface="127.0.0.1")
        number = port.getHost().port
        run(
            reactor,
            lambda: "stop" in client.events,
            lambda: port.stopListening().addCallback(lambda _: reactor.connectTCP("127.0.0.1", number, client)),
        )
    assert client.events == ["start", "connecting", "failed", "stop"]
    assert client.reason.type is Refused


def test_an_attempt_has_its_time() -> None:
    """An address whose packets nobody answers fails in the time that was given."""
    client = Connecting()
    with new_reactor() as reactor:
        reactor.resolve = lambda _name: Deferred()  # type: ignore[method-assign,assignment]
        run(
            reactor,
            lambda: "stop" in client.events,
            lambda: reactor.connectTCP("slow.example", 80, client, timeout=0.01),
        )
    assert client.reason.type is TimedOut


def test_an_attempt_can_be_given_up() -> None:
    """By the caller, at any time; what then becomes of it is nobody's affair."""
    server, client = Serving(), Connecting()
    with new_reactor() as reactor:
        port = reactor.listenTCP(0, server, interface="127.0.0.1")
        connector = reactor.connectTCP("127.0.0.1", port.getHost().port, client)
        assert connector.state == "connecting"  # type: ignore[attr-defined]
        with pytest.raises(RuntimeError, match="this state"):
            connector.connect()
        connector.disconnect()
        with pytest.raises(NotConnectingError):
            connector.stopConnecting()
        connector.disconnect()
        run(reactor, lambda: server.made == [] or "lost" in server.made[0].events)
    assert client.events == ["start", "connecting", "failed", "stop"]
    assert (client.reason.type, client.made) == (UserError, [])


@pytest.mark.parametrize("build", [None, RuntimeError])
def test_a_factory_that_makes_no_protocol_loses_the_connection(build: Any) -> None:
    """Whether it says so or fails."""

    def make() -> Any:
        if build is not None:
            raise build

    client = Connecting(make)
    with new_reactor() as reactor:
        port = reactor.listenTCP(0, Serving(), interface="127.0.0.1")
        run(
            reactor,
            lambda: "stop" in client.events,
            lambda: reactor.connectTCP("127.0.0.1", port.getHost().port, client),
        )
    assert client.events == ["start", "connecting", "lost", "stop"]


def test_a_connector_closes_what_it_has_opened(tmp_path: Path) -> None:
    """``disconnect`` is for both states."""
    server, client = Serving(), Connecting()
    with new_reactor() as reactor:
        reactor.listenUNIX(str(tmp_path / "s"), server)
        connectors: list[Any] = []

        def closed() -> bool:
            if client.made and client.made[0].transport.connected:
                connectors[0].disconnect()
            return "stop" in client.events

        run(reactor, closed, lambda: connectors.append(reactor.connectUNIX(str(tmp_path / "s"), client)))
    assert connectors[0].getDestination() == UNIXAddress(str(tmp_path / "s"))
