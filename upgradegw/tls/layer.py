"""Twisted's TLS layer, with one write for all that is sent while a read is delivered, and little work for each.

Twisted's ``BufferingTLSTransport`` puts off every write to the reactor's next iteration, with a timer for each
connection. Here only those that no read has caused wait for it, and all connections of a factory wait together. The
handshake, producers, the end and all errors are Twisted's own.

This is the only file that names private attributes of Twisted's TLS layer. What it relies on is tested with the lowest
and the latest Twisted that is supported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from OpenSSL import SSL
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.main import CONNECTION_LOST
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import directlyProvides, providedBy

from upgradegw.tls.memory import PIECE, RECORD, Memory
from upgradegw.transports import at_once

#: Bytes that are gathered before they are sent all the same; as many as in Twisted.
MOST_GATHERED = 64_000


class TlsLayer(TLSMemoryBIOProtocol):
    """A connection's TLS: the transport of the protocol inside."""

    factory: TlsFactory
    transport: Any
    # What is still to be encrypted, and how many bytes that are.
    _gathered: list[bytes] | None = None
    _size = 0
    # What is encrypted goes to the transport by this way, the shortest.
    _send: Callable[[bytes], None]
    # Whether a read is being delivered.
    _receiving = False
    # There once the handshake is done, until the connection is gone; never with a pyOpenSSL that we do not know.
    _memory: Memory | None = None

    def makeConnection(self, transport: Any) -> None:
        """Begin; a client says hello, a server waits for that."""
        self._tlsConnection = self.factory.new_connection(self)
        self._appSendBuffer: list[bytes] = []
        self.factory.declare(self, transport)
        self._send = at_once(transport)
        Protocol.makeConnection(self, transport)
        self.factory.registerProtocol(self)
        if self._connectWrapped:
            self.wrappedProtocol.makeConnection(self)
        if self.factory.is_client:
            self._checkHandshakeStatus()

    def _checkHandshakeStatus(self) -> None:
        super()._checkHandshakeStatus()
        if self._handshakeDone and not self._lostTLSConnection:
            self._memory = Memory.of(self._tlsConnection)

    def _tlsShutdownFinished(self, reason: Failure | None) -> None:
        if reason is not None and reason.check(SSL.ZeroReturnError):
            # An end in mid-handshake is none in order; and Twisted looks for words, which this error has none of.
            self._reason, reason = self._reason or Failure(CONNECTION_LOST), None
        super()._tlsShutdownFinished(reason)

    # --- What comes in.

    def dataReceived(self, data: bytes) -> None:
        """Deliver what is in it, then send all that was written meanwhile."""
        memory = self._memory
        if len(data) > PIECE:
            self._receive_pieces(memoryview(data))
            return
        self._receiving = True
        try:
            if memory is None or self._appSendBuffer:
                super().dataReceived(data)  # until the handshake is done
            else:
                self._receive(memory, data)
        finally:
            self._receiving = False
        if self._gathered is not None:
            self.send_gathered()

    def _receive_pieces(self, data: memoryview) -> None:
        for at in range(0, len(data), PIECE):
            if not self._lostTLSConnection:
                self.dataReceived(bytes(data[at : at + PIECE]))

    def _receive(self, memory: Memory, data: bytes) -> None:
        content = memory.put(data)
        if content and not self._aborted:
            self.wrappedProtocol.dataReceived(content)
        if self._lostTLSConnection:
            return
        if memory.error is not None:
            self._read_failed(memory.error)
        elif self._gathered is None:
            self._flushSendBIO()

    def _flushReceiveBIO(self) -> None:
        """Deliver every record that is complete, as Twisted does."""
        memory = self._memory
        if memory is None:
            super()._flushReceiveBIO()
        elif not self._lostTLSConnection:
            self._receive(memory, b"")

    def _read_failed(self, error: SSL.Error) -> None:
        """The peer has ended its side, or what came is no TLS."""
        if isinstance(error, SSL.ZeroReturnError):
            self.send_gathered()  # what answers what came before the end is still read
            self._shutdownTLS()
            self._tlsShutdownFinished(None)
        else:
            self._tlsShutdownFinished(Failure(error))

    # --- What goes out.

    def write(self, data: bytes) -> None:
        """Send something with the rest of what answers a read, or else soon."""
        if self._lostTLSConnection or (self.disconnecting and self._producer is None):
            return
        data = b"" + data  # raises a TypeError for what is no bytes; copies what might be changed
        if self._gathered is None:
            self._gathered = [data]
            self._size = len(data)
            if not self._receiving:
                self.factory.send_soon(self)
        else:
            self._gathered.append(data)
            self._size += len(data)
        if self._size > MOST_GATHERED:
            self.send_gathered()

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Write a sequence of bytes."""
        self.write(b"".join(iovec))

    def send_gathered(self) -> None:
        """Encrypt what has been written, and hand it to the transport."""
        gathered, self._gathered = self._gathered, None
        if gathered is None or self._lostTLSConnection:
            return
        data = gathered[0] if len(gathered) == 1 else b"".join(gathered)
        memory = self._memory
        if self._appSendBuffer:
            self._bufferedWrite(data)  # OpenSSL waits for the peer; behind what waits already
        elif memory is None:
            self._write(data)
        elif len(data) > RECORD:
            self._send_pieces(memory, data)
        elif data:
            try:
                encrypted = memory.encrypt(data)
            except SSL.Error:
                self._tlsShutdownFinished(Failure())
                return
            if encrypted:
                self._send(encrypted)
            else:
                self._bufferedWrite(data)

    def _send_pieces(self, memory: Memory, data: bytes) -> None:
        encrypted = []
        view = memoryview(data)
        for at in range(0, len(data), PIECE):
            piece = view[at : at + PIECE]
            try:
                done = memory.write(piece)
            except SSL.Error:
                self._tlsShutdownFinished(Failure())
                break
            encrypted.append(memory.take())
            if done < len(piece):
                self._bufferedWrite(data[at + done :])
                break
        self.transport.writeSequence(encrypted)

    def _flushSendBIO(self) -> None:
        """Hand what OpenSSL has for the peer to the transport."""
        memory = self._memory
        if memory is None:
            super()._flushSendBIO()
        elif data := memory.take():
            self.transport.write(data)

    def unregisterProducer(self) -> None:
        """There will be no more from the producer; what it wrote last goes before the end."""
        self.send_gathered()
        super().unregisterProducer()

    # --- The end.

    def loseConnection(self) -> None:
        """End behind what has been written."""
        self.send_gathered()
        super().loseConnection()

    def abortConnection(self) -> None:
        """End at once, without what has been written and not sent."""
        self._gathered = None
        super().abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone.

        Every complete record has been delivered, if the handshake was done, and there was no end of TLS among them.
        What OpenSSL would say to that is known, costs more than all else here, and leaves a circle of frames.
        """
        if self.transport is None:
            return  # it never began, for want of a certificate
        if not self._lostTLSConnection:
            self._lostTLSConnection = True
            self._reason = self._reason or Failure(CONNECTION_LOST)
        super().connectionLost(reason)
        self._memory = self._gathered = None


