"""TLS on a connection, from its beginning or later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.interfaces import ISSLTransport
from twisted.internet.ssl import CertificateOptions, PrivateCertificate

from tests.certificates import self_signed
from tests.reactor.protocols import Producer, Remembering
from tests.reactor.running import Connecting, Serving, new_reactor, run


def options(directory: Path) -> Any:
    """Return what a server needs."""
    files = self_signed(directory)
    return PrivateCertificate.loadPEM(files.cert.read_bytes() + files.key.read_bytes()).options()


class Upgrading(Remembering):
    """Answers in cleartext, and goes on in TLS; then sends a lot and closes."""

    context: Any

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        transport: Any = self.transport
        if data == b"STARTTLS":
            transport.write(b"go")
            producer = Producer()
            transport.registerProducer(producer, True)
            transport.startTLS(self.context)
            transport.unregisterProducer()
        else:
            transport.writeSequence([data, b"x" * 100_000])
            transport.loseConnection()


class Asking(Remembering):
    """Asks for TLS, and then something else."""

    def connectionMade(self) -> None:
        self.transport.write(b"STARTTLS")  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        transport: Any = self.transport
        if data == b"go":
            transport.startTLS(CertificateOptions(verify=False))
            transport.write(b"secret")
            self.is_tls = ISSLTransport.providedBy(transport)


def test_tls_begins_in_the_middle_of_a_connection(tmp_path: Path) -> None:
    """On both sides; what was written before it is in cleartext, and closing closes TLS first."""
    Upgrading.context = options(tmp_path)
    server, client = Serving(Upgrading), Connecting(Asking)
    with new_reactor() as reactor:
        port = reactor.listenTCP(0, server, interface="127.0.0.1")
        run(
            reactor,
            lambda: "stop" in client.events and "lost" in server.made[0].events,
            lambda: reactor.connectTCP("127.0.0.1", port.getHost().port, client),
        )
    asking = client.made[0]
    assert asking.is_tls
    assert server.made[0].events == [b"STARTTLS", b"secret", "lost"]
    assert b"".join(asking.events[:-1]) == b"gosecret" + b"x" * 100_000


def test_tls_from_the_beginning(tmp_path: Path) -> None:
    """``listenSSL`` and ``connectSSL`` are Twisted's own, over our connections."""

    class Speaking(Remembering):
        def connectionMade(self) -> None:
            self.transport.write(b"secret")  # type: ignore[union-attr]
            self.transport.loseConnection()  # type: ignore[union-attr]

    server, client = Serving(), Connecting(Speaking)
    with new_reactor() as reactor:
        port = reactor.listenSSL(0, server, options(tmp_path), interface="127.0.0.1")
        run(
            reactor,
            lambda: bool(server.made) and "lost" in server.made[0].events,
            lambda: reactor.connectSSL("127.0.0.1", port.getHost().port, client, CertificateOptions(verify=False)),
        )
    assert server.made[0].events == [b"secret", "lost"]
