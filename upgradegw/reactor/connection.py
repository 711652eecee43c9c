"""One stream connection: what uvloop calls a protocol, and what Twisted's protocols call their transport."""

from __future__ import annotations

import contextlib
import struct
from socket import SO_LINGER, SOL_SOCKET
from typing import Any, Protocol

from twisted.internet.error import ConnectionAborted, ConnectionFdescWentAway
from twisted.internet.interfaces import (
    IConsumer,
    ILoggingContext,
    IPushProducer,
    ISystemHandle,
)
from twisted.internet.main import CONNECTION_DONE, CONNECTION_LOST
from twisted.python.failure import Failure
from zope.interface import implementer

from upgradegw.reactor.handle import Handle
from upgradegw.reactor.receiving import Receiving
from upgradegw.reactor.streams import Streams
from upgradegw.reactor.tls import start_tls

#: ``struct linger``: on, no seconds. Closing then sends RST, which is what "abort" says to the peer.
_LINGER_NOT = struct.pack("ii", 1, 0)

DONE = Failure(CONNECTION_DONE)
LOST = Failure(CONNECTION_LOST)


class Owner(Protocol):
    """The port or the connector that a connection comes from.

    Attributes:
        addr: Of a connector: what ``connect(2)`` was told.
        keeps_alive: Of a port: whether its connections inherit SO_KEEPALIVE from it, as they do in Linux.
    """

    addr: Any
    keeps_alive: bool

    def opened(self, connection: Any) -> None:
        """Make the protocol and connect it. Must not raise."""

    def closed(self, connection: Any, reason: Failure) -> None:
        """The protocol has been told. Must not raise."""


@implementer(ISystemHandle, IConsumer, IPushProducer, ILoggingContext)
class Connection(Receiving):
    """A transport of Twisted over one of uvloop.

    It is uvloop's protocol object, too, so that a connection is two objects and not three. The methods with
    underscores between their words are those that uvloop calls.

    Attributes:
        reactor: The reactor.
        is_client: Whether we connected, for the side that ``startTLS`` takes.
    """

    __slots__ = ("_owner", "_peer", "is_client", "reactor", "sessionno")

    #: The socket of a client that is bound and not yet connected.
    unconnected: Any = None

    def __init__(self, reactor: Any, streams: Streams, owner: Owner, *, is_client: bool = False) -> None:
        """Wait for uvloop to connect it."""
        super().__init__(streams)
        self.reactor = reactor
        self.is_client = is_client
        self.sessionno = 0
        self._owner = owner
        self._peer: Any = None

    def speak(self, protocol: Any) -> None:
        """Connect the protocol. Raises what it raises."""
        self.protocol = protocol
        protocol.makeConnection(self)

    # --- What uvloop calls.

    def connection_made(self, transport: Any) -> None:
        """It is open."""
        self._transport = transport
        transport.set_write_buffer_limits(0, 0)
        self.connected = 1
        self._ready = True
        self._streams.connections.add(self)
        self._owner.opened(self)

    def connection_lost(self, error: Exception | None) -> None:
        """It is closed, or broken."""
        if not self.disconnected:
            self._finish(self._reason or (DONE if error is None else LOST))

    # --- Ends.

    def abortConnection(self) -> None:
        """Close now, with RST, whatever is unsent."""
        if self.disconnected or self._reason is not None or self._transport is None:
            return
        self._reason = Failure(ConnectionAborted())
        self._ready = False
        self._out = self.batched = None
        self.stop_reading()
        with contextlib.suppress(OSError):
            self.socket.setsockopt(SOL_SOCKET, SO_LINGER, _LINGER_NOT)
        self._transport.abort()

    def give_up(self) -> None:
        """Close, because the socket was closed: what is unsent is lost, and there is no RST."""
        if self._transport is not None and self._reason is None:
            self._reason = Failure(ConnectionFdescWentAway())
            self._ready = False
            self._out = self.batched = None
            self._leave_turn()
            self._transport.abort()

    def fail(self, what: str) -> None:
        """Log the exception that is being handled, and lose the connection because of it."""
        failure = Failure()
        self.log.failure(what, failure, log_system=self.logPrefix())
        self.lose_at_once(failure)

    def lose_at_once(self, reason: Failure | None = None) -> None:
        """Tell the protocol now that the connection is lost.

        Args:
            reason: Why; by default, that it is done.
        """
        if self.disconnected or self._transport is None:
            return
        self._transport.abort()
        self._finish(reason or DONE)

    def connectionLost(self, reason: Failure) -> None:
        """The reactor has ended, or somebody says that it is over."""
        self.lose_at_once(reason)

    def _finish(self, reason: Failure) -> None:
        self.disconnected, self.connected, self._ready = 1, 0, False
        self._leave_turn()
        self.descriptor = -1
        self._streams.connections.discard(self)
        self._out = self._held = self._transport = self.batched = self.spoken = self.frame = None
        producer, self.producer = self.producer, None
        protocol, self.protocol = self.protocol, None
        try:
            if producer is not None:
                producer.stopProducing()
            if protocol is not None:
                protocol.connectionLost(reason)
        except BaseException:  # noqa: BLE001 - as in received
            self.log.failure("connectionLost failed")
        try:
            self._owner.closed(self, reason)
        except BaseException:  # noqa: BLE001 - a factory's; others have been read from as well
            self.log.failure("what was told of a lost connection failed")

    # --- TLS.

    def switch_to_tls(self) -> None:
        """What is written goes through TLS from now on."""
        self.TLS = True
        self._ready = False

    def startTLS(self, contextFactory: Any, normal: bool = True) -> None:
        """See ``ITLSTransport.startTLS``."""
        start_tls(self, contextFactory, normal)

    # --- Facts.

    @property
    def socket(self) -> Any:
        """The socket, for its options.

        Raises:
            AttributeError: It is closed.
        """
        if self._transport is None:
            if self.unconnected is not None and not self.disconnected:
                return self.unconnected
            raise AttributeError("the connection is closed")
        return Handle(self, self._transport.get_extra_info("socket"))

    def getHandle(self) -> Any:
        """The socket; TLS replaces this."""
        return self.socket

    def fileno(self) -> int:
        """The descriptor, or -1 if it is closed."""
        return -1 if self._transport is None else self.socket.fileno()

    def getPeer(self) -> Any:
        """Who is at the other end."""
        return self._peer

    def getHost(self) -> Any:
        """Our own end."""
        raise NotImplementedError

    @property
    def addr(self) -> Any:
        """Of a client: what ``connect(2)`` was told."""
        return self._owner.addr

    @property
    def logstr(self) -> str:
        """What lines of the log about this connection begin with."""
        if self.protocol is None:
            return "Uninitialized"
        prefix = _prefix(self.protocol)
        return f"{prefix},client" if self.is_client else f"{prefix},{self.sessionno},{self._place()[0]}"

    def logPrefix(self) -> str:
        """See ``ILoggingContext.logPrefix``."""
        return self.logstr

    def __repr__(self) -> str:
        if self.is_client:
            return f"<{type(self)} to {self.addr} at {id(self):x}>"
        return f"<{type(self.protocol).__name__} #{self.sessionno} on {self._place()[1]}>"

    def _place(self) -> tuple[Any, Any]:
        """Return whom the log names, and where ``repr`` says that it was accepted."""
        raise NotImplementedError


def _prefix(protocol: Any) -> str:
    return protocol.logPrefix() if ILoggingContext.providedBy(protocol) else type(protocol).__name__
