"""A client of one's own protocol whose server is the test: Twisted's TCP endpoint on a reactor in memory."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from tests.memory import MemoryTransport
from tests.protocols_for_tests import Recorder, RecorderFactory
from upgradegw import UpgradeClientEndpoint

SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: feed/2\r\n\r\n"


class Asked:
    """One ``connect`` of an ``UpgradeClientEndpoint``."""

    def __init__(self, factory: Any = None, *args: Any, connected: bool = True, **kwargs: Any) -> None:
        self.reactor = MemoryReactorClock()
        self.factory = RecorderFactory() if factory is None else factory
        endpoint = TCP4ClientEndpoint(self.reactor, "192.0.2.1", 8080)
        self.outcome: list[Any] = []
        self.result: Deferred[Any] = UpgradeClientEndpoint(
            endpoint, *(args or ("/talk", "feed/2")), reactor=self.reactor, **kwargs
        ).connect(self.factory)
        self.result.addBoth(self.outcome.append)
        self.transport = MemoryTransport(peerAddress=IPv4Address("TCP", "192.0.2.1", 8080))
        if connected:
            self.connect()

    def connect(self) -> None:
        """Let the connection be made."""
        factory = self.reactor.tcpClients[0][2]
        factory.doStart()
        self.transport.protocol = factory.buildProtocol(self.transport.getPeer())
        if self.transport.protocol is not None:
            self.transport.protocol.makeConnection(self.transport)

    @property
    def request(self) -> bytes:
        """What was sent before the switch."""
        return self.transport.value()

    @property
    def protocol(self) -> Recorder:
        """The running protocol."""
        (protocol,) = self.outcome
        assert isinstance(protocol, Recorder), protocol
        return protocol

    @property
    def error(self) -> Any:
        """What ``connect`` failed with."""
        (failure,) = self.outcome
        assert isinstance(failure, Failure), failure
        return failure.value

    def receive(self, *segments: bytes) -> None:
        """Let the server send something, as far as the connection lives."""
        for segment in segments:
            if not self.transport.disconnected:
                self.transport.deliver(segment)

    def lose(self, reason: Exception | None = None) -> None:
        """The server closes."""
        self.transport.lose(reason)
