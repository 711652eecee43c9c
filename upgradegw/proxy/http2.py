"""An upstream that speaks HTTP/2: requests as streams of few connections, which are opened as they are needed.

A connection is asked nothing before its SETTINGS have come, for they tell how many streams there may be, and whether a
stream may become a tunnel (RFC 8441).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from upgradegw.http.context import Context
from upgradegw.http.limits import Limits
from upgradegw.http2.client_connection import CLIENT_LIMITS, ClientConnection
from upgradegw.http2.client_request import Patience
from upgradegw.http2.faults import ConnectionFault
from upgradegw.negotiation.model import Client, Fields
from upgradegw.negotiation.reasons import Reason
from upgradegw.proxy.address import UpstreamAddress
from upgradegw.proxy.connecting import Connector, NotConnected
from upgradegw.proxy.exchange import Receiver, UpstreamError, UpstreamRequest
from upgradegw.proxy.http2_exchange import Http2Exchange
from upgradegw.proxy.settings import UpstreamSettings

#: Seconds for which an upstream may read nothing at all, where no ``response_timeout`` says it (nginx's
#: ``proxy_send_timeout``: 60 s).
_WRITE_TIMEOUT = 60.0


class Http2Upstream:
    """An upstream that is asked over HTTP/2: ``h2c://`` with prior knowledge, ``https://`` where TLS agrees on it.

    Attributes:
        http_version: ``b"HTTP/2"``.
        address: Where it is.
        settings: Its bounds.
    """

    http_version = b"HTTP/2"

    def __init__(self, address: UpstreamAddress, settings: UpstreamSettings, reactor: Any) -> None:
        """Have no connection yet.

        Args:
            address: Where the upstream is.
            settings: What it may cost.
            reactor: Connects and tells the time.

        Raises:
            ValueError: As ``Connector``.
        """
        settings = replace(settings, http_version=2)
        self._connector = Connector(address, settings, reactor)
        self._reactor = reactor
        self.settings = settings
        self.address = address
        self._patience = Patience(
            settings.response_timeout, settings.read_timeout, settings.max_head, settings.max_interim
        )
        self._limits = replace(CLIENT_LIMITS, settings_timeout=settings.connect_timeout)
        limits = Limits(
            max_head=settings.max_head,
            content_timeout=settings.read_timeout,
            write_timeout=settings.response_timeout or _WRITE_TIMEOUT,
        )
        self._context = Context(limits, reactor, _nobody, idle_timeout=settings.idle_timeout)
        self._numbers = count(1)
        self._connections: list[ClientConnection] = []
        self._openings: list[_Link] = []
        self._closed = False

    # --- For whoever asks.

    def ask(self, request: UpstreamRequest, receiver: Receiver) -> Http2Exchange:
        """Send a request; see ``exchange.Asked``.

        Args:
            request: The request; its target gets the address's prefix.
            receiver: Gets the answer, later.

        Raises:
            ValueError: The request holds what may not stand in one.
        """
        address = self.address
        authority = request.authority or address.authority
        request = replace(request, target=address.target(request.target), authority=authority)
        exchange = Http2Exchange(self, request, receiver, b"https" if address.scheme == "https" else b"http")
        if self._closed:
            why = f"{self.address} is asked nothing any more"
            exchange.fail_later(NotConnected(Reason.UPSTREAM_UNREACHABLE, 502, why))
        else:
            self.place(exchange)
        return exchange

    def close(self) -> None:
        """Open no more streams; each connection closes behind its last one."""
        self._closed = True
        for opening in list(self._openings):
            opening.close()
        for connection in list(self._connections):
            connection.stop()

    def __repr__(self) -> str:
        """Name the address."""
        return f"Http2Upstream({str(self.address)!r})"

    def __str__(self) -> str:
        """The address, as it stands in a configuration."""
        return str(self.address)

    # --- For exchanges.

    def place(self, exchange: Http2Exchange) -> None:
        """Find a connection with room, or one that is being opened, or open one."""
        for connection in self._connections:
            if connection.room:
                exchange.begin(connection, self._patience)
                return
        for opening in self._openings:
            if len(opening.waiting) < self._limits.max_streams:
                opening.waiting[exchange] = None
                return
        opening = _Link(self)
        opening.waiting[exchange] = None
        self._openings.append(opening)
        opening.open(self._connector)

    def leave(self, exchange: Http2Exchange) -> None:
        """An exchange waits no more; a connection that nobody waits for is opened all the same."""
        for opening in self._openings:
            opening.waiting.pop(exchange, None)

    def later(self, call: Callable[[], None]) -> None:
        """Call something in the reactor's next turn."""
        self._reactor.callLater(0, call)

    # --- For links.

    def make(self, link: _Link) -> ClientConnection:
        """Make the protocol of a new connection."""
        name = f"{self.address}#{next(self._numbers)}"
        return ClientConnection(self._context, self._limits, name, link, self.settings.idle_timeout)

    def opened(self, link: _Link, connection: ClientConnection) -> None:
        """A connection can be asked: hand out its streams; whoever gets none waits for another one."""
        self._openings.remove(link)
        self._connections.append(connection)
        waiting, link.waiting = link.waiting, {}
        if waiting and not connection.room:
            error = NotConnected(Reason.UPSTREAM_BAD_RESPONSE, 502, f"{self.address}: its SETTINGS allow no stream")
            for exchange in waiting:
                exchange.fail_later(error)
            waiting = {}
        for exchange in waiting:
            self.place(exchange)
        if self._closed:
            connection.stop()

    def idle(self, connection: ClientConnection) -> None:
        """A connection has no streams: keep it if there are not too many such."""
        if sum(not each.busy for each in self._connections) > self.settings.max_idle:
            connection.stop()

    def forget(self, connection: ClientConnection) -> None:
        """A connection is gone."""
        self._connections.remove(connection)

    def failed(self, link: _Link, error: UpstreamError) -> None:
        """There is no connection."""
        self._openings.remove(link)
        for exchange in link.waiting:
            exchange.fail_later(error)

    def explain(self, reason: Failure) -> UpstreamError:
        """Say why a connection ended before it could be asked."""
        fault = reason.value
        if isinstance(fault, UpstreamError):
            return fault
        if not isinstance(fault, ConnectionFault):
            words = f"it closed the connection before its SETTINGS came: {reason.getErrorMessage()}"
            return NotConnected(Reason.UPSTREAM_UNREACHABLE, 502, f"{self.address}: {words}")
        if fault.reason is Reason.HEAD_TIMEOUT:
            return NotConnected(Reason.UPSTREAM_TIMEOUT, 504, f"{self.address}: its SETTINGS did not come in time")
        return NotConnected(Reason.UPSTREAM_BAD_RESPONSE, 502, f"{self.address}: {fault.detail}")


