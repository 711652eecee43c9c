"""How a site's connections come to speak HTTP/2, and which of them may by an Upgrade field."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Any

from upgradegw.http.context import Context
from upgradegw.http1.channel import Channel
from upgradegw.http1.head import Head
from upgradegw.http2.connection import Connection
from upgradegw.http2.limits import Http2Limits
from upgradegw.http2.upgraded import UpgradedRequest, upgraded_head
from upgradegw.negotiation.client import TrustedProxies
from upgradegw.negotiation.http2_settings import h2c_settings, is_forwarded
from upgradegw.negotiation.model import Fields
from upgradegw.web.clients import peer_of
from upgradegw.web.request import may_be_tunnels, with_extended_connect

#: Whose offer of h2c in an Upgrade field is accepted: nobody's, that of clients which nothing tells to be behind a
#: proxy, or everybody's.
H2C_UPGRADE = ("never", "direct", "always")


def check_h2c_upgrade(value: str) -> str:
    """Return the value if it is one of ``H2C_UPGRADE``.

    Raises:
        ValueError: It is none of these.
    """
    if value not in H2C_UPGRADE:
        raise ValueError(f"h2c_upgrade={value!r} must be one of {', '.join(map(repr, H2C_UPGRADE))}")
    return value


def may_upgrade(h2c_upgrade: str, transport: Any, peer: Any, fields: Fields, trusted: TrustedProxies) -> bool:
    """Tell whether the client of a request may be offered HTTP/2 behind a 101.

    What stands in front of this server would not see the streams that follow, and its rules would not hold for them.

    Args:
        h2c_upgrade: One of ``H2C_UPGRADE``.
        transport: The connection's transport.
        peer: What it says its peer is.
        fields: The request's field lines.
        trusted: The proxies that are known.
    """
    if h2c_upgrade != "direct":
        return h2c_upgrade == "always"
    address, proxy_source = peer_of(transport, peer)
    return proxy_source is None and address not in trusted and not is_forwarded(fields)


class Http2:
    """Makes the HTTP/2 connections of a site."""

    def __init__(
        self,
        site: Any,
        context: Callable[[], Context],
        limits: Http2Limits,
        *,
        extended_connect: bool,
        h2c_upgrade: str,
    ) -> None:
        """Make none yet.

        Args:
            site: The ``UpgradeSite``.
            context: Returns what its connections share.
            limits: The bounds.
            extended_connect: Whether extended CONNECT is offered.
            h2c_upgrade: One of ``H2C_UPGRADE``.

        Raises:
            ValueError: It is none.
        """
        self._site = site
        self._context = context
        self._limits = limits
        self._extended_connect = extended_connect
        self._h2c_upgrade = check_h2c_upgrade(h2c_upgrade)

    def prepare(self, channel: Channel, preface: bytes) -> None:
        """Show a new channel its ways to HTTP/2.

        Args:
            channel: The channel.
            preface: What a client that knows of HTTP/2 may begin with; empty if it may not.
        """
        channel.http2 = self.connection
        channel.preface = preface
        if self._h2c_upgrade != "never":
            channel.h2c = self._upgraded

    def connection(self, channel: Channel, upgraded: UpgradedRequest | None = None) -> Connection:
        """Make what speaks HTTP/2 in the place of a channel.

        Args:
            channel: The channel.
            upgraded: The request that asked for it.
        """
        request_factory = with_extended_connect(self._site.requestFactory)
        return Connection(
            self._context(),
            self._limits,
            self._site,
            channel.connection_id,
            request_factory=request_factory,
            # Where it is not offered, a browser opens another connection for its WebSocket, with HTTP/1.1.
            extended_connect=self._extended_connect and may_be_tunnels(request_factory),
            welcome=channel.welcome,
            upgraded=upgraded,
        )

    def _upgraded(self, channel: Channel, head: Head, content: IO[bytes]) -> Connection | None:
        """Judge an offer of h2c; see ``LeavingHalf.h2c``."""
        settings = None if channel.isSecure() else h2c_settings(head.fields)
        if settings is None or head.host is None:
            return None
        trusted = self._site.trusted
        if not may_upgrade(self._h2c_upgrade, channel.transport, channel.getPeer(), head.fields, trusted):
            return None
        on_stream = upgraded_head(head.method, head.target, head.host, head.fields)
        if on_stream is None:
            return None
        return self.connection(channel, UpgradedRequest(settings, on_stream, content))
