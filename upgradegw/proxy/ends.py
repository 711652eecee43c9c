"""One end of a tunnel: takes what its transport receives, and sends it to the other end's.

On plain TCP a piece goes straight to the socket; what that does not take is left to the transport, and nothing more is
read until it has been sent. Other transports (TLS, an HTTP/2 stream) pause and resume their producer, as ever. So no
more waits in one direction than one piece, or than a transport holds and one piece.
"""

from __future__ import annotations

from collections.abc import Callable
from socket import socket
from typing import Any
from typing import Protocol as Interface

from twisted.internet.interfaces import IHalfCloseableProtocol, IPullProducer, IPushProducer, ISSLTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.tcp import Connection
from twisted.protocols.policies import ProtocolWrapper
from twisted.python.failure import Failure
from zope.interface import implementer

from upgradegw.http1.sending import plain_socket
from upgradegw.protocols.unsent import unsent_bytes
from upgradegw.transports import abort_transport


class Joint(Interface):
    """The tunnel as its ends see it."""

    def connected(self, end: End) -> None:
        """An end has its transport."""

    def read_ended(self, end: End) -> None:
        """An end has sent all it will send."""

    def lost(self, end: End, reason: Failure) -> None:
        """An end's connection is gone."""

    def answered(self) -> None:
        """Something came behind a Close."""


def drop(data: bytes) -> None:
    """Send nothing."""


@implementer(IHalfCloseableProtocol, IPushProducer)
class End(Protocol):
    """One end of a tunnel, and the producer for the other one's transport.

    Attributes:
        other: The other end.
        received: Bytes that have come from this one.
        paused: Whether it is not read from.
        read_ended: Whether it has ended its side.
        cut: Whether what it still sends is not passed on.
        lost: Whether its connection is gone.
    """

    transport: Any = None
    other: End
    received = 0
    paused = False
    read_ended = False
    cut = False
    lost = False
    # The other end's socket, while nothing waits in its transport.
    _socket: socket | None = None
    _producing = False

    def __init__(self, tunnel: Joint) -> None:
        """Belong to a tunnel."""
        self._tunnel = tunnel
        self._write: Callable[[bytes], None] = drop

    def connectionMade(self) -> None:
        """The transport is there."""
        self._tunnel.connected(self)

    def join(self) -> None:
        """Begin to send to the other end, which has its transport by now."""
        outlet = self.other.transport
        connected = plain_socket(outlet)
        if connected is not None:
            self._write = self._leave
            if not unsent_bytes(outlet):  # else what HTTP wrote waits there, and stands first
                self._socket = connected
        else:
            self._write = outlet.write
            self._producing = True
            outlet.registerProducer(self, True)

    # --- What arrives.

    def dataReceived(self, data: bytes) -> None:
        """Pass bytes on: to the socket itself while it takes them, which is half the work of a transport's write."""
        size = len(data)
        self.received += size
        connected = self._socket
        if connected is not None:
            try:
                sent = connected.send(data)
            except OSError:
                sent = 0  # the transport will meet the same, and knows what to do
            if sent == size:
                return
            self._socket = None
            if sent:
                data = data[sent:]
        self._write(data)

    def _leave(self, data: bytes) -> None:
        """Leave a piece to the other end's transport, and read nothing until it has been sent."""
        outlet = self.other.transport
        if not self._producing:
            self._producing = True
            self.pauseProducing()
            outlet.registerProducer(_Waiter(self), False)
        outlet.write(data)

    def sent(self) -> None:
        """The other end's transport has sent all that was left to it."""
        outlet = self.other.transport
        self._producing = False
        outlet.unregisterProducer()
        if self._write == self._leave:
            self._socket = plain_socket(outlet)
        self.resumeProducing()

    def readConnectionLost(self) -> None:
        """This end has sent all it will send."""
        self.read_ended = True
        self._tunnel.read_ended(self)

    def writeConnectionLost(self) -> None:
        """Our side has ended, as the other end wanted."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """This end is gone."""
        self.lost = True
        self.deafen()
        self._tunnel.lost(self, reason)

    # --- What the other end's transport takes.

    def pauseProducing(self) -> None:
        """It is full."""
        self.paused = True
        if not self.read_ended and not self.lost:
            self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """It has room."""
        self.paused = False
        if not self.read_ended and not self.lost:
            self.transport.resumeProducing()

    def stopProducing(self) -> None:
        """It is gone; its own end is told."""

    # --- The end.

    def deafen(self) -> None:
        """Pass nothing on any more, and let the other end's transport end: behind a producer it would not."""
        self.cut = True
        self._socket = None
        self._write = drop
        if self._producing:
            self._producing = False
            if not self.other.lost:
                self.other.transport.unregisterProducer()

    def end_writing(self) -> None:
        """End our side towards this end, behind what is buffered; where that cannot be alone, close.

        On TLS a close ends our side, and what the other side still sends is received until it has closed, too.
        """
        if self.lost:
            return
        self.other.deafen()
        if _half_closes(self.transport):
            self.transport.loseWriteConnection()
        else:
            self.transport.loseConnection()

    def lose(self) -> None:
        """Close behind what is buffered."""
        if not self.lost:
            self.other.deafen()
            self.transport.loseConnection()

    def abort(self) -> None:
        """Break it off."""
        if not self.lost and self.transport is not None:
            self.other.deafen()
            abort_transport(self.transport)

    def release(self) -> None:
        """Let go of what refers back here, so that all of it is freed at once."""
        del self._tunnel, self.other


@implementer(IPullProducer)
class _Waiter:
    """Learns that a transport has sent what it had: a pull producer is asked for more at that moment."""

    __slots__ = ("_end", "_registered")

    def __init__(self, end: End) -> None:
        self._end = end
        self._registered = False

    def resumeProducing(self) -> None:
        """Asked once when it is registered, and again when the transport is empty."""
        if self._registered:
            self._end.sent()
        self._registered = True

    def stopProducing(self) -> None:
        """The transport is gone; its own end is told."""


def _half_closes(transport: Any) -> bool:
    """Tell whether a transport can end our side alone: a socket, or a stream, but not TLS.

    What TLS is beneath has that method, too; a FIN there would be a truncation (RFC 8446 section 6.1).
    """
    is_tls = ISSLTransport.providedBy(transport) and isinstance(transport, ProtocolWrapper | Connection)
    return hasattr(transport, "loseWriteConnection") and not is_tls
