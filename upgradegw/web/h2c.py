"""``h2c(root)``: HTTP/2 by an Upgrade field in a stock ``twisted.web.server.Site`` (RFC 7540 section 3.2).

An ``UpgradeSite`` does not need it: there ``h2c_upgrade`` says the same, and prior knowledge and TLS lead to HTTP/2
as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET

from upgradegw.http.context import Context
from upgradegw.http.limits import Limits
from upgradegw.http2.connection import Connection
from upgradegw.http2.limits import Http2Limits
from upgradegw.http2.upgraded import UpgradedRequest, upgraded_head
from upgradegw.interfaces import Takeable
from upgradegw.negotiation.client import TrustedProxies
from upgradegw.negotiation.http2_settings import h2c_settings
from upgradegw.takeover import takeable
from upgradegw.web.clients import find_client
from upgradegw.web.heads import request_head
from upgradegw.web.http2 import check_h2c_upgrade, may_upgrade


def h2c(root: IResource, *, h2c_upgrade: str = "direct", trusted_proxies: Iterable[str] = ()) -> IResource:
    """Let clients change to HTTP/2 in a stock ``Site``.

    The request that asks for it, and all that follow on the connection, are answered by the same resources with the
    site's own ``requestFactory`` and log. There is no extended CONNECT: upgrades need an ``UpgradeSite``.

    Args:
        root: The root of the site's resource tree.
        h2c_upgrade: Whose offer is accepted, as for ``UpgradeSite``: ``"direct"`` or ``"always"``.
        trusted_proxies: The proxies that are known, as for ``UpgradeSite``: whoever comes from one is not direct.

    Raises:
        ValueError: ``h2c_upgrade`` or a trusted proxy is written wrongly.
    """
    return _H2c(root, check_h2c_upgrade(h2c_upgrade), TrustedProxies.parse(trusted_proxies))


class _H2c(Resource):
    """Stands before the root, and passes everything on to it but requests that offer HTTP/2."""

    def __init__(self, root: Any, h2c_upgrade: str, trusted: TrustedProxies) -> None:
        super().__init__()
        self._root = root
        self._h2c_upgrade = h2c_upgrade
        self._trusted = trusted
        self._contexts: dict[Any, Context] = {}

    def getChildWithDefault(self, path: bytes, request: Any) -> Any:
        """Find the root's child, or what switches."""
        upgraded = self._offer(request)
        if upgraded is not None:
            connection, switched = upgraded
            return _Switching(connection, switched, self._context_of(request.site))
        if self._root.isLeaf:
            request.prepath.pop()
            request.postpath.insert(0, path)
            return self._root
        return self._root.getChildWithDefault(path, request)

    def render(self, request: Any) -> Any:
        """Render the root."""
        return self._root.render(request)

    def _offer(self, request: Any) -> tuple[Takeable, UpgradedRequest] | None:
        if not request.requestHeaders.hasHeader(b"HTTP2-Settings"):
            return None  # nearly every request: nothing more need be looked at
        connection = takeable(request)
        if connection is None or request.isSecure() or request.clientproto != b"HTTP/1.1":
            return None
        head = request_head(request)
        settings, host = h2c_settings(head.fields), head.get_all(b"host")
        if settings is None or len(host) != 1 or head.get_all(b"transfer-encoding"):
            return None
        if not may_upgrade(self._h2c_upgrade, request.transport, request.client, head.fields, self._trusted):
            return None
        on_stream = upgraded_head(head.method, head.target, host[0], head.fields)
        return None if on_stream is None else (connection, UpgradedRequest(settings, on_stream, request.content))

    def _context_of(self, site: Any) -> Context:
        """Return what the HTTP/2 connections of a site share."""
        if site not in self._contexts:

            def find(connection: Any, fields: Any) -> Any:
                return find_client(connection, fields, self._trusted)

            self._contexts[site] = Context(Limits(max_content=None), site.reactor, find, idle_timeout=site.timeOut)
        return self._contexts[site]


class _Switching(Resource):
    """Takes the connection of the request that offered HTTP/2."""

    isLeaf = True

    def __init__(self, connection: Takeable, upgraded: UpgradedRequest, context: Context) -> None:
        super().__init__()
        self._connection = connection
        self._upgraded = upgraded
        self._context = context

    def render(self, request: Any) -> int:
        """Switch."""
        connection = self._connection
        site = request.site
        request.content = None  # goes on to stream 1
        taken = connection.take(request)
        http2 = Connection(
            self._context,
            Http2Limits(),
            site,
            connection.connection_id,
            extended_connect=False,
            upgraded=self._upgraded,
        )
        self._context.add(http2)
        taken.attach(http2)
        taken.write_head(b"Switching Protocols", ((b"Connection", b"Upgrade"), (b"Upgrade", b"h2c")))
        http2.makeConnection(taken.transport)
        if taken.leading_data:
            http2.dataReceived(taken.leading_data)
        if taken.resume is not None:
            taken.resume()
        return NOT_DONE_YET
