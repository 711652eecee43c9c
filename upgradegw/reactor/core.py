"""The reactor: Twisted's asyncio reactor on a uvloop loop, with listening and connecting of its own."""

from __future__ import annotations

import asyncio
from typing import Any

import uvloop
from twisted.internet.interfaces import IConnector, IListeningPort, IProtocolFactory
from twisted.internet.main import installReactor
from twisted.python import context
from twisted.python.log import ILogContext

from upgradegw.reactor.adopting import adopt_connection, adopt_port
from upgradegw.reactor.children import watch_children
from upgradegw.reactor.connection import Connection
from upgradegw.reactor.destinations import TcpConnector, UnixConnector
from upgradegw.reactor.log_context import LogContext
from upgradegw.reactor.ports import TcpPort, UnixPort
from upgradegw.reactor.streams import Streams
from upgradegw.reactor.watching import WatchingReactor


class UvReactor(WatchingReactor):
    """A reactor whose TCP and UNIX streams are uvloop's transports.

    Attributes:
        loop: uvloop's loop.
        streams: What the connections share.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """Make a loop, or use one.

        Args:
            loop: A uvloop loop that does not run.
        """
        if loop is None:
            loop = uvloop.new_event_loop()
            asyncio.set_event_loop(loop)
        self.streams = Streams(loop)
        super().__init__(loop)

    def run(self, installSignalHandlers: bool = True) -> None:
        """See ``IReactorCore.run``."""
        self.addSystemEventTrigger("after", "startup", watch_children, self.loop)
        self.addSystemEventTrigger("after", "startup", self.streams.begin_turns)
        context.call({ILogContext: LogContext(self.streams)}, super().run, installSignalHandlers)
        self.streams.end_turns()
        # What was closed at the end, uvloop closes in the next turn.
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()

    def listenTCP(self, port: Any, factory: IProtocolFactory, backlog: int = 50, interface: str = "") -> IListeningPort:
        """See ``IReactorTCP.listenTCP``."""
        listening = TcpPort(port, factory, backlog, interface, self)
        listening.startListening()
        return listening

    def connectTCP(
        self, host: str, port: int, factory: Any, timeout: float = 30.0, bindAddress: Any = None
    ) -> IConnector:
        """See ``IReactorTCP.connectTCP``."""
        connector = TcpConnector(host, port, factory, timeout, bindAddress, self)
        connector.connect()
        return connector

    def listenUNIX(
        self, address: Any, factory: IProtocolFactory, backlog: int = 50, mode: int = 0o666, wantPID: int = 0
    ) -> IListeningPort:
        """See ``IReactorUNIX.listenUNIX``."""
        listening = UnixPort(address, factory, backlog, mode, self, wantPID)
        listening.startListening()
        return listening

    def connectUNIX(self, address: Any, factory: Any, timeout: float = 30, checkPID: int = 0) -> IConnector:
        """See ``IReactorUNIX.connectUNIX``."""
        connector = UnixConnector(address, factory, timeout, checkPID, self)
        connector.connect()
        return connector

    def adoptStreamPort(self, fileDescriptor: int, addressFamily: int, factory: Any) -> IListeningPort:
        """See ``IReactorSocket.adoptStreamPort``."""
        port = adopt_port(self, fileDescriptor, addressFamily, factory)
        port.startListening()
        return port

    def adoptStreamConnection(self, fileDescriptor: int, addressFamily: int, factory: Any) -> Any:
        """See ``IReactorSocket.adoptStreamConnection``."""
        return adopt_connection(self, fileDescriptor, addressFamily, factory)

    # --- IReactorFDSet, for those that treat a connection as something to be selected.

    def addReader(self, reader: Any) -> None:
        """See ``IReactorFDSet.addReader``."""
        if isinstance(reader, Connection):
            reader.resumeProducing()
        else:
            super().addReader(reader)

    def removeReader(self, reader: Any) -> None:
        """See ``IReactorFDSet.removeReader``."""
        if isinstance(reader, Connection):
            reader.pauseProducing()
        else:
            super().removeReader(reader)

    def getReaders(self) -> list[Any]:
        """See ``IReactorFDSet.getReaders``."""
        connections = [each for each in self.streams.connections if each.is_reading]
        return [*super().getReaders(), *self.streams.ports, *connections]

    def getWriters(self) -> list[Any]:
        """See ``IReactorFDSet.getWriters``."""
        return [*super().getWriters(), *(each for each in self.streams.connections if each.unsent)]

    def removeAll(self) -> list[Any]:
        """See ``IReactorFDSet.removeAll``: at its end, the reactor tells all of these that they are lost.

        As on Twisted's reactors, a connection that neither reads nor has anything to send is not among them.
        """
        ports = list(self.streams.ports)
        for port in ports:
            port.stopReading()
        connections = [each for each in self.streams.connections if each.is_reading or each.unsent]
        return [*super().removeAll(), *ports, *connections]

    def removeWriter(self, writer: Any) -> None:
        """See ``IReactorFDSet.removeWriter``."""
        if not isinstance(writer, Connection):
            super().removeWriter(writer)


def install(loop: asyncio.AbstractEventLoop | None = None) -> UvReactor:
    """Make this the reactor of the process.

    Args:
        loop: A uvloop loop that does not run; by default a new one.

    Raises:
        ReactorAlreadyInstalledError: There is one already.
    """
    reactor = UvReactor(loop)
    installReactor(reactor)
    return reactor
