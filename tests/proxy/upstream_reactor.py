"""A reactor in memory on which connections can be made, too: each leads to an upstream that a test has chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.python.failure import Failure

from upgradegw.testing.connection import Connection
from upgradegw.testing.ends import CAPACITY, pair, start
from upgradegw.testing.reactor import Reactor


class UpstreamReactor(Reactor):
    """Connects to what ``make`` makes.

    Attributes:
        upstreams: The upstreams' ends, in the order of the connections.
        make: Makes such an end, by default one of raw bytes; None for an upstream that is not there.
    """

    def __init__(self) -> None:
        super().__init__()
        self.upstreams: list[Any] = []
        self.make: Callable[[], Any] | None = lambda: Connection(self)

    def connectTCP(self, host: str, port: int, factory: Any, timeout: float = 30, bindAddress: Any = None) -> Any:
        connector = super().connectTCP(host, port, factory, timeout, bindAddress)
        self.callLater(0, self._connect, factory, IPv4Address("TCP", host, port))
        return connector

    def _connect(self, factory: Any, there: IPv4Address) -> None:
        if self.make is None:
            factory.clientConnectionFailed(None, Failure(Refused()))
            return
        client, server = pair(self, IPv4Address("TCP", "192.0.2.1", 50000 + len(self.upstreams)), there, CAPACITY)
        upstream = self.make()
        self.upstreams.append(upstream)
        start(server, upstream)
        start(client, factory.buildProtocol(there))


def site_of(site: Any) -> Callable[[], Any]:
    """Return what makes an upstream's end that is a site of ours."""
    return lambda: site.buildProtocol(None)
