"""The client's end of one connection: raw bytes, for those who want to see them or to send their own."""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from upgradegw.testing.reactor import Reactor
from upgradegw.testing.responses import Violation


@implementer(IHalfCloseableProtocol)
class Connection(Protocol):
    """The client's end of one connection, inside of TLS if there is TLS.

    Attributes:
        ended: Whether the site has ended its side.
        closed: Whether the connection is gone.
        aborted: Whether the site broke it off.
    """

    transport: Any  # ours, or Twisted's TLS on it

    def __init__(self, reactor: Reactor) -> None:
        """Wait for a transport.

        Args:
            reactor: Moves the bytes.
        """
        self.ended = self.closed = self.aborted = False
        self._reactor = reactor
        self._sent = bytearray()
        self._received = bytearray()
        self._left = self._half_closed = False

    @property
    def sent(self) -> bytes:
        """All that the client has sent."""
        return bytes(self._sent)

    @property
    def received(self) -> bytes:
        """All that the site has sent."""
        self.turn()
        return bytes(self._received)

    @property
    def agreed(self) -> bytes | None:
        """The protocol that TLS agreed on (ALPN), or None."""
        return getattr(self.transport, "negotiatedProtocol", None)

    # --- What a client does.

    def send(self, data: bytes) -> None:
        """Send bytes, and let everything happen that follows.

        Args:
            data: The bytes; with TLS, those inside of it.
        """
        self.put(data)
        self.turn()

    def half_close(self) -> None:
        """End the client's side: a FIN, or TLS's close_notify, behind which TLS lets nothing come back either."""
        half_close = getattr(self.transport, "loseWriteConnection", None) or self.transport.loseConnection
        self._half_closed = True
        if not self.closed:
            half_close()
            self._lose_if_both_ended()
        self.turn()

    def _lose_if_both_ended(self) -> None:
        if self.ended and self._half_closed:
            self.transport.loseConnection()

    def lose(self) -> None:
        """Close in order."""
        self._left = True
        if not self.closed:
            self.transport.loseConnection()
        self.turn()

    def abort(self) -> None:
        """Break the connection off, as a client whose machine was switched off."""
        self._left = True
        if not self.closed:
            self.transport.abortConnection()
        self.turn()

    def pause(self) -> None:
        """Read nothing more for now: what the site sends fills its buffers."""
        self.transport.pauseProducing()

    def resume(self) -> None:
        """Read on."""
        self.transport.resumeProducing()
        self.turn()

    def turn(self) -> None:
        """Let everything happen that needs no time."""
        self._reactor.turn()

    def end(self) -> str:
        """Return how the connection ended, in words."""
        if self.aborted:
            return "the site broke the connection off"
        return "the site ended the connection" if self.ended else "the client left"

    def put(self, data: bytes) -> None:
        """Send bytes when everything else has its turn.

        Args:
            data: The bytes; with TLS, those inside of it.
        """
        if data:
            self._sent += data
            self.transport.write(data)

    # --- For Twisted.

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from the site."""
        self._received += data
        try:
            self.take(data)
        except Violation:
            self._left = True
            self.transport.abortConnection()  # as every client has to; what has come can still be looked at
            raise

    def readConnectionLost(self) -> None:
        """The site has ended its side."""
        self.ended = True
        self.end_received()
        self._lose_if_both_ended()

    def writeConnectionLost(self) -> None:
        """The client's side has ended."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone."""
        done = bool(reason.check(ConnectionDone))
        if done and not self._left and not self.ended:
            self.readConnectionLost()  # as TLS tells it
        self.closed = True
        self.aborted = not done and not self._left
        self.gone()

    # --- For those who speak HTTP here.

    def take(self, data: bytes) -> None:
        """Make something of bytes from the site.

        Args:
            data: The bytes.
        """

    def end_received(self) -> None:
        """Make something of the end of the site's side."""

    def gone(self) -> None:
        """Make something of the connection's end."""
