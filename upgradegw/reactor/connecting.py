"""Connecting: what ``connectTCP`` and ``connectUNIX`` return, for every kind of destination."""

from __future__ import annotations

from typing import Any

from twisted.internet.error import NotConnectingError, UserError, getConnectError
from twisted.internet.error import TimeoutError as ConnectTimeoutError
from twisted.internet.interfaces import IAddress, IConnector
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from zope.interface import implementer

from upgradegw.reactor.connection import Connection
from upgradegw.reactor.driving import Driven


@implementer(IConnector)
class Connector:
    """One destination, to which the factory may have us connect again and again.

    Attributes:
        state: ``disconnected``, ``connecting`` or ``connected``, as in Twisted.
        transport: The connection, or None.
        addr: What ``connect(2)`` is told, as far as it is known.
    """

    kind: type[Connection]
    addr: Any

    #: Nothing to inherit from.
    keeps_alive = False

    def __init__(self, factory: Any, timeout: float | None, reactor: Any) -> None:
        self.state = "disconnected"
        self.transport: Connection | None = None
        self.factory = factory
        self.timeout = timeout
        self.reactor = reactor
        self._factory_started = False
        self._deadline: Any = None
        self._attempt: Driven | None = None

    # --- IConnector.

    def connect(self) -> None:
        """Connect, if we are not.

        Raises:
            RuntimeError: We are, or are about to be.
        """
        if self.state != "disconnected":
            raise RuntimeError("can't connect in this state")
        self.state = "connecting"
        if not self._factory_started:
            self.factory.doStart()
            self._factory_started = True
        loop = self.reactor.loop
        self.transport = connection = self.kind(self.reactor, self.reactor.streams, self, is_client=True)
        if self.timeout is not None:
            self._deadline = loop.call_later(self.timeout, self._fail, connection, ConnectTimeoutError())
        try:
            self._begin(connection)
        except Exception as error:  # noqa: BLE001 - a factory hears of failures only after startedConnecting
            loop.call_soon(self._fail, connection, error)
        self.factory.startedConnecting(self)

    def stopConnecting(self) -> None:
        """Give the attempt up.

        Raises:
            NotConnectingError: There is none.
        """
        if self.state != "connecting":
            raise NotConnectingError("we're not trying to connect")
        self._fail(self.transport, UserError())

    def disconnect(self) -> None:
        """Give the attempt up, or close."""
        if self.state == "connecting":
            self.stopConnecting()
        elif self.state == "connected" and self.transport is not None:
            self.transport.loseConnection()

    def getDestination(self) -> IAddress:
        """Where to."""
        raise NotImplementedError

    # --- The attempt.

    def _begin(self, connection: Connection) -> None:
        """Begin to connect. What this raises is why it failed."""
        raise NotImplementedError

    def _run(self, connection: Connection, coroutine: Any) -> None:
        """Run what connects; uvloop tells the connection when it is open."""

        def done(error: BaseException | None) -> None:
            if error is not None:
                self.reactor.loop.call_soon(self._fail, connection, error)

        self._attempt = Driven(coroutine, done)

    def _is_attempt(self, connection: Any) -> bool:
        return self.state == "connecting" and connection is self.transport

    def _fail(self, connection: Connection | None, error: BaseException) -> None:
        if not self._is_attempt(connection):
            return
        if self._deadline is not None:
            self._deadline.cancel()
        if self._attempt is not None:
            self._attempt.cancel()
        self._give_back()
        self.transport = self._deadline = self._attempt = None
        self.state = "disconnected"
        if isinstance(error, OSError) and type(error).__module__ == "builtins":
            error = getConnectError(error)
        self.factory.clientConnectionFailed(self, Failure(error))
        self._stop_factory()

    def _give_back(self) -> None:
        """Close what an attempt that failed has opened and uvloop does not hold."""

    def _stop_factory(self) -> None:
        """Tell the factory that it is over, unless it has connected again."""
        if self.state == "disconnected":
            self.factory.doStop()
            self._factory_started = False

    # --- The connection's owner.

    def opened(self, connection: Any) -> None:
        """Ask the factory for a protocol, and connect it."""
        if not self._is_attempt(connection):
            connection.lose_at_once()
            return
        self.state = "connected"
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self._attempt = None
        try:
            protocol = self.factory.buildProtocol(connection.getPeer())
            if protocol is None:
                connection.protocol = Protocol()
                connection.loseConnection()
            else:
                connection.speak(protocol)
        except BaseException:  # noqa: BLE001 - whatever it is, it must not end the reactor
            connection.fail("a connection could not be set up")

    def closed(self, connection: Any, reason: Failure) -> None:
        """Tell the factory."""
        if connection is not self.transport or self.state != "connected":
            return
        self.state = "disconnected"
        self.transport = None  # which knows of us: a circle would outlive it
        self.factory.clientConnectionLost(self, reason)
        self._stop_factory()
