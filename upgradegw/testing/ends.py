"""Two ends of a connection in memory, with the buffers, half-closes and resets that a socket has.

Each end is Twisted's own ``FileDescriptor``: its write buffer, its producers and its order of closing are those of a
TCP connection. Only what the operating system would do is done here.
"""

from __future__ import annotations

from itertools import count
from typing import Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol, ITCPTransport
from twisted.internet.main import CONNECTION_DONE, CONNECTION_LOST
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

_log = Logger(namespace="upgradegw.testing")
_numbers = count(1)

#: Bytes on their way that one end has sent and the other has not read; then a sender waits. Twisted reads as many from
#: a socket at a time.
CAPACITY = 65536


Address = IPv4Address | IPv6Address


class Pipe:
    """One direction of a connection: what one end has sent and the other has not been told.

    Attributes:
        data: Bytes on their way.
        ended: Whether there will be no more: a FIN.
        broken: Whether the sender broke the connection off: a RST.
        full: Whether the sender waits for room.
        unread: Whether the receiver is gone.
    """

    def __init__(self) -> None:
        """Be empty."""
        self.data = bytearray()
        self.ended = self.broken = self.full = self.unread = False

    def put(self, data: bytes) -> int:
        """Take as many bytes as there is room for, and return how many these are."""
        taken = data[: max(0, CAPACITY - len(self.data))]
        self.data += taken
        self.full = bool(data) and not taken
        return len(taken)

    def take(self, most: int) -> bytes:
        """Return the next bytes."""
        data = bytes(self.data[:most])
        del self.data[: len(data)]
        self.full = False
        return data


@implementer(ITCPTransport)
class End(FileDescriptor):
    """One end of a connection.

    Attributes:
        number: Ends take their turns in the order in which they were made.
        protocol: Whom bytes are delivered to.
    """

    protocol: Any = None
    reactor: Any

    def __init__(
        self,
        reactor: Any,
        addresses: tuple[Address, Address],
        pipes: tuple[Pipe, Pipe],
        *,
        segment: int = CAPACITY,
        raises: bool = False,
    ) -> None:
        """Wait for ``start``.

        Args:
            reactor: The ``Reactor`` that moves the bytes.
            addresses: The addresses of this end and of the other one.
            pipes: What comes to this end, and what goes from it.
            segment: The most bytes that are delivered at a time.
            raises: Whether what the protocol raises goes up to the test; else it is logged and costs the connection,
                as in a reactor.
        """
        super().__init__(reactor)
        self.number = next(_numbers)
        self.connected = 1
        self._host, self._peer = addresses
        self._in, self._out = pipes
        self._segment = segment
        self._raises = raises
        self._fin_told = self._fin_wanted = False

    # --- What the operating system would do.

    def writeSomeData(self, data: bytes) -> int | BaseException:
        """Send as much as the other end has room for."""
        # An empty write, with which Twisted begins a close, meets no error on a socket either.
        return CONNECTION_LOST if self._out.unread and data else self._out.put(data)

    def doRead(self) -> BaseException | None:
        """Deliver what has arrived, or the news that the other end has ended or broken the connection."""
        if self._in.broken:
            return CONNECTION_LOST
        if not self._in.data:
            self._fin_told = True
            return CONNECTION_DONE
        self.protocol.dataReceived(self._in.take(self._segment))
        return None

    @property
    def readable(self) -> bool:
        """Whether there is something to be told to the protocol."""
        arrived = self._in
        return bool(self.connected) and (bool(arrived.data) or arrived.broken or (arrived.ended and not self._fin_told))

    @property
    def writable(self) -> bool:
        """Whether the other end has room, or is gone."""
        return bool(self.connected) and (not self._out.full or self._out.unread)

    def take_turn(self, *, reading: bool) -> None:
        """Do what a reactor does with a socket that is ready.

        Args:
            reading: Whether it is ready to be read from; else, to be written to.
        """
        try:
            why = self.doRead() if reading else self.doWrite()
        except Exception as error:
            if self._raises:
                raise
            _log.failure("the protocol failed on what it received")
            why = error
        if why is None:
            if not reading:
                self._send_fin()
            return
        if reading and isinstance(why, ConnectionDone):
            self.stopReading()
            self.readConnectionLost(Failure(why))
            return
        self.connectionLost(Failure(why if isinstance(why, Exception) else ConnectionLost()))

    def _send_fin(self) -> None:
        """End our side if that was asked for and everything before it has been sent."""
        sent = self._out
        if self._fin_wanted and not sent.ended and self.producer is None and self not in self.reactor.getWriters():
            sent.ended = True
            half_closeable = IHalfCloseableProtocol(self.protocol, None)
            if half_closeable is not None:
                half_closeable.writeConnectionLost()

    # --- What Twisted asks of a transport.

    def loseWriteConnection(self) -> None:
        """End our side behind what has been written."""
        self._fin_wanted = True
        super().loseWriteConnection()

    def abortConnection(self) -> None:
        """Break the connection off."""
        if self.connected:
            self.stopReading()
            self.stopWriting()
            self.disconnecting = True
            self.reactor.callLater(0, self.connectionLost, Failure(ConnectionAborted()))

    def readConnectionLost(self, reason: Failure) -> None:
        """The other side has ended."""
        half_closeable = IHalfCloseableProtocol(self.protocol, None)
        if half_closeable is None:
            self.connectionLost(reason)
            return
        try:
            half_closeable.readConnectionLost()
        except Exception:
            if self._raises:
                raise
            _log.failure("the protocol failed at the end of the other side")
            self.connectionLost(Failure())

    def connectionLost(self, reason: Failure) -> None:
        """The connection is gone, at this end."""
        if self.disconnected:
            return
        super().connectionLost(reason)
        self._in.unread = True
        self._out.ended = True
        self._out.broken = not reason.check(ConnectionDone)
        self.protocol.connectionLost(reason)

    def getHost(self) -> Address:
        """Return the address of this end."""
        return self._host

    def getPeer(self) -> Address:
        """Return the address of the other end."""
        return self._peer

    def getTcpNoDelay(self) -> bool:
        """Nothing is ever delayed."""
        return True

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Nothing is ever delayed."""

    def getTcpKeepAlive(self) -> bool:
        """Nothing is ever lost."""
        return False

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """Nothing is ever lost."""


def pair(reactor: Any, here: Address, there: Address, segment: int) -> tuple[End, End]:
    """Return both ends of a new connection: the client's and the server's.

    Args:
        reactor: The ``Reactor`` that moves the bytes.
        here: The client's address.
        there: The server's.
        segment: The most bytes that are delivered to the server at a time.
    """
    up, down = Pipe(), Pipe()
    client = End(reactor, (here, there), (down, up), raises=True)
    return client, End(reactor, (there, here), (up, down), segment=segment)


def start(end: End, protocol: Any) -> None:
    """Begin a protocol's connection at an end."""
    end.protocol = protocol
    protocol.makeConnection(end)
    if end.connected and not end.disconnecting:
        end.startReading()
