"""What stands at a connection between its 101 and the tunnel's protocol: whatever comes early is kept, in order."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from upgradegw.takeover import attach_protocol


class Holding(Protocol):
    """Keeps bytes, and the connection's end, until ``resume``.

    The transport is paused unless the tunnel begins at once, but TLS delivers all that one read has brought, and a
    write may find the connection gone.
    """

    transport: Any

    def __init__(self, transport: Any, *, paused: bool) -> None:
        """Stand at a transport.

        Args:
            transport: The transport.
            paused: Whether it is paused; if not, ``wait`` must follow.
        """
        self.transport = transport
        self._paused = paused
        self._is_over = False
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

    def wait(self) -> None:
        """Pause the transport, unless everything has its place already."""
        if not self._paused and not self._is_over and self._lost is None:
            self._paused = True
            if not self.transport.disconnecting:  # else who got the switch did not want it
                self.transport.pauseProducing()

    def resume(self) -> None:
        """Give the transport to its protocol, and what was kept; then reading goes on (``UpstreamTunnel.resume``)."""
        protocol = self._protocol
        if protocol is None:
            raise RuntimeError("resume() before attach(): nobody would get the bytes")
        self._is_over = True
        if self._lost is None:
            attach_protocol(self.transport, protocol)
            # Before what was kept is delivered, so that a pause in between holds; nothing is read meanwhile.
            if self._paused:
                self.transport.resumeProducing()
        kept, self._kept = b"".join(self._kept), []
        if kept:
            protocol.dataReceived(kept)
        if self._lost is not None:
            protocol.connectionLost(self._lost)
