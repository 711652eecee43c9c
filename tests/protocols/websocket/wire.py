"""The server's end of a connection in memory, with the write buffer that Twisted's sockets have."""

from __future__ import annotations

from typing import Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.main import CONNECTION_DONE
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from zope.interface import implementer


@implementer(ITCPTransport)
class Wire(FileDescriptor):
    """The server's end of a connection, as Twisted has it; ``window`` is what the client is ready to read."""

    def __init__(self) -> None:
        super().__init__(MemoryReactorClock())
        self.connected = 1
        self.window: int | None = None
        self.sent = b""
        self.reading = True
        self.aborted = False
        self.protocol: Any = None

    def writeSomeData(self, data: bytes) -> int:
        size = len(data) if self.window is None else min(len(data), self.window)
        if self.window is not None:
            self.window -= size
        self.sent += bytes(data[:size])
        return size

    def startReading(self) -> None:
        self.reading = True

    def stopReading(self) -> None:
        self.reading = False

    def flush(self) -> None:
        """Let the reactor write until the client reads no more."""
        while self.connected and self in self.reactor.writers and self.window != 0:
            if self.doWrite() is CONNECTION_DONE:
                self.end(ConnectionDone())

    def end(self, why: Exception) -> None:
        self.connectionLost(Failure(why))
        self.protocol.connectionLost(Failure(why))

    def abortConnection(self) -> None:
        if self.connected:
            self.aborted = True
            self.end(ConnectionAborted())

    def getPeer(self) -> IPv4Address:
        return IPv4Address("TCP", "192.0.2.7", 50123)

    def getHost(self) -> IPv4Address:
        return IPv4Address("TCP", "192.0.2.1", 80)

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.no_delay = enabled
