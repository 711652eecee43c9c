"""What is asked of transports of every kind, in one way."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
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


def unsent_bytes(transport: Any) -> int | None:
    """Return what a transport of Twisted's, or an HTTP/2 stream, still has to send, or None where that is not known.

    A wrapper (TLS, PROXY) passes the question on to the socket's transport.
    """
    unsent = getattr(transport, "unsent", None)
    if isinstance(unsent, int):
        return unsent
    try:
        return len(transport.dataBuffer) - transport.offset + transport._tempDataLen  # type: ignore[no-any-return] # noqa: SLF001
    except AttributeError:
        return None


def at_once(transport: Any) -> Callable[[bytes], None]:
    """Return what writes to a transport in the shortest way there is.

    Args:
        transport: A transport of any kind.
    """
    if hasattr(type(transport), "write_at_once"):  # in its class: what wraps one passes on what it has not itself
        return transport.write_at_once  # type: ignore[no-any-return]
    if isinstance(transport, Connection):
        return partial(_write_on_socket, transport)
    return transport.write  # type: ignore[no-any-return]


def write_at_once(transport: Any, data: bytes) -> None:
    """Write in the shortest way.

    Args:
        transport: A transport of any kind.
        data: What is to be sent.
    """
    at_once(transport)(data)


def _write_on_socket(transport: Any, data: bytes) -> None:
    connected = plain_socket(transport)
    if connected is not None and not unsent_bytes(transport):
        sent = send_at_once(connected, data)
        if sent == len(data):
            return
        data = data[sent:]
    transport.write(data)


def send_at_once(connected: socket, data: bytes) -> int:
    """Send on a socket; return how much was taken.

    Of all that a small message costs, the reactor's registering and unregistering of a writer is the larger part.
    What the socket does not take, and every error, is left to the transport.
    """
    try:
        return connected.send(data)
    except OSError:
        return 0
