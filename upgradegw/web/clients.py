"""Who sent a twisted.web request, after the trusted-proxy rule: for logs, limits, authorize and the Origin check."""

from __future__ import annotations

from typing import Any

from twisted.protocols.haproxy._wrapper import HAProxyProtocolWrapper
from twisted.protocols.policies import ProtocolWrapper

from upgradegw.negotiation.authority import names_host
from upgradegw.negotiation.client import NOBODY, TrustedProxies, effective_client
from upgradegw.negotiation.model import Client, Fields


def client_of(request: Any, fields: Fields | None = None) -> Client:
    """Return the effective client of a request, computed once.

    Args:
        request: A ``twisted.web.http.Request``. In an ``UpgradeSite`` that trusts proxies, their word is believed; a
            stock Site trusts nobody.
        fields: The request's field lines, if the caller has them already.
    """
    client: Client | None = getattr(request, "effective_client", None)
    if client is None:
        if fields is None:
            fields = tuple((n, value) for n, values in request.requestHeaders.getAllRawHeaders() for value in values)
        trusted = getattr(request.site, "trusted", NOBODY)
        peer, proxy_source = peer_of(request.transport, request.client)
        hosts = request.requestHeaders.getRawHeaders(b"Host", ())
        authority = hosts[0] if names_host(hosts) else None
        client = effective_client(peer, request.isSecure(), fields, trusted, proxy_source, authority=authority)
        request.effective_client = client
    return client


def find_client(connection: Any, fields: Fields, trusted: TrustedProxies, authority: bytes | None = None) -> Client:
    """Return the effective client of a request that there is no Request for.

    Args:
        connection: The connection, with ``transport``, ``getPeer`` and ``isSecure``.
        fields: The request's field lines.
        trusted: The proxies that are believed.
        authority: The value of Host, if the caller has it already.
    """
    peer, proxy_source = peer_of(connection.transport, connection.getPeer())
    return effective_client(peer, connection.isSecure(), fields, trusted, proxy_source, authority=authority)


def peer_of(transport: Any, address: Any) -> tuple[str | None, str | None]:
    """Return the address of the connection's other end, and the source that a PROXY header named behind it.

    Args:
        transport: The connection's transport.
        address: What it says its peer is.
    """
    while isinstance(transport, ProtocolWrapper):
        if isinstance(transport, HAProxyProtocolWrapper):
            below: Any = transport.transport
            peer = _host(below.getPeer())
            # A source that is no IP address, as a proxy names one for its clients on UNIX sockets, is somebody else's.
            return peer, _host(address) or (None if peer is None else "unknown")
        transport = transport.transport
    return _host(address), None


def _host(address: Any) -> str | None:
    """An IP address as text; None for a UNIX socket's."""
    host = getattr(address, "host", None)
    return host.decode("ascii", "replace") if isinstance(host, bytes) else host
