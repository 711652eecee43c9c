"""TCP connections: addresses and options."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import ITCPTransport, ITLSTransport
from zope.interface import implementer

from upgradegw.reactor.connection import Connection

AnyIPAddress = IPv4Address | IPv6Address


def ip_address(name: tuple[Any, ...]) -> AnyIPAddress:
    """Make Twisted's address of what ``getpeername`` says."""
    if len(name) == 2:  # noqa: PLR2004 - host and port
        return IPv4Address("TCP", *name)
    if name[3]:
        # Python leaves the scope out of the host; only with it can the address be used.
        host = socket.getnameinfo(name, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)[0]
        name = (host, *name[1:])
    return IPv6Address("TCP", *name)


@implementer(ITCPTransport, ITLSTransport)
class TcpConnection(Connection):
    """A connection over TCP."""

    __slots__ = ()

    reads_before_turns = 3

    #: Whether TCP_NODELAY was turned off. uvloop begins with it on.
    _delays = False

    #: Whether SO_KEEPALIVE is no longer as it was inherited.
    _has_own_keep_alive = False

    def connection_made(self, transport: Any) -> None:
        """Keep the peer's address."""
        name = transport.get_extra_info("peername")
        self._peer = ip_address(name) if name is not None else None
        super().connection_made(transport)

    def getHost(self) -> AnyIPAddress:
        """Our own end."""
        if self._transport is None:
            raise AttributeError("the connection is closed")
        return ip_address(self._transport.get_extra_info("sockname"))

    def _place(self) -> tuple[Any, Any]:
        return self._peer.host, self.getHost().port if self.connected else "?"

    def getTcpNoDelay(self) -> bool:
        """Whether small segments are sent at once: uvloop begins with that, other reactors without."""
        return bool(self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Say whether small segments are sent at once."""
        if enabled and not self._delays:
            return
        self._delays = not enabled
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, enabled)

    def getTcpKeepAlive(self) -> bool:
        """Whether the system asks a silent peer for a sign of life."""
        return bool(self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """Say whether the system asks a silent peer for a sign of life."""
        if enabled and self._owner.keeps_alive and not self._has_own_keep_alive:
            return
        self._has_own_keep_alive = True
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, enabled)
