"""A site on a real loopback socket of each kind, and a client that speaks bytes to it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from OpenSSL import SSL
from twisted.internet import endpoints, reactor, ssl
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.protocols.policies import WrappingFactory
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from tests.certificates import self_signed

PROXY_HEADER = b"PROXY TCP4 192.0.2.99 192.0.2.1 50000 80\r\n"

KINDS = ("tcp", "tls", "starttls", "unix", "haproxy", "wrapped")


class Conversation(Protocol):
    """A client connection: collects what it receives, and waits for conditions on it."""

    def __init__(self) -> None:
        self.received = b""
        self.closed: Deferred[None] = Deferred()
        self.gone = False
        self._waiting: list[tuple[Callable[[bytes], bool], Deferred[bytes]]] = []

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        self._check()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.gone = True
        self.closed.callback(None)
        self._check()

    def _check(self) -> None:
        for entry in list(self._waiting):
            condition, waiting = entry
            if self.gone or condition(self.received):
                self._waiting.remove(entry)
                waiting.callback(self.received)

    def until(self, condition: Callable[[bytes], bool]) -> Deferred[bytes]:
        """Fire with all that was received once the condition holds or the connection is gone."""
        waiting: Deferred[bytes] = Deferred()
        waiting.addTimeout(20, reactor)  # type: ignore[arg-type]
        self._waiting.append((condition, waiting))
        self._check()
        return waiting

    def write(self, data: bytes) -> None:
        self.transport.write(data)  # type: ignore[union-attr]


class _StartTLS(Protocol):
    """Becomes TLS at once, as a protocol that has STARTTLS does, and then lets the site's protocol go on."""

    def __init__(self, factory: Any, context: Any) -> None:
        self._factory, self._context = factory, context

    def connectionMade(self) -> None:
        protocol = self._factory.buildProtocol(self.transport.getPeer())  # type: ignore[union-attr]
        self.transport.protocol = protocol  # type: ignore[union-attr]
        self.transport.startTLS(self._context)  # type: ignore[union-attr]
        protocol.makeConnection(self.transport)


class _StartTLSFactory(Factory):
    noisy = False

    def __init__(self, factory: Any, context: Any) -> None:
        self._factory, self._context = factory, context

    def buildProtocol(self, addr: Any) -> _StartTLS:
        return _StartTLS(self._factory, self._context)


class Loopback:
    """Sites on sockets; ``close`` ends them."""

    def __init__(self) -> None:
        self._ports: list[Any] = []
        self._clients: list[Conversation] = []
        self._directory = tempfile.mkdtemp()
        certificate = self_signed(Path(self._directory))
        self.authority = ssl.Certificate.loadPEM(certificate.cert.read_bytes())
        self._context = ssl.CertificateOptions(
            privateKey=ssl.KeyPair.load(certificate.key.read_bytes(), SSL.FILETYPE_PEM).original,
            certificate=ssl.Certificate.loadPEM(certificate.cert.read_bytes()).original,
            acceptableProtocols=[b"http/1.1"],
        )

    async def serve(self, site: Any, kind: str) -> str:
        """Listen; return a description for ``connect``."""
        path = f"{self._directory}/{len(self._ports)}.sock"
        text = {"unix": f"unix:{path}", "haproxy": "haproxy:tcp:0:interface=127.0.0.1"}.get(
            kind, "tcp:0:interface=127.0.0.1"
        )
        if kind == "tls":
            site = TLSMemoryBIOFactory(self._context, False, site)
        elif kind == "starttls":
            site = _StartTLSFactory(site, self._context)
        elif kind == "wrapped":
            site = WrappingFactory(site)
        port = await endpoints.serverFromString(reactor, text).listen(site)
        self._ports.append(port)
        return f"unix:{path}" if kind == "unix" else f"tcp:127.0.0.1:{port.getHost().port}"

    def endpoint(self, address: str, kind: str) -> Any:
        """Return the client's endpoint."""
        endpoint = endpoints.clientFromString(reactor, address)
        if kind in ("tls", "starttls"):
            context = ssl.CertificateOptions(verify=False)
            endpoint = endpoints.wrapClientTLS(_AnyServer(context), endpoint)
        return endpoint

    async def connect(self, address: str, kind: str) -> Conversation:
        """Connect as a client of that kind."""
        conversation = await self.endpoint(address, kind).connect(Factory.forProtocol(Conversation))
        self._clients.append(conversation)
        if kind == "haproxy":
            conversation.write(PROXY_HEADER)
        return conversation  # type: ignore[no-any-return]

    async def close(self) -> None:
        """End all."""
        for client in self._clients:
            if not client.gone:
                client.transport.abortConnection()  # type: ignore[union-attr]
                await client.closed
        for port in self._ports:
            await port.stopListening()
        shutil.rmtree(self._directory)


@implementer(IOpenSSLClientConnectionCreator)
class _AnyServer:
    """Makes client connections that do not check the server's certificate."""

    def __init__(self, options: Any) -> None:
        self._options = options

    def clientConnectionForTLS(self, protocol: Any) -> Any:
        return SSL.Connection(self._options.getContext(), None)
