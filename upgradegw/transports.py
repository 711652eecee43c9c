"""What is asked of transports of every kind, in one way."""

from __future__ import annotations

from socket import socket
from typing import Any

from twisted.internet.tcp import Connection


def abort_transport(transport: Any) -> None:
    """End a connection at once; what has no such end, as some wrappers, ends in order.

    Args:
        transport: Its transport.
    """
    (getattr(transport, "abortConnection", None) or transport.loseConnection)()


class BorrowedSocket(socket):
    """The socket of a connection that somebody else closes, whatever becomes of this object."""

    def close(self) -> None:
        """Let go of it; it stays open."""
        self.detach()

    def __del__(self) -> None:
        """Let go of it."""
        self.detach()


def is_bare(transport: Any) -> bool:
    """Tell whether a transport does nothing but read and send on a socket: it is connected, and there is no TLS.

    Args:
        transport: A transport of any kind. Those of reactors know of TLS (``startTLS``); what wraps them has the
            attribute only by passing it on, and so has none in its class.
    """
    return bool(hasattr(type(transport), "TLS") and not transport.TLS and transport.connected)


def bare_socket(transport: Any) -> socket:
    """Return the socket of a transport that is bare.

    Where the transport does not give it away, it is borrowed. Who asks must then ``close`` it before the descriptor
    can be another connection's: when the protocol hears of the end of this one.

    Args:
        transport: The transport.
    """
    handle = transport.getHandle()
    if isinstance(handle, socket):
        return handle
    return BorrowedSocket(handle.family, handle.type, handle.proto, handle.fileno())


def plain_socket(transport: Any) -> socket | None:
    """Return the socket of a bare transport whose ``write`` waits for the reactor's next turn; else None.

    Such are those of Twisted's own reactors: to send on the socket, while nothing waits in the transport, costs half of
    a ``write``. A reactor that sends sooner gains nothing by it, and its transports gather what is written.

    Args:
        transport: A transport of any kind.
    """
    if isinstance(transport, Connection) and is_bare(transport):
        return transport.getHandle()
    return None
