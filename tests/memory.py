"""A site spoken to in memory: bytes in, bytes out, no socket and no sleep."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.web.server import Site

from upgradegw.web.site import UpgradeSite

#: The request of a WebSocket client, RFC 6455 section 1.2.
WEBSOCKET = (
    b"GET /ws HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def upgrade_request(token: bytes = b"echo", *lines: bytes, method: bytes = b"GET", path: bytes = b"/") -> bytes:
    """A request that offers one token."""
    head = [method + b" " + path + b" HTTP/1.1", b"Host: a.example", b"Connection: Upgrade", b"Upgrade: " + token]
    return b"\r\n".join([*head, *lines, b"", b""])


class MemoryTransport(StringTransport):
    """A StringTransport that has a protocol, as a socket has."""

    protocol: Any = None

    def deliver(self, data: bytes) -> None:
        """What the socket does with bytes that it has read."""
        self.protocol.dataReceived(data)

    def end_of_stream(self) -> None:
        """What the socket does when the client has ended its side."""
        half_closeable = IHalfCloseableProtocol(self.protocol, None)
        if half_closeable is not None:
            half_closeable.readConnectionLost()
        else:
            self.lose()

    def lose(self, reason: Exception | None = None) -> None:
        """The connection is gone."""
        self.protocol.connectionLost(Failure(reason or ConnectionDone()))


class Memory:
    """One connection to a site in memory."""

    def __init__(self, root: Any, *, stock: bool = False, clock: Clock | None = None, **site_arguments: Any) -> None:
        """Connect to a site with this root; ``stock`` makes it one of twisted.web."""
        self.clock = clock or MemoryReactorClock()
        self.site = (Site if stock else UpgradeSite)(root, reactor=self.clock, **site_arguments)
        self.transport = self.connect()

    def connect(self) -> MemoryTransport:
        """Open one more connection."""
        transport = MemoryTransport(peerAddress=IPv4Address("TCP", "192.0.2.7", 40001))
        transport.protocol = self.site.buildProtocol(transport.getPeer())
        transport.protocol.makeConnection(transport)
        return transport

    def send(self, *segments: bytes) -> bytes:
        """Deliver segments and return all that the server has written so far."""
        for segment in segments:
            self.transport.deliver(segment)
        return self.received

    @property
    def received(self) -> bytes:
        """All that the server has written."""
        return self.transport.value()

    @property
    def status(self) -> int:
        """The status code of the first response."""
        return int(self.received.split(b" ", 2)[1])


def fields_of(response: bytes) -> dict[bytes, bytes]:
    """The fields of the first response, names in lower case; repeated ones joined."""
    fields: dict[bytes, bytes] = {}
    for line in response.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        name = name.lower()
        fields[name] = fields[name] + b", " + value.strip() if name in fields else value.strip()
    return fields


def content_of(response: bytes) -> bytes:
    """Whatever stands behind the head of the first response."""
    return response.partition(b"\r\n\r\n")[2]
