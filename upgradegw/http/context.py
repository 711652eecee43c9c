"""What all connections of one site share: limits, clock, the wheel, and who may connect."""

from __future__ import annotations

from collections.abc import Callable, KeysView
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from upgradegw.events import access_events
from upgradegw.http.client_subject import connection_subject
from upgradegw.http.connected import Connected, Connection
from upgradegw.http.limits import Limits
from upgradegw.http.wheel import Wheel
from upgradegw.negotiation.authority import split_authority
from upgradegw.negotiation.client import NOBODY, TrustedProxies
from upgradegw.negotiation.fields import printable
from upgradegw.negotiation.model import Client, Fields
from upgradegw.negotiation.reasons import Reason

#: Finds the effective client of a connection, given a request's fields.
FindClient = Callable[[Any, Fields], Client]


class Context:
    """The shared state of a site's connections.

    Attributes:
        limits: The bounds.
        clock: Gives the time.
        wheel: All deadlines.
        connected: Who is connected; several sites may share it.
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
        connected: Connected | None = None,
    ) -> None:
        """Start without connections.

        Args:
            limits: The bounds.
            clock: Gives the time and one delayed call.
            find_client: Finds the effective client.
            idle_timeout: Seconds that a connection may lie idle, or None.
            allowed_hosts: The hosts that are answered for, in lower case and without port; None for all.
            trusted: The proxies that ``find_client`` believes.
            connected: Who is connected to other sites, with whom the connections are counted and stopped together;
                None for nobody.
        """
        self.limits = limits
        self.clock = clock
        self.find_client = find_client
        self.connected = Connected() if connected is None else connected
        timeouts = (idle_timeout, limits.content_timeout, limits.write_timeout, 60.0)
        self.wheel = Wheel(clock, min(seconds for seconds in timeouts if seconds))
        self._allowed_hosts = allowed_hosts
        self._trusted = trusted

    def next_id(self) -> str:
        """Return a connection's name, for the logs."""
        return self.connected.next_id()

    @property
    def connections(self) -> KeysView[Connection]:
        """Who is connected, also those that have been switched and those that are being turned away."""
        return self.connected.connections.keys()

    @property
    def stopping(self) -> bool:
        """Whether the site stops: no request is read after the present one."""
        return self.connected.stopping

    @property
    def close_code(self) -> int:
        """What WebSockets are closed with at the stop."""
        return self.connected.close_code

    # --- Who may connect.

    def add(self, connection: Connection) -> bool:
        """Count a new connection; return whether it is welcome."""
        welcome = self.connected.add(connection, self.limits.max_connections) and self.count_client(connection, ())
        if welcome:
            self.connected.admit(connection)
        return welcome

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
        return self.connected.count_client(connection, address, most)

    def remove(self, connection: Connection) -> None:
        """Forget a connection that is gone."""
        self.connected.remove(connection)
        if not self.connected.connections:
            self.wheel.rest()

    def trusts(self, peer: str | None) -> bool:
        """Tell whether the other end of a connection is a trusted proxy (None: it came by a UNIX socket)."""
        return peer in self._trusted

    def replace(self, old: Connection, new: Connection) -> None:
        """Let a connection stand where another stood: the transport is the same, what is spoken on it is not."""
        self.connected.replace(old, new)

    def serves(self, host: bytes | None) -> bool:
        """Tell whether this site answers for the value of a Host field."""
        if self._allowed_hosts is None:
            return True
        found = split_authority(host) if host is not None else None
        return found is not None and found[0] in self._allowed_hosts

    # --- The end.

    def stop(self, code: int | None = None) -> Deferred[None]:
        """End all connections in order; see ``Connected.stop``."""
        return self.connected.stop(code)

    def abort(self) -> None:
        """End what is left at once."""
        self.connected.abort()

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
