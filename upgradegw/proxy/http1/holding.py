"""What stands at a connection between its 101 and the tunnel's protocol: whatever comes early is kept, in order."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from upgradegw.takeover import attach_protocol


class Holding(Protocol):
    """Keeps bytes, and the connection's end, until ``resume``.

    The transport is paused, but TLS delivers all that one read has brought, and a write may find the connection gone.
    """

    transport: Any

    def __init__(self, transport: Any) -> None:
        """Stand at a transport that is paused.

        Args:
            transport: The transport.
        """
        self.transport = transport
        self._protocol: IProtocol | None = None
        self._kept: list[bytes] = []
        self._lost: Failure | None = None
        attach_protocol(transport, self)

    def dataReceived(self, data: bytes) -> None:
        """Keep bytes."""
        self._kept.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Keep the end."""
        self._lost = reason

    def attach(self, protocol: IProtocol) -> None:
        """Take note of who gets everything from ``resume`` on (``UpstreamTunnel.attach``)."""
        self._protocol = protocol

    def resume(self) -> None:
        """Give the transport to its protocol, and what was kept; then reading goes on (``UpstreamTunnel.resume``)."""
        protocol = self._protocol
        if protocol is None:
            raise RuntimeError("resume() before attach(): nobody would get the bytes")
        if self._lost is None:
            attach_protocol(self.transport, protocol)
            # Before what was kept is delivered, so that a pause in between holds; nothing is read meanwhile.
            self.transport.resumeProducing()
        kept, self._kept = b"".join(self._kept), []
        if kept:
            protocol.dataReceived(kept)
        if self._lost is not None:
            protocol.connectionLost(self._lost)
