"""Listening: Twisted's ports bind, uvloop accepts."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet import tcp, unix
from twisted.internet.error import CannotListenError
from twisted.python.failure import Failure

from upgradegw.reactor.accepting import Accepting
from upgradegw.reactor.connection import Connection
from upgradegw.reactor.driving import at_once
from upgradegw.reactor.opening import set_up
from upgradegw.reactor.tcp import TcpConnection
from upgradegw.reactor.unix import UnixConnection


class _Accepting:
    """Of a port: hand the listening socket to uvloop, and its connections to the factory.

    Attributes:
        adopted: A socket that somebody else has opened.
    """

    reactor: Any
    factory: Any
    socket: Any
    backlog: Any
    sessionno: int
    kind: type[Connection]
    addr = None
    keeps_alive = False
    adopted: socket.socket | None = None
    _created: socket.socket | None = None
    _accepting: Accepting | None = None

    def createInternetSocket(self) -> socket.socket:
        """Return the socket to listen on: a new one, or one that somebody else has opened."""
        if self.adopted is not None:
            return self.adopted
        created: socket.socket = super().createInternetSocket()  # type: ignore[misc]
        self._created = created
        return created

    def startReading(self) -> None:
        """Accept."""
        if self._accepting is None:
            self._accepting = Accepting(self.reactor.loop, self.socket, self.backlog, self._serve)
            self.reactor.streams.ports.add(self)

    def stopReading(self) -> None:
        """Accept no more; clients wait in the backlog."""
        accepting, self._accepting = self._accepting, None
        self.reactor.streams.ports.discard(self)
        if accepting is not None:
            accepting.stop()

    def _serve(self, listening: socket.socket, backlog: int) -> Any:
        """Make uvloop's server."""
        raise NotImplementedError

    def _accepted(self) -> Connection:
        return self.kind(self.reactor, self.reactor.streams, self)

    def opened(self, connection: Any) -> None:
        """Ask the factory for a protocol, and connect it."""
        connection.sessionno = self.sessionno
        self.sessionno += 1
        set_up(connection, self.factory)

    def closed(self, connection: Any, reason: Failure) -> None:
        """Nothing to do."""


class TcpPort(_Accepting, tcp.Port):
    """A port of TCP."""

    kind = TcpConnection

    def startListening(self) -> None:
        """Bind and listen; a socket that cannot be bound is closed, which not every release of Twisted does.

        Raises:
            CannotListenError: It cannot be bound.
        """
        try:
            super().startListening()
        except CannotListenError:
            if self._created is not None:
                self._created.close()
            raise

    def startReading(self) -> None:
        """Accept."""
        self.keeps_alive = bool(self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
        super().startReading()

    def _serve(self, listening: socket.socket, backlog: int) -> Any:
        return at_once(self.reactor.loop.create_server(self._accepted, sock=listening, backlog=backlog))


class UnixPort(_Accepting, unix.Port):
    """A port in the file system, or in Linux's abstract namespace."""

    kind = UnixConnection

    def _serve(self, listening: socket.socket, backlog: int) -> Any:
        loop = self.reactor.loop
        # The file is Twisted's affair.
        return at_once(loop.create_unix_server(self._accepted, sock=listening, backlog=backlog, cleanup_socket=False))
