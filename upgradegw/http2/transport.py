"""A stream as a transport: what a protocol behind an extended CONNECT is connected to (RFC 8441 section 5).

An orderly close is END_STREAM in either direction, an abortive one RST_STREAM with CANCEL. Reading that is paused
lets the client's window run out; writing faster than the client reads pauses the producer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from h2.errors import ErrorCodes
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IConsumer,
    IHalfCloseableProtocol,
    IProtocol,
    IPushProducer,
    ISSLTransport,
    ITransport,
)
from twisted.python.failure import Failure
from zope.interface import implementer


class Tunnel(Protocol):
    """The stream as its transport sees it."""

    read_ended: bool
    end_sent: bool

    @property
    def unsent(self) -> int:
        """Bytes that wait for the client to read."""

    def write(self, data: bytes) -> None:
        """Take bytes."""

    def end(self) -> None:
        """Nothing comes behind them."""

    def reset_later(self, code: int) -> None:
        """Reset the stream."""

    def consumed(self) -> None:
        """Some of what has arrived was taken."""

    def close_behind_end(self) -> None:
        """Our side had ended before; now it is closed."""

    def drop_producer(self) -> None:
        """Tell the producer that nothing more can be written."""

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let a producer be paused."""

    def unregisterProducer(self) -> None:
        """Forget it."""

    def getPeer(self) -> Any:
        """The address of the connection's other end."""

    def getHost(self) -> Any:
        """The address of this end."""


@implementer(ITransport, IPushProducer, IConsumer)
class StreamTransport:
    """The transport of a protocol that speaks on one stream.

    Attributes:
        protocol: Who receives; None before the switch.
        disconnecting: Whether it has been closed by its protocol.
        waiting: Bytes that have arrived and were not delivered.
        read_end_told: Whether the protocol knows that the client has ended its side.
    """

    protocol: IProtocol | None = None
    disconnecting = False
    waiting = 0
    _paused = False
    _gone = False
    read_end_told = False

    def __init__(self, stream: Tunnel) -> None:
        """Stand before a stream."""
        self._stream = stream
        self._held: list[bytes] = []

    # --- ITransport.

    def write(self, data: bytes) -> None:
        """Send bytes."""
        if not self.disconnecting:
            self._stream.write(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Send bytes in pieces."""
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        """Close behind what has been written: END_STREAM."""
        if not self.disconnecting:
            self.disconnecting = True
            if self._stream.end_sent:
                self._stream.close_behind_end()
            else:
                self._stream.end()

    def loseWriteConnection(self) -> None:
        """Close our side behind what has been written, and read on."""
        self._stream.end()

    def abortConnection(self) -> None:
        """Close at once: RST_STREAM with CANCEL (RFC 8441 section 5)."""
        self.disconnecting = True
        self._stream.reset_later(ErrorCodes.CANCEL)

    def getPeer(self) -> Any:
        """Return the address of the connection's other end."""
        return self._stream.getPeer()

    def getHost(self) -> Any:
        """Return the address of this end of the connection."""
        return self._stream.getHost()

    # --- IConsumer and IPushProducer.

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let a producer be paused and resumed."""
        if self._gone or self.disconnecting:
            producer.stopProducing()
            return
        self._stream.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        self._stream.unregisterProducer()

    def pauseProducing(self) -> None:
        """Deliver nothing for now; the client's window runs out."""
        self._paused = True

    def resumeProducing(self) -> None:
        """Deliver again."""
        self._paused = False
        self._pass_on()

    def stopProducing(self) -> None:
        """Close."""
        self.loseConnection()

    @property
    def unsent(self) -> int:
        """How many bytes wait for the client to read."""
        return self._stream.unsent

    # --- For the stream.

    def take_leading_data(self) -> bytes:
        """Return what has arrived before the switch; it is the new protocol's."""
        data, self._held = b"".join(self._held), []
        self.waiting = 0
        self.read_end_told = self._stream.read_ended  # whoever switches tells it behind these bytes
        return data

    def receive(self, data: bytes) -> None:
        """Take bytes that have arrived."""
        if self.disconnecting or not data:
            return
        protocol = self.protocol
        if protocol is not None and not self._held and not self._paused:
            protocol.dataReceived(data)
            self._stream.consumed()
            return
        self._held.append(data)
        self.waiting += len(data)
        self._pass_on()

    def end_received(self) -> None:
        """The client has ended its side."""
        self._pass_on()

    def lost(self, reason: Failure) -> None:
        """The stream is gone."""
        if not self._gone:
            self._gone = True
            self._held.clear()
            self.waiting = 0
            self._stream.consumed()
            self._stream.drop_producer()
            protocol, self.protocol = self.protocol, None
            if protocol is not None:
                protocol.connectionLost(reason)

    def _pass_on(self) -> None:
        """Deliver what may be delivered, and the client's end behind it; the protocol may pause in between."""
        while self._held and not self._paused and self.protocol is not None:
            data = self._held.pop(0)
            self.waiting -= len(data)
            if not self.disconnecting:
                self.protocol.dataReceived(data)
        self._stream.consumed()
        if self._stream.read_ended and not self._held and not self._paused and not self.read_end_told:
            self._tell_read_end()

    def _tell_read_end(self) -> None:
        """Say that the client has ended, as a socket would: to protocols that know half-closed ones, and to others."""
        if self.protocol is None or self._gone:
            return
        self.read_end_told = True
        half_closeable = IHalfCloseableProtocol(self.protocol, None)
        if half_closeable is not None:
            half_closeable.readConnectionLost()
        else:
            self.disconnecting = True
            self._stream.end()
            self.lost(Failure(ConnectionDone()))
        if self._stream.end_sent:
            self.lost(Failure(ConnectionDone()))


@implementer(ISSLTransport)
class SecureStreamTransport(StreamTransport):
    """The same on a connection with TLS: whoever asks for certificates is told those of the connection.

    Attributes:
        tls_layer: The connection's transport, for those who need more of it; not to be written to.
    """

    def __init__(self, stream: Tunnel, tls_layer: Any) -> None:
        """Stand before a stream.

        Args:
            stream: The stream.
            tls_layer: The connection's transport.
        """
        super().__init__(stream)
        self.tls_layer = tls_layer

    @property
    def negotiatedProtocol(self) -> bytes:
        """What TLS agreed on."""
        return self.tls_layer.negotiatedProtocol  # type: ignore[no-any-return]

    def getTcpNoDelay(self) -> bool:
        """Say what holds for the connection."""
        return bool(self.tls_layer.getTcpNoDelay())

    def getTcpKeepAlive(self) -> bool:
        """Say what holds for the connection."""
        return bool(self.tls_layer.getTcpKeepAlive())

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Do nothing: a stream has no say in what holds for all."""

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """Do nothing, likewise."""

    def getPeerCertificate(self) -> Any:
        """Return the client's certificate, or None."""
        return self.tls_layer.getPeerCertificate()


def reset_reason(code: int) -> Failure:
    """Return what a protocol or a request is told when its stream was reset."""
    return Failure(ConnectionLost(f"the stream was reset with code {code}"))
