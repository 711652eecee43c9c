"""A stream that has become a tunnel, for whoever asked for it (RFC 8441 section 5)."""

from __future__ import annotations

from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from upgradegw.http2.transport import StreamTransport
from upgradegw.proxy.exchange import UpstreamTunnel


def tunnel_on(transport: StreamTransport) -> UpstreamTunnel:
    """Return the tunnel on a stream.

    Args:
        transport: The stream's transport, paused.
    """
    joined = _Joined(transport)
    return UpstreamTunnel(transport, b"", joined.attach, joined.resume)


class _Joined:
    """A stream's transport and the protocol that is to receive; it may break before that is there."""

    def __init__(self, transport: StreamTransport) -> None:
        self._transport = transport
        self._protocol: IProtocol | None = None
        self._watch = _Early()
        transport.protocol = self._watch

    def attach(self, protocol: IProtocol) -> None:
        """Make a protocol the receiver."""
        self._protocol = protocol
        if self._watch.reason is None:
            self._transport.protocol = protocol

    def resume(self) -> None:
        """Let it receive, perhaps that the stream is gone already."""
        if self._watch.reason is not None and self._protocol is not None:
            protocol, self._protocol = self._protocol, None
            protocol.connectionLost(self._watch.reason)
        else:
            self._transport.resumeProducing()


class _Early(Protocol):
    """Stands for the receiver until it is there; nothing is delivered yet."""

    reason: Failure | None = None

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Remember that the stream is gone."""
        self.reason = reason
