"""WebSocket over TLS: what is watched must not keep TLS from closing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet import ssl
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import StringTransport
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.test.iosim import FakeTransport, IOPump

from tests.certificates import self_signed
from tests.protocols.websocket.support import BINARY, CLOSE, TEXT, WebSocketTestCase, close, frame, read_frames
from upgradegw.interfaces import EndSummary, Taken
from upgradegw.protocols.websocket import websocket
from upgradegw.switching import http1_switching_head, switch
from upgradegw.tls.layer import TlsFactory


def certificate() -> ssl.PrivateCertificate:
    with tempfile.TemporaryDirectory() as folder:
        files = self_signed(Path(folder))
        return ssl.PrivateCertificate.loadPEM(files.cert.read_bytes() + files.key.read_bytes())


class Client(Protocol):
    """Collects what it reads."""

    received = b""
    lost = False

    def dataReceived(self, data: bytes) -> None:
        self.received += data

    def connectionLost(self, reason: Any = None) -> None:
        self.lost = True


class Tls(WebSocketTestCase):
    """A TLS connection between Twisted's TLS layer and ours."""

    CERTIFICATE = certificate()

    def setUp(self) -> None:
        super().setUp()
        self.summary: EndSummary | None = None
        self.client, plain = Client(), Protocol()
        client_factory = TLSMemoryBIOFactory(
            ssl.CertificateOptions(), True, Factory.forProtocol(lambda: self.client), self.clock
        )
        server_factory = TlsFactory(self.CERTIFICATE.options(), False, Factory.forProtocol(lambda: plain), self.clock)
        client_tls, server_tls = client_factory.buildProtocol(None), server_factory.buildProtocol(None)
        ends = FakeTransport(client_tls, False), FakeTransport(server_tls, True)
        self.server_end = ends[1]
        self.pump = IOPump(client_tls, server_tls, *ends, False, self.clock)
        server_tls.makeConnection(ends[1])
        client_tls.makeConnection(ends[0])
        self.pump.flush()
        self.server_tls = server_tls

    def switch(self, **options: Any) -> Any:
        upgrade = websocket(self.factory, ping_interval=None, **options)
        info = self.info(upgrade)
        accept = upgrade.prepare(info, self.server_tls)

        def attach(protocol: Any) -> None:
            self.server_tls.wrappedProtocol = protocol

        def write_head(phrase: bytes, fields: Any) -> None:
            self.server_tls.write(http1_switching_head(phrase, fields))

        def ended(summarize: Callable[[], EndSummary]) -> None:
            self.summary = summarize()
            accept.release()

        taken = Taken(self.server_tls, b"", attach, write_head, lambda: None)
        switch(taken, (accept.phrase, accept.fields), accept.protocol, info, ended, accept.ending)
        self.run_pump()
        return accept.ending._protocol

    def run_pump(self) -> None:
        for _ in range(5):
            self.clock.advance(0)
            self.pump.flush()

    @property
    def frames(self) -> list[tuple[int, bytes]]:
        return read_frames(self.client.received.partition(b"\r\n\r\n")[2])

    def test_echo_and_close(self) -> None:
        """Messages, channel id, and a closing handshake that ends in a TLS close."""
        protocol = self.switch()
        assert protocol.transport_details.is_secure
        assert len(protocol.transport_details.channel_id["tls-unique"]) == 32
        self.client.transport.write(frame(TEXT, b"hello") + close(1000))
        self.run_pump()
        assert self.frames == [(TEXT, b"hello"), (CLOSE, b"\x03\xe8")]
        assert self.client.lost
        assert self.summary is not None
        assert self.summary.reason == "closed"
        self.assert_no_timers()

    def test_much_data_then_lose_connection(self) -> None:
        """A-21: an application that writes a lot and calls transport.loseConnection loses nothing and closes."""
        protocol = self.switch()
        for _ in range(30):
            protocol.sendMessage(bytes(10_000), isBinary=True)
        protocol.transport.loseConnection()
        self.run_pump()
        assert self.frames == [(BINARY, bytes(10000))] * 30
        assert self.client.lost
        self.assert_no_timers()

    def test_much_data_both_ways(self) -> None:
        """Reading goes on after the buffer was full."""
        protocol = self.switch()
        for _ in range(20):
            self.client.transport.write(frame(BINARY, bytes(50_000)) * 3)
            self.run_pump()
        assert len(self.frames) == 60
        assert len(protocol.seen) == 61
        self.client.transport.write(close(1000))
        self.run_pump()
        assert self.client.lost
        self.assert_no_timers()

    def test_a_client_that_does_not_end_tls(self) -> None:
        """A-33: whoever does not answer the end of TLS is cut off after close_timeout."""
        protocol = self.switch(close_timeout=5)
        self.client.transport.write(close(1000))
        self.clock.advance(0)
        self.server_tls.dataReceived(self.pump.clientIO.getOutBuffer())
        assert protocol.state == protocol.STATE_CLOSED
        self.clock.advance(0)
        assert not self.server_end.disconnecting
        self.advance(6)
        assert self.server_end.disconnecting


class WithoutBufferSizes(WebSocketTestCase):
    """A transport that does not tell how much it still has to send."""

    def test_bytes_since_the_buffer_was_full_count(self) -> None:
        """A-21: what was written since the transport said that it is full stands for what is unsent."""
        accept = self.prepare(max_unsent=100_000, ping_interval=None)
        transport = StringTransport()
        transport.abortConnection = lambda: setattr(transport, "aborted", True)  # type: ignore[method-assign]
        accept.protocol.makeConnection(transport)
        protocol = accept.ending._protocol
        protocol.sendMessage(bytes(70_000))
        transport.producer.pauseProducing()
        protocol.sendMessage(bytes(70_000))
        assert protocol.state == protocol.STATE_OPEN
        protocol.sendMessage(bytes(70_000))
        assert transport.aborted