class TlsFactory(TLSMemoryBIOFactory):
    """Puts TLS around the protocols of a factory: Twisted's, with our layer.

    Attributes:
        is_client: Whether its connections say hello.
    """

    log = Logger()
    protocol = TlsLayer

    def __init__(
        self, contextFactory: Any, isClient: bool, wrappedFactory: IProtocolFactory, clock: Any = None
    ) -> None:
        """Make it; the arguments are those of Twisted's.

        Args:
            contextFactory: Makes OpenSSL's side of a connection.
            isClient: Whether connections say hello.
            wrappedFactory: Makes the protocols inside.
            clock: Gives the moments at which writes are joined and sent; None for the running reactor.
        """
        super().__init__(contextFactory, isClient, wrappedFactory, clock)
        self.is_client = isClient
        self._waiting: list[TlsLayer] = []
        self._declared: tuple[Any, Any] = (None, None)

    def new_connection(self, layer: TlsLayer) -> SSL.Connection:
        """Return OpenSSL's side of a new connection."""
        return self._creatorCallable(layer)

    def declare(self, layer: Any, transport: Any) -> None:
        """Make a layer provide what its transport provides; that of the last one is known already, mostly."""
        provided = providedBy(transport)
        known, declaration = self._declared
        if provided is known:
            layer.__provides__ = declaration
        else:
            directlyProvides(layer, provided)
            self._declared = (provided, layer.__provides__)

    def send_soon(self, layer: TlsLayer) -> None:
        """Send what a layer has gathered in the reactor's next iteration."""
        if not self._waiting:
            self._clock.callLater(0, self._send_waiting)
        self._waiting.append(layer)

    def _send_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for layer in waiting:
            try:
                layer.send_gathered()
            except Exception:  # noqa: BLE001 - a producer's, which was told to pause; the others are sent all the same
                self.log.failure("a producer failed")
