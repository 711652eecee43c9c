"""The connections of a client, and how one more is opened: what a listening port does, and the client's end of it."""

from __future__ import annotations

from ipaddress import ip_address
from itertools import count
from typing import Any, TypeVar

from twisted.internet.address import IPv4Address, IPv6Address

from upgradegw.testing.connection import Connection
from upgradegw.testing.ends import pair, start
from upgradegw.testing.http1 import Http1Connection
from upgradegw.testing.http2 import Http2Connection
from upgradegw.testing.reactor import Reactor
from upgradegw.testing.responses import Unanswered
from upgradegw.testing.tls import client_side, server_side

_C = TypeVar("_C", bound=Connection)

_IPV6 = 6


class Connecting:
    """Opens connections to a site.

    Attributes:
        made: The connections so far, oldest first.
    """

    def __init__(self, site: Any, *, secure: bool, http2: bool, peer: str, segment: int) -> None:
        """Come to a site.

        Args:
            site: The site; its reactor is a ``Reactor``.
            secure: Whether there is TLS.
            http2: Whether TLS is to agree on HTTP/2.
            peer: The client's IP address.
            segment: The most bytes that the site is given at a time.
        """
        self.made: list[Connection] = []
        self._reactor: Reactor = site.reactor
        self._factory = server_side(site, self._reactor) if secure else site
        self._secure = secure
        self._http2 = http2
        self._peer = peer
        self._segment = segment
        self._ports = count(40001)

    def open(self, protocol: _C) -> _C:
        """Open a connection for a protocol of the client's.

        Args:
            protocol: The protocol.
        """
        kind = IPv6Address if ip_address(self._peer).version == _IPV6 else IPv4Address
        here = kind("TCP", self._peer, next(self._ports))
        there = kind("TCP", "2001:db8::1" if kind is IPv6Address else "192.0.2.1", 443 if self._secure else 80)
        client, server = pair(self._reactor, here, there, self._segment)
        offered = b"h2" if self._http2 else b"http/1.1"
        start(client, client_side(protocol, self._reactor, offered) if self._secure else protocol)
        self.made.append(protocol)
        accepted = self._factory.buildProtocol(here)
        if accepted is None:  # a port closes such a connection at once
            accepted = Connection(self._reactor)
            start(server, accepted)
            accepted.lose()
        else:
            start(server, accepted)
        self._reactor.turn()
        return protocol

    def http1(self) -> Http1Connection:
        """Return a connection of HTTP/1.1 that is free, or else a new one."""
        self._reactor.turn()
        for connection in self.made:
            if isinstance(connection, Http1Connection) and connection.idle:
                return connection
        return self.open(Http1Connection(self._reactor))

    def http2(self) -> Http2Connection:
        """Return a connection of HTTP/2 that takes requests, or else a new one.

        Raises:
            Unanswered: The site does not speak HTTP/2.
        """
        self._reactor.turn()
        for connection in self.made:
            if isinstance(connection, Http2Connection) and connection.idle:
                return connection
        made = self.open(Http2Connection(self._reactor))
        if self._secure and made.agreed != b"h2":
            raise Unanswered(f"TLS agreed on {made.agreed!r} and not on HTTP/2")
        if not made.greeted:
            raise Unanswered(f"the site does not speak HTTP/2: it sent {made.received[:200]!r}")
        return made

    def close(self) -> None:
        """Leave."""
        for connection in self.made:
            connection.abort()