class _Link:
    """A connection from the time when it is wanted: who waits for it, and what becomes of it.

    Attributes:
        waiting: The exchanges that wait.
    """

    def __init__(self, upstream: Http2Upstream) -> None:
        self.waiting: dict[Http2Exchange, None] = {}
        self._upstream = upstream
        self._connecting: Any = None
        self._connection: ClientConnection | None = None
        self._over = False

    def open(self, connector: Connector) -> None:
        """Connect."""
        factory = Factory.forProtocol(self._build)
        self._connecting = connector.connect(factory)
        self._connecting.addErrback(self._failed)

    def _build(self) -> ClientConnection:
        self._connection = self._upstream.make(self)
        return self._connection

    def close(self) -> None:
        """Do not connect if nobody waits."""
        if self.waiting:
            return
        if self._connection is not None:
            self._connection.abort()
        else:
            self._connecting.cancel()

    # --- For the connection.

    def greeted(self, connection: ClientConnection) -> None:
        """The server's SETTINGS have come."""
        self._over = True
        self._upstream.opened(self, connection)

    def idle(self, connection: ClientConnection) -> None:
        """The last stream has ended."""
        self._upstream.idle(connection)

    def gone(self, connection: ClientConnection, reason: Failure) -> None:
        """There is no connection any more."""
        if self._over:
            self._upstream.forget(connection)
        else:
            self._failed(reason)

    def _failed(self, reason: Failure) -> None:
        if not self._over:
            self._over = True
            self._upstream.failed(self, self._upstream.explain(reason))


def _nobody(_connection: Any, _fields: Fields) -> Client:
    return Client(None, None, None, None)
