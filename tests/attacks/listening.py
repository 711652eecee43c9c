"""A site that listens on a real socket, on a reactor whose time stands still until a test lets it pass.

The port, the transports and TLS are Twisted's own; only the loop is ours: ``settle`` lets everything happen that can
happen now, ``advance`` lets time pass. So a deadline of a minute is tested in a moment, and a reset is a reset.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from typing import Any

from twisted.internet import error, tcp
from twisted.internet.interfaces import IHalfCloseableDescriptor
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import Logger
from twisted.python.failure import Failure

from tests.attacks.clients import Client, any_server, websocket_request
from upgradegw.tls.layer import TlsFactory

#: Real seconds for what the kernel may delay on a busy machine.
PATIENCE = 5.0


class Listening:
    """A site on a port of 127.0.0.1, and its clients."""

    log = Logger()

    def __init__(self, reactor: MemoryReactorClock, site: Any, tls: Any = None) -> None:
        """Listen.

        Args:
            reactor: Its time is the site's.
            site: What listens.
            tls: The certificate options, or None for cleartext.
        """
        self.reactor = reactor
        self.site = site
        self.secure = tls is not None
        self.clients: list[Client] = []
        self.transports: list[tcp.Server] = []
        factory = TlsFactory(tls, False, site, reactor) if self.secure else site
        self._port = tcp.Port(0, factory, interface="127.0.0.1", reactor=reactor)
        self._port.transport = self._make_transport
        self._port.startListening()
        self.address = ("127.0.0.1", self._port.getHost().port)

    def _make_transport(self, *arguments: Any) -> tcp.Server:
        self.transports.append(tcp.Server(*arguments))
        return self.transports[-1]

    @property
    def open(self) -> int:
        """How many connections the server still holds."""
        return sum(not transport.disconnected for transport in self.transports)

    # --- Clients.

    def raw(self) -> Client:
        """Connect, and say nothing, on TLS not even the first word of the handshake."""
        client = Client(self, socket.create_connection(self.address))
        self.clients.append(client)
        self.settle()
        return client

    def connect(self, context: ssl.SSLContext | None = None) -> Client:
        """Connect; on TLS, shake hands."""
        client = self.raw()
        if self.secure:
            client.start_tls(context or any_server())
            self.until(lambda: client.ready or client.closed)
        return client

    def ask(self, *segments: bytes) -> Client:
        """Connect and send a request."""
        return self.connect().send(*segments)

    def open_websocket(self, *lines: bytes, path: bytes = b"/ws") -> Client:
        """Connect and switch to WebSocket."""
        client = self.ask(websocket_request(*lines, path=path))
        self.until(lambda: b"\r\n\r\n" in client.received or client.closed)
        assert client.statuses == [101], client.received
        return client

    # --- The loop.

    def settle(self, *, patient: bool = True) -> None:
        """Let everything happen that can happen without time passing; ``patient`` waits a moment for the kernel."""
        idle = 0
        while idle < 1 + patient:
            moved = sum(client.pump() for client in self.clients) > 0  # all of them, not the first that moves
            moved = self._turn(0.0002 * idle) or moved
            self.reactor.advance(0)
            idle = 0 if moved else idle + 1

    def until(self, condition: Any) -> None:
        """Settle until a condition holds; time does not pass for the server."""
        deadline = time.monotonic() + PATIENCE
        self.settle()
        while not condition():
            assert time.monotonic() < deadline, "it did not happen"
            self._turn(0.01)
            self.settle()

    def advance(self, seconds: float, step: float = 0.5) -> None:
        """Let time pass, in steps as a reactor does."""
        for _ in range(round(seconds / step)):
            self.reactor.advance(step)
            self.settle()

    def _turn(self, seconds: float) -> bool:
        readers = {each.fileno(): each for each in self.reactor.readers}
        writers = {each.fileno(): each for each in self.reactor.writers}
        readable, writable, _ = select.select(list(readers), list(writers), [], seconds)
        for number in writable:
            if writers[number] in self.reactor.writers:
                self._call(writers[number], reading=False)
        for number in readable:
            if readers[number] in self.reactor.readers:
                self._call(readers[number], reading=True)
        return bool(readable or writable)

    def _call(self, each: Any, *, reading: bool) -> None:
        """Do what Twisted's reactors do: read or write, and end what has failed."""
        try:
            why = each.doRead() if reading else each.doWrite()
        except Exception as raised:  # noqa: BLE001 - as a reactor does, with whatever the protocol raised
            self.log.failure("raised into the reactor")
            why = raised
        if why:
            try:
                self._disconnect(each, why, reading=reading)
            except Exception:  # noqa: BLE001 - likewise
                self.log.failure("raised into the reactor")

    def _disconnect(self, each: Any, why: Exception, *, reading: bool) -> None:
        self.reactor.removeReader(each)
        if reading and isinstance(why, error.ConnectionDone) and IHalfCloseableDescriptor.providedBy(each):
            each.readConnectionLost(Failure(why))
        else:
            self.reactor.removeWriter(each)
            each.connectionLost(Failure(why))

    def close(self) -> None:
        """Let all clients go at once, and stop listening."""
        for client in self.clients:
            client.reset()
        self.until(lambda: not self.open)
        self._port.stopListening()
        self.settle()
