"""The channel on our TLS layer, with a client on Twisted's, in memory."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from OpenSSL import SSL, crypto
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.ssl import CertificateOptions
from twisted.internet.testing import StringTransport
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from tests.certificates import self_signed
from tests.http1.wire import Echo, Later, get, make_site, parse_answers
from upgradegw.tls.layer import TlsFactory


def make_options() -> CertificateOptions:
    """Return server options with a fresh certificate."""
    with TemporaryDirectory() as directory:
        files = self_signed(Path(directory))
        key = crypto.load_privatekey(crypto.FILETYPE_PEM, files.key.read_bytes())
        certificate = crypto.load_certificate(crypto.FILETYPE_PEM, files.cert.read_bytes())
    return CertificateOptions(privateKey=key, certificate=certificate)


class _Wire(StringTransport):
    """What carries the encrypted bytes; the TLS layer passes on what is asked of a TCP transport."""

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Memory does not wait."""

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """Memory does not vanish."""


class _Client(Protocol):
    def __init__(self) -> None:
        self.data = b""
        self.lost = False

    def dataReceived(self, data: bytes) -> None:
        self.data += data

    def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
        self.lost = True


@implementer(IOpenSSLClientConnectionCreator)
class _Unchecked:
    """Trusts any certificate."""

    def __init__(self, alpn: list[bytes]) -> None:
        self.alpn = alpn

    def clientConnectionForTLS(self, _protocol: Any) -> SSL.Connection:
        context = SSL.Context(SSL.TLS_METHOD)
        if self.alpn:
            context.set_alpn_protos(self.alpn)
        return SSL.Connection(context, None)


class Secure:
    """Two TLS layers with memory between them: Twisted's and ours."""

    def __init__(self, site: Any, reactor: Any, *alpn: bytes) -> None:
        creator = _Unchecked(list(alpn))
        self.reactor = reactor
        self.client = _Client()
        factory = Factory.forProtocol(lambda: self.client)
        self.near = TLSMemoryBIOFactory(creator, True, factory, reactor).buildProtocol(None)
        self.far = TlsFactory(make_options(), False, site, reactor).buildProtocol(None)
        self.channel = self.far.wrappedProtocol
        self.near_wire, self.far_wire = _Wire(lenient=True), _Wire(lenient=True)
        self.near.makeConnection(self.near_wire)
        self.far.makeConnection(self.far_wire)

    def pump(self) -> Secure:
        """Carry bytes until there are none."""
        while True:
            self.reactor.advance(0)
            out, back = self.near_wire.value(), self.far_wire.value()
            if not out and not back:
                break
            self.near_wire.clear()
            self.far_wire.clear()
            if out:
                self.far.dataReceived(out)
            if back:
                self.near.dataReceived(back)
        return self

    def send(self, data: bytes) -> Secure:
        self.client.transport.write(data)  # type: ignore[union-attr]
        return self.pump()

    def answers(self) -> list[Any]:
        data, self.client.data = self.client.data, b""
        return parse_answers(data)


class OnTLS(SynchronousTestCase):
    """The same over TLS."""

    def connect(self, root: Any = None, **kwargs: Any) -> Secure:
        site, reactor = make_site(root or Echo(), **kwargs)
        return Secure(site, reactor)

    def test_requests(self) -> None:
        """Requests are answered, and know that they are secure."""
        root = Later()
        connection = self.connect(root).pump().send(get() + get())
        assert root.requests[0].isSecure()
        root.requests[0].write(b"x" * 300_000)
        root.requests[0].finish()
        root.requests[1].finish()
        first, _ = connection.pump().answers()
        assert first.body == b"x" * 300_000

    def test_handshake_deadline(self) -> None:
        """A-25, A-33: a TLS handshake that is not done within head_timeout ends the connection."""
        connection = self.connect()
        for _ in range(11):
            connection.reactor.advance(1)
        assert connection.far_wire.disconnecting

    def test_idle_after_the_handshake(self) -> None:
        """When the handshake is done, the connection may lie idle like any other."""
        connection = self.connect().pump()
        for _ in range(55):
            connection.reactor.advance(1)
        connection.send(get())
        assert connection.answers()[0].status == 200
        for _ in range(62):
            connection.reactor.advance(1)
        connection.pump()
        assert connection.client.lost or connection.far.disconnecting

    def test_refusals_arrive(self) -> None:
        """A refusal is read by the client although it still sends; a client that does not close is cut off."""
        connection = self.connect().pump().send(b"bad\r\n")
        assert connection.answers()[0].status == 400
        for _ in range(4):
            connection.reactor.advance(1)
        assert connection.far_wire.disconnecting

    def test_switch(self) -> None:
        """UP-12: the transport of a taken connection is the TLS layer, with nothing lost."""
        root = Later()
        connection = self.connect(root).pump()
        connection.send(get(b"/", b"Upgrade: x", b"Connection: upgrade") + b"l" * 100_000)
        (request,) = root.requests
        taken = request.channel.take(request)
        protocol = _Client()
        taken.attach(protocol)
        taken.write_head(b"OK", ((b"Upgrade", b"x"),))
        protocol.makeConnection(taken.transport)
        protocol.dataReceived(taken.leading_data)
        assert taken.resume is None
        connection.send(b"more")
        assert taken.transport is connection.far
        assert protocol.data == b"l" * 100_000 + b"more"
        assert connection.answers()[0].status == 101
        protocol.transport.registerProducer(self, True)  # type: ignore[union-attr]
        protocol.transport.unregisterProducer()  # type: ignore[union-attr]

    def test_gone(self) -> None:
        """A client that leaves is told to the request, and nothing is left."""
        root = Later()
        connection = self.connect(root).pump().send(get())
        done = root.requests[0].notifyFinish()
        connection.far.connectionLost(Failure(ConnectionDone()))
        self.failureResultOf(done)
        assert connection.reactor.getDelayedCalls() == []
