"""The connections to one upstream: idle ones kept for the next request, the clock of all, and new ones made."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory

from upgradegw.http.wheel import Wheel
from upgradegw.proxy.connecting import Connector
from upgradegw.proxy.http1.connection import Http1Connection
from upgradegw.proxy.settings import UpstreamSettings


class Pool(Factory):
    """Keeps idle connections; the one that was used last is used first, so that those that are not needed grow old.

    Attributes:
        settings: The upstream's bounds.
        wheel: The clock of all connections.
    """

    noisy = False

    def __init__(self, connector: Connector, settings: UpstreamSettings, reactor: Any) -> None:
        """Keep nothing yet.

        Args:
            connector: Makes connections.
            settings: The upstream's bounds.
            reactor: Tells the time.
        """
        self.settings = settings
        times = (settings.idle_timeout, settings.response_timeout, settings.read_timeout)
        self.wheel = Wheel(reactor, min(each for each in times if each is not None))
        self._connector = connector
        self._reactor = reactor
        self._idle: dict[Http1Connection, None] = {}
        self._closed = False

    # --- For exchanges.

    def take(self) -> Http1Connection | None:
        """Return an idle connection, if there is one; it is the caller's now."""
        if not self._idle:
            return None
        now = self.now()
        while self._idle:
            connection, _ = self._idle.popitem()
            if connection.idle_until > now and connection.is_quiet():
                return connection
            connection.close()
        return None

    def connect(self) -> Deferred[Http1Connection]:
        """Make a connection; the Deferred fails with ``NotConnected``, and may be cancelled."""
        return self._connector.connect(self)

    def soon(self, call: Any, *args: Any) -> None:
        """Call something, but not at once."""
        self._reactor.callLater(0, call, *args)

    # --- For connections.

    def buildProtocol(self, addr: object) -> Http1Connection:  # noqa: ARG002 - Twisted's interface
        """Return the protocol of a new connection."""
        return Http1Connection(self)

    def now(self) -> float:
        """Return the time."""
        return self._reactor.seconds()  # type: ignore[no-any-return]

    def put(self, connection: Http1Connection) -> bool:
        """Keep an idle connection; of too many the oldest goes."""
        if self._closed or not self.settings.max_idle:
            return False
        self._idle[connection] = None
        if len(self._idle) > self.settings.max_idle:
            next(iter(self._idle)).close()
        return True

    def lost(self, connection: Http1Connection) -> None:
        """Forget a connection."""
        self._idle.pop(connection, None)

    def close(self) -> None:
        """Close idle connections now, and each of the others behind its response."""
        self._closed = True
        for connection in list(self._idle):
            connection.close()
