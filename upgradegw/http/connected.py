"""Who is connected to one site, or to several that belong together: counted together, and stopped together."""

from __future__ import annotations

from itertools import count
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger

_log = Logger(namespace="upgradegw")


class Connection(Protocol):
    """A connection as the others see it."""

    connection_id: str
    counted_as: str | None
    transport: Any

    def getPeer(self) -> Any:
        """The address of its other end."""

    def isSecure(self) -> bool:
        """Whether it is encrypted by us."""

    def stop(self) -> None:
        """End in order."""

    def abort(self) -> None:
        """End at once."""


class Connected:
    """The connections of all sites that share it.

    Attributes:
        connections: Who is connected, also those that have been switched and those that are being turned away; and
            whether they were welcome.
        stopping: Whether the sites stop: no request is read after the present one.
        close_code: What WebSockets are closed with at the stop.
    """

    def __init__(self) -> None:
        """Start without connections."""
        self.stopping = False
        self.close_code = 1001  # RFC 6455 section 7.4.1: going away
        self.connections: dict[Connection, bool] = {}
        self._numbers = count(1)
        self._admitted = 0
        self._clients: dict[str, int] = {}
        self._gone: list[Deferred[None]] = []

    def next_id(self) -> str:
        """Return a connection's name, for the logs."""
        return f"c{next(self._numbers)}"

    # --- Who may connect.

    def add(self, connection: Connection, most: int | None) -> bool:
        """Take notice of a new connection; return whether there is room for it.

        Args:
            connection: The connection.
            most: How many may be admitted; None for any number.
        """
        self.connections[connection] = False
        return not self.stopping and (most is None or self._admitted < most)

    def admit(self, connection: Connection) -> None:
        """Count a connection that is welcome."""
        self.connections[connection] = True
        self._admitted += 1

    def count_client(self, connection: Connection, address: str | None, most: int) -> bool:
        """Count a connection for its client; return whether the client may have it.

        Args:
            connection: The connection.
            address: The client's; None for one that is not counted.
            most: How many it may have.
        """
        if address == connection.counted_as:
            return True
        self._uncount(connection)
        if address is None:
            return True
        number = self._clients.get(address, 0)
        if number >= most:
            return False
        self._clients[address] = number + 1
        connection.counted_as = address
        return True

    def _uncount(self, connection: Connection) -> None:
        address, connection.counted_as = connection.counted_as, None
        if address is not None:
            number = self._clients.pop(address) - 1
            if number:
                self._clients[address] = number

    def remove(self, connection: Connection) -> None:
        """Forget a connection that is gone."""
        if self.connections.pop(connection, False):
            self._admitted -= 1
        self._uncount(connection)
        if not self.connections:
            gone, self._gone = self._gone, []
            for waiting in gone:
                waiting.callback(None)

    def replace(self, old: Connection, new: Connection) -> None:
        """Let a connection stand where another stood: the transport is the same, what is spoken on it is not."""
        self.connections[new] = self.connections.pop(old, False)
        new.counted_as, old.counted_as = old.counted_as, None

    # --- The end.

    def stop(self, code: int | None = None) -> Deferred[None]:
        """End all connections in order; the Deferred fires when the last is gone.

        Args:
            code: The close code for WebSockets; None for the one that a stop before had, or 1001.
        """
        self.stopping = True
        if code is not None:
            self.close_code = code
        done: Deferred[None] = Deferred()
        if not self.connections:
            done.callback(None)
            return done
        self._gone.append(done)
        for connection in list(self.connections):
            end_in_order(connection)
        return done

    def abort(self) -> None:
        """End what is left at once."""
        for connection in list(self.connections):
            connection.abort()


def end_in_order(connection: Connection) -> None:
    """Tell a connection to end; what an application raises at that costs this connection only."""
    try:
        connection.stop()
    except Exception:  # noqa: BLE001 - an application's; the others are ended all the same
        _log.failure("an application failed at the stop of connection {id}", id=connection.connection_id)
        connection.abort()
