"""One end of a tunnel: takes what its transport receives, and sends it to the other end's.

On plain TCP a piece goes straight to the socket; what that does not take is left to the transport, and nothing more is
read until it has been sent. Where both ends are plain the route's pump soon reads, too, and the transports are left
with ends and errors. Other transports (TLS, an HTTP/2 stream) pause and resume their producer, as ever. So no more
waits in one direction than one piece, or than a transport holds and one piece.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from typing import Protocol as Interface

from twisted.internet.interfaces import IHalfCloseableProtocol, IPullProducer, IPushProducer, ISSLTransport
from twisted.internet.protocol import connectionDone
from twisted.protocols.policies import ProtocolWrapper
from twisted.python.failure import Failure
from zope.interface import implementer

from upgradegw.proxy.pump import Pump
from upgradegw.proxy.pumped import Pumped
from upgradegw.transports import abort_transport, is_bare, unsent_bytes


class Joint(Interface):
    """The tunnel as its ends see it."""

    @property
    def pump(self) -> Pump | None:
        """What reads from plain ends, if there is such a thing."""

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
class End(Pumped):
    """One end of a tunnel, and the producer for the other one's transport.

    Attributes:
        other: The other end.
    """

    other: End
    _producing = False
    # Whether nothing has been sent.
    _fresh = False

    def __init__(self, tunnel: Joint) -> None:
        """Belong to a tunnel."""
        self._tunnel = tunnel
        self._write: Callable[[bytes], None] = drop

    def _shared_pump(self) -> Pump | None:
        return self._tunnel.pump

    def connectionMade(self) -> None:
        """The transport is there."""
        self._tunnel.connected(self)

    def join(self) -> None:
        """Begin to send to the other end, which has its transport by now."""
        outlet = self.other.transport
        if is_bare(outlet):
            self._write = self._leave
            self._fresh = True
        else:
            self._write = outlet.write
            self._producing = True
            outlet.registerProducer(self, True)

    # --- What arrives.

    def dataReceived(self, data: bytes) -> None:
        """Pass bytes on."""
        self._received += len(data)
        self._pass_on(data)

    def _pass_on(self, data: bytes) -> None:
        """Send: on the socket itself while it takes them, which is half the work of a transport's write."""
        size = len(data)
        if self._fresh:
            self._fresh = False
            if not unsent_bytes(self.other.transport):  # else what HTTP wrote waits there, and stands first
                self._socket = self.other.bare()
        connected = self._socket
        if connected is not None:
            try:
                sent = connected.send(data)
            except OSError:
                sent = 0  # the transport will meet the same, and knows what to do
            if sent == size:
                self._pieces -= 1
                if not self._pieces:
                    self._begin_pumping()
                return
            self._socket = None
            if sent:
                data = data[sent:]
        self._write(data)

    def outlet_lost(self) -> None:
        """Send no more on the other end's socket: its descriptor will soon be another connection's."""
        self._socket = None
        self.hand_back()

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
            self._socket = self.other.bare()
        self._waited()
        self.resumeProducing()

    # --- The end.

    def readConnectionLost(self) -> None:
        """This end has sent all it will send."""
        self.read_ended = True
        self._tunnel.read_ended(self)

    def writeConnectionLost(self) -> None:
        """Our side has ended, as the other end wanted."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """This end is gone."""
        self.lost = True
        self.other.outlet_lost()
        self._let_go_of_socket()
        self.deafen()
        self._tunnel.lost(self, reason)

    def deafen(self) -> None:
        """Pass nothing on any more, and let the other end's transport end: behind a producer it would not."""
        self.cut = True
        self._fresh = False
        if self.lost:
            self._stop_pumping()
        else:
            self.hand_back()
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
            self._stop_pumping()
            self.transport.loseConnection()

    def abort(self) -> None:
        """Break it off."""
        if not self.lost and self.transport is not None:
            self.other.deafen()
            self._stop_pumping()
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
    socket_or_tls = isinstance(transport, ProtocolWrapper) or hasattr(type(transport), "TLS")
    is_tls = socket_or_tls and ISSLTransport.providedBy(transport)
    return hasattr(transport, "loseWriteConnection") and not is_tls
