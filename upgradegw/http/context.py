"""What all connections of one site share: limits, clock, the wheel, who is connected, and who may connect."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from upgradegw.events import access_events
from upgradegw.http.client_subject import connection_subject
from upgradegw.http.limits import Limits
from upgradegw.http.wheel import Wheel
from upgradegw.negotiation.authority import split_authority
from upgradegw.negotiation.client import NOBODY, TrustedProxies
from upgradegw.negotiation.fields import printable
from upgradegw.negotiation.model import Client, Fields
from upgradegw.negotiation.reasons import Reason

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


#: Finds the effective client of a connection, given a request's fields.
FindClient = Callable[[Any, Fields], Client]


class Context:
    """The shared state of a site's connections.

    Attributes:
        limits: The bounds.
        clock: Gives the time.
        wheel: All deadlines.
        connections: Who is connected, also those that have been switched and those that are being turned away.
        stopping: Whether the site stops: no request is read after the present one.
        close_code: What WebSockets are closed with at the stop.
    """

    def __init__(
        self,
        limits: Limits,
        clock: IReactorTime,
        find_client: FindClient,
        *,
        idle_timeout: float | None = 60.0,
        allowed_hosts: frozenset[bytes] | None = None,
        trusted: TrustedProxies = NOBODY,
    ) -> None:
        """Start without connections.

        Args:
            limits: The bounds.
            clock: Gives the time and one delayed call.
            find_client: Finds the effective client.
            idle_timeout: Seconds that a connection may lie idle, or None.
            allowed_hosts: The hosts that are answered for, in lower case and without port; None for all.
            trusted: The proxies that ``find_client`` believes.
        """
        self.limits = limits
        self.clock = clock
        self.find_client = find_client
        self.stopping = False
        self.close_code = 1001  # RFC 6455 section 7.4.1: going away
        self.connections: set[Connection] = set()
        timeouts = (idle_timeout, limits.content_timeout, limits.write_timeout, 60.0)
        self.wheel = Wheel(clock, min(seconds for seconds in timeouts if seconds))
        self._allowed_hosts = allowed_hosts
        self._trusted = trusted
        self._numbers = count(1)
        self._admitted: set[Connection] = set()
        self._clients: dict[str, int] = {}
        self._gone: list[Deferred[None]] = []

    def next_id(self) -> str:
        """Return a connection's name, for the logs."""
        return f"c{next(self._numbers)}"

    # --- Who may connect.

    def add(self, connection: Connection) -> bool:
        """Count a new connection; return whether it is welcome."""
        self.connections.add(connection)
        most = self.limits.max_connections
        full = most is not None and len(self._admitted) >= most
        if self.stopping or full or not self.count_client(connection, ()):
            return False
        self._admitted.add(connection)
        return True

    def count_client(self, connection: Connection, fields: Fields) -> bool:
        """Count a connection for its client, anew at each request; return whether the client may have it.

        A connection that comes from a trusted proxy counts for the client that the proxy names, not for the proxy.
        """
        most = self.limits.max_connections_per_client
        if most is None:
            return True
        client = self.find_client(connection, fields)
        # A trusted proxy that names nobody is not counted: it stands for all its clients.
        address = None if client.address == client.peer and client.peer in self._trusted else client.address
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
        self.connections.discard(connection)
        self._admitted.discard(connection)
        self._uncount(connection)
        if not self.connections:
            gone, self._gone = self._gone, []
            for waiting in gone:
                waiting.callback(None)

    def trusts(self, peer: str | None) -> bool:
        """Tell whether the other end of a connection is a trusted proxy (None: it came by a UNIX socket)."""
        return peer in self._trusted

    def replace(self, old: Connection, new: Connection) -> None:
        """Let a connection stand where another stood: the transport is the same, what is spoken on it is not."""
        self.connections.discard(old)
        self.connections.add(new)
        if old in self._admitted:
            self._admitted.discard(old)
            self._admitted.add(new)
        new.counted_as, old.counted_as = old.counted_as, None

    def serves(self, host: bytes | None) -> bool:
        """Tell whether this site answers for the value of a Host field."""
        if self._allowed_hosts is None:
            return True
        found = split_authority(host) if host is not None else None
        return found is not None and found[0] in self._allowed_hosts

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
            try:
                connection.stop()
            except Exception:  # noqa: BLE001 - an application's; the others are ended all the same
                _log.failure("an application failed at the stop of connection {id}", id=connection.connection_id)
                connection.abort()
        return done

    def abort(self) -> None:
        """End what is left at once."""
        for connection in list(self.connections):
            connection.abort()

    # --- The log of what the channel answers itself.

    def log_refusal(
        self,
        connection: Connection,
        request: tuple[bytes, bytes, Fields],
        refused: tuple[int, Reason, str],
        sent: int,
        http_version: str = "HTTP/1.1",
    ) -> None:
        """Emit a ``request`` event for an answer that no resource gave.

        Args:
            connection: The connection.
            request: Method, target and fields, as far as they are known.
            refused: Status, reason and detail.
            sent: Bytes of the response's content.
            http_version: What the connection speaks.
        """
        method, target, fields = request
        status, reason, detail = refused
        subject = connection_subject(connection) if connection.isSecure() else None
        access_events.emit(
            "{client} {method} {target!r}: {status} ({reason} {detail}: {hint})",
            event="request",
            connection_id=connection.connection_id,
            client=self.find_client(connection, fields).address,
            method=printable(method),
            target=printable(target),
            http_version=http_version,
            status=status,
            bytes_out=sent,
            seconds=0.0,
            referer=None,
            user_agent=None,
            reason=reason.value,
            detail=detail,
            hint=reason.hint,
            **({} if subject is None else {"client_subject": subject}),
        )
