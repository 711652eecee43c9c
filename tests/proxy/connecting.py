"""Connections to upstreams in the making, in memory, with a lookup of names and the other end of TLS."""

from __future__ import annotations

import contextlib
import ssl
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IReactorPluggableNameResolver
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from zope.interface import implementer

from tests.certificates import CertificateFiles
from tests.memory import MemoryTransport
from tests.protocols_for_tests import RecorderFactory
from upgradegw.proxy.address import UpstreamAddress
from upgradegw.proxy.connecting import Connector, NotConnected
from upgradegw.proxy.settings import UpstreamSettings


@implementer(IReactorPluggableNameResolver)
class Reactor(MemoryReactorClock):
    """A reactor that looks names up: each time it gives the next of its answers."""

    def __init__(self, *answers: list[str]) -> None:
        super().__init__()
        self.answers = list(answers)
        self.asked: list[str] = []
        self.nameResolver = self

    def resolveHostName(self, receiver: Any, hostName: str, *_: Any, **__: Any) -> Any:
        self.asked.append(hostName)
        receiver.resolutionBegan(self)
        for address in self.answers.pop(0):
            receiver.addressResolved(IPv4Address("TCP", address, 8080))
        receiver.resolutionComplete()
        return receiver


class TcpTransport(MemoryTransport):
    """A transport with TCP's options."""

    no_delay = False

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.no_delay = enabled


class Connecting:
    """One connection in the making."""

    def __init__(self, address: str, factory: Any = None, reactor: Any = None, **settings: Any) -> None:
        self.reactor = reactor or Reactor()
        self.factory = factory or RecorderFactory()
        self.connector = Connector(UpstreamAddress.parse(address), UpstreamSettings(**settings), self.reactor)
        self.begin()

    def begin(self) -> None:
        self.outcome: list[Any] = []
        self.result: Deferred[Any] = self.connector.connect(self.factory)
        self.result.addBoth(self.outcome.append)

    def accept(self, number: int = -1, clients: Any = None) -> TcpTransport:
        """Let a connection be made."""
        client = (clients if clients is not None else self.reactor.tcpClients)[number]
        transport = TcpTransport()
        transport.protocol = next(each for each in client if isinstance(each, Factory)).buildProtocol(None)
        transport.protocol.makeConnection(transport)
        return transport

    @property
    def error(self) -> NotConnected:
        (failure,) = self.outcome
        assert isinstance(failure, Failure), failure
        assert isinstance(failure.value, NotConnected), failure
        return failure.value


class TlsServer:
    """The other end of a connection: a server of the standard library."""

    def __init__(self, transport: MemoryTransport, context: ssl.SSLContext) -> None:
        self.transport = transport
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._in, self._out, server_side=True)

    def pump(self) -> None:
        """Deliver what each has written to the other, until nothing is left."""
        for _ in range(6):
            self._in.write(self.transport.value())
            self.transport.clear()
            with contextlib.suppress(ssl.SSLWantReadError):
                self.tls.do_handshake()
            written = self._out.read()
            if written and not self.transport.disconnecting:
                self.transport.deliver(written)

    def write(self, data: bytes) -> None:
        self.tls.write(data)
        self.transport.deliver(self._out.read())

    def read(self) -> bytes:
        self._in.write(self.transport.value())
        self.transport.clear()
        return self.tls.read(1 << 16)


def server_context(files: CertificateFiles, *alpn: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.cert, files.key)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


def shaken(
    files: CertificateFiles,
    address: str = "https://app.example",
    *alpn: str,
    names: list[str | None] | None = None,
    **settings: Any,
) -> tuple[Connecting, TlsServer]:
    """Connect, and shake hands as far as it goes."""
    context = server_context(files, *alpn)
    if names is not None:
        context.sni_callback = lambda _tls, name, _context: names.append(name)
    made = Connecting(address, reactor=Reactor(["192.0.2.1"]), **settings)
    server = TlsServer(made.accept(), context)
    assert made.outcome == []
    with contextlib.suppress(ssl.SSLError):
        server.pump()
    if server.transport.disconnecting:
        server.transport.lose(ConnectionDone())
    return made, server
