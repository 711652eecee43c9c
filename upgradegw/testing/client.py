"""The client: everything that a test asks of a site, on any of the transports that the site has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Literal, Self

import txaio
from twisted.web.server import Site

from upgradegw.testing.connecting import Connecting
from upgradegw.testing.connection import Connection
from upgradegw.testing.ends import CAPACITY
from upgradegw.testing.exchange import Exchange
from upgradegw.testing.fields import FieldsArgument, Text, as_bytes, cookie_field
from upgradegw.testing.opening import check_opening, check_switch, opening_fields
from upgradegw.testing.pending import Pending, answer, switched
from upgradegw.testing.reactor import Reactor
from upgradegw.testing.requests import Request
from upgradegw.testing.responses import Response
from upgradegw.testing.tunnel import Tunnel
from upgradegw.testing.websocket import WebSocket
from upgradegw.web.site import UpgradeSite

#: HTTP/1.1 and HTTP/2, each without TLS and with it.
Transport = Literal["http/1.1", "tls", "http/2", "http/2+tls"]

TRANSPORTS: tuple[Transport, ...] = ("http/1.1", "tls", "http/2", "http/2+tls")


class Client:
    """A client of a site, in memory.

    Whatever is asked happens before the call returns, up to where the site waits for time to pass; then
    ``clock.advance`` lets it pass. Requests go over a connection that is free, or else over a new one.

    While there is a client, Autobahn's timers run on its clock; ``close``, or leaving a ``with`` block, gives them
    back.

    Attributes:
        site: The site.
        clock: Its reactor: ``client.clock.advance(20)``.
        over: The transport.
        host: What the client calls the site.
        connections: The connections so far, oldest first, with the bytes that were ``sent`` and ``received``.
    """

    def __init__(
        self,
        resource: Any,
        over: Transport = "http/1.1",
        *,
        host: str = "server.example",
        peer: str = "192.0.2.7",
        segment: int = CAPACITY,
        **site_arguments: Any,
    ) -> None:
        """Come to a site.

        Args:
            resource: The root of a resource tree, for which an ``UpgradeSite`` is made; or a site, also a
                ``twisted.web.server.Site``, that was made with ``reactor=Reactor()``.
            over: ``"http/1.1"``, ``"tls"`` for HTTP/1.1 over TLS, ``"http/2"`` with prior knowledge, ``"http/2+tls"``.
            host: The Host field, and ``:authority``.
            peer: The client's IP address.
            segment: The most bytes that the site is given at a time: 1 for byte by byte.
            site_arguments: For ``UpgradeSite``.

        Raises:
            ValueError: ``over`` names no transport, or the site's reactor is not one in memory.
            TypeError: Arguments for a site that is there already.
        """
        if over not in TRANSPORTS:
            raise ValueError(f"over={over!r}: use one of {', '.join(map(repr, TRANSPORTS))}")
        if not isinstance(resource, Site):
            resource = UpgradeSite(resource, reactor=Reactor(), **site_arguments)
        elif site_arguments:
            raise TypeError(f"the site is made already: {', '.join(site_arguments)} came too late")
        if not isinstance(resource.reactor, Reactor):
            raise ValueError(  # noqa: TRY004 - the type of the argument itself is right
                "the site runs on another reactor; make it with reactor=upgradegw.testing.Reactor()"
            )
        self.site: Any = resource
        self.clock: Reactor = resource.reactor
        self.over = over
        self.host = host
        self._secure = over in {"tls", "http/2+tls"}
        self._connecting = Connecting(resource, secure=self._secure, http2=self.http2, peer=peer, segment=segment)
        self.connections: list[Connection] = self._connecting.made
        self._loop_before, txaio.config.loop = txaio.config.loop, self.clock
        self.site.doStart()
        self._open = True

    @property
    def origin(self) -> str:
        """The site's own origin, as a browser would send it with a page of the site."""
        return f"{'https' if self._secure else 'http'}://{self.host}"

    @property
    def http2(self) -> bool:
        """Whether the client speaks HTTP/2."""
        return self.over in {"http/2", "http/2+tls"}

    # --- Coming and going.

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave: close all connections, and give Autobahn's timers back."""
        if not self._open:
            return
        self._open = False
        self._connecting.close()
        self.site.doStop()
        if txaio.config.loop is self.clock:
            txaio.config.loop = self._loop_before

    def connect(self) -> Connection:
        """Open a connection for bytes of the test's own; it sends nothing by itself, beyond the handshake of TLS."""
        return self._connecting.open(Connection(self.clock))

    # --- Asking, and having the answer.

    def get(self, path: Text = "/", fields: FieldsArgument = ()) -> Response:
        """Return the answer to a GET.

        Args:
            path: The path and query.
            fields: Field lines; see ``request``.

        Raises:
            Unanswered: There is no answer yet, or there will be none.
        """
        return self.request("GET", path, fields)

    def request(self, method: Text, path: Text = "/", fields: FieldsArgument = (), content: bytes = b"") -> Response:
        """Return the answer to a request.

        Args:
            method: The method.
            path: The path and query.
            fields: A mapping, or pairs, of text or bytes. A field takes the place of one that the client would have
                sent under its name; with None for a value, nothing is sent in its place.
            content: The content.

        Raises:
            Unanswered: There is no answer yet, or there will be none.
        """
        return self.start_request(method, path, fields, content).result()

    def websocket(
        self,
        path: Text = "/",
        *,
        origin: str | None = None,
        subprotocols: Sequence[str] = (),
        cookies: Mapping[str, str] | None = None,
        fields: FieldsArgument = (),
        leading: bytes = b"",
    ) -> WebSocket:
        """Open a WebSocket.

        Args:
            path: The path and query.
            origin: The Origin, as a browser sends it; None for none. ``client.origin`` is the site's own.
            subprotocols: The subprotocols to offer.
            cookies: The cookies to bring.
            fields: See ``request``.
            leading: Bytes that are sent at once behind the request, before the site has answered.

        Raises:
            Refused: There is another answer.
            Unanswered: There is no answer yet, or there will be none.
            Violation: The site's half of the handshake is wrong.
        """
        pending = self.start_websocket(
            path, origin=origin, subprotocols=subprotocols, cookies=cookies, fields=fields, leading=leading
        )
        return pending.result()

    def upgrade(
        self,
        token: Text,
        path: Text = "/",
        *,
        method: Text = "GET",
        fields: FieldsArgument = (),
        content: bytes = b"",
        cookies: Mapping[str, str] | None = None,
        leading: bytes = b"",
        half_closeable: bool = False,
    ) -> Tunnel:
        """Switch to a protocol.

        Args:
            token: The upgrade token: ``"feed/2"``.
            path: The path and query.
            method: The method. On HTTP/2 it is always CONNECT, which stands for GET.
            fields: See ``request``.
            content: The request's content. On HTTP/2 there is none.
            cookies: The cookies to bring.
            leading: Bytes that are sent at once behind the request, before the site has answered.
            half_closeable: Whether the client's side stays open when the site has ended its own; else the client then
                closes, as most do.

        Raises:
            Refused: There is another answer.
            Unanswered: There is no answer yet, or there will be none.
            ValueError: Another method than GET, or content, on HTTP/2.
        """
        pending = self.start_upgrade(
            token,
            path,
            method=method,
            fields=fields,
            content=content,
            cookies=cookies,
            leading=leading,
            half_closeable=half_closeable,
        )
        return pending.result()

    # --- Asking, and having the answer later.

    def start_request(
        self, method: Text, path: Text = "/", fields: FieldsArgument = (), content: bytes = b""
    ) -> Pending[Response]:
        """Send a request; arguments as for ``request``."""
        return Pending(self._ask(self._request(method, path, fields, content)), answer)

    def start_websocket(
        self,
        path: Text = "/",
        *,
        origin: str | None = None,
        subprotocols: Sequence[str] = (),
        cookies: Mapping[str, str] | None = None,
        fields: FieldsArgument = (),
        leading: bytes = b"",
    ) -> Pending[WebSocket]:
        """Ask for a WebSocket; arguments as for ``websocket``."""
        defaults = opening_fields(origin, subprotocols, key=not self.http2) + cookie_field(cookies or {})
        request = replace(self._request("GET", path, fields), token=b"websocket", defaults=defaults, leading=leading)
        exchange = self._ask(request)
        websocket = WebSocket(exchange)

        def result(exchange: Exchange) -> WebSocket:
            check_opening(switched(exchange), exchange.sent)
            return websocket

        return Pending(exchange, result)

    def start_upgrade(
        self,
        token: Text,
        path: Text = "/",
        *,
        method: Text = "GET",
        fields: FieldsArgument = (),
        content: bytes = b"",
        cookies: Mapping[str, str] | None = None,
        leading: bytes = b"",
        half_closeable: bool = False,
    ) -> Pending[Tunnel]:
        """Ask for a protocol; arguments as for ``upgrade``."""
        request = replace(
            self._request(method, path, fields, content),
            token=as_bytes(token),
            defaults=cookie_field(cookies or {}),
            leading=leading,
            half_closeable=half_closeable,
        )
        if self.http2 and (request.method != b"GET" or content):
            raise ValueError("extended CONNECT stands for a GET without content (RFC 8441 section 5)")

        def result(exchange: Exchange) -> Tunnel:
            check_switch(switched(exchange), exchange.sent)
            return Tunnel(exchange)

        return Pending(self._ask(request), result)

    # --- How.

    def _request(self, method: Text, path: Text, fields: FieldsArgument, content: bytes = b"") -> Request:
        scheme = b"https" if self._secure else b"http"
        return Request(as_bytes(method), as_bytes(path), as_bytes(self.host), scheme, fields, content)

    def _ask(self, request: Request) -> Exchange:
        return self._connecting.http2().ask(request) if self.http2 else self._connecting.http1().ask(request)
