"""HTTP/2 where TLS agrees on it."""

from __future__ import annotations

from typing import Any

import h2.config
import h2.connection
import h2.events
from twisted.trial.unittest import SynchronousTestCase

from tests.http1.test_tls import Secure
from tests.http1.wire import Echo, Later, get, make_site
from upgradegw.http2.frames import PREFACE

GET = [(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "a.example")]


class OnTLS(SynchronousTestCase):
    """ALPN, and what follows."""

    def connect(self, *alpn: bytes, root: Any = None, **kwargs: Any) -> Secure:
        return Secure(*make_site(root or Echo(), **kwargs), *alpn).pump()

    def speak(self, connection: Secure) -> h2.connection.H2Connection:
        """Begin to speak HTTP/2 as h2 does."""
        client = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        client.initiate_connection()
        self.events(connection, client)
        return client

    def events(self, connection: Secure, client: h2.connection.H2Connection) -> list[Any]:
        """Exchange what is to be exchanged; return what has come."""
        events = []
        while True:
            connection.send(client.data_to_send())
            received, connection.client.data = connection.client.data, b""
            events += client.receive_data(received)
            if not received:
                return events

    def test_agreed(self) -> None:
        """H2-02: a client that offers h2 gets it, whatever else it offers; requests know that they are secure."""
        for alpn in ((b"h2",), (b"http/1.1", b"h2"), (b"h2", b"http/1.1")):
            root = Later()
            connection = self.connect(*alpn, root=root)
            client = self.speak(connection)
            client.send_headers(1, GET, end_stream=True)
            self.events(connection, client)
            (request,) = root.requests
            assert request.isSecure()
            request.write(b"x" * 100_000)
            request.finish()
            got = 0
            while got < 100_000:
                for event in self.events(connection, client):
                    if isinstance(event, h2.events.DataReceived):
                        got += len(event.data)
                        client.acknowledge_received_data(event.flow_controlled_length, 1)
            assert got == 100_000

    def test_not_offered(self) -> None:
        """H2-02: a client that does not offer it gets HTTP/1.1, also if it offers h2c, or nothing that is known."""
        for alpn in ((), (b"http/1.1",), (b"h2c", b"http/1.1")):
            connection = self.connect(*alpn)
            connection.send(get())
            assert connection.answers()[0].status == 200

    def test_a_preface_without_agreement(self) -> None:
        """H2-01: within TLS the preface means nothing unless h2 was agreed on."""
        for alpn in ((), (b"http/1.1",)):
            connection = self.connect(*alpn).send(PREFACE)
            assert connection.answers()[0].status in {400, 505}

    def test_turned_off(self) -> None:
        """A site without HTTP/2 agrees on HTTP/1.1."""
        connection = self.connect(b"h2", b"http/1.1", http2=False).send(get())
        assert connection.answers()[0].status == 200

    def test_schemes(self) -> None:
        """EC-10: a request for http on a connection with TLS is misdirected."""
        connection = self.connect(b"h2")
        client = self.speak(connection)
        client.send_headers(1, [(name, value.replace("https", "http")) for name, value in GET], end_stream=True)
        (response,) = (each for each in self.events(connection, client) if isinstance(each, h2.events.ResponseReceived))
        assert (":status", "421") in response.headers

    def test_no_preface(self) -> None:
        """A-25: a client that agrees on h2 and says nothing, or something else, is not kept."""
        connection = self.connect(b"h2", preface_timeout=5)
        for _ in range(10):
            connection.reactor.advance(1)
        assert connection.far_wire.disconnecting
        connection = self.connect(b"h2").send(get())
        for _ in range(4):
            connection.reactor.advance(1)
        assert connection.far_wire.disconnecting

    def test_the_end_within_two_seconds(self) -> None:
        """H2-05: after an error the TLS connection is closed, also towards a client that does not close."""
        connection = self.connect(b"h2")
        client = self.speak(connection)
        connection.send(b"\0\0\0\6\0\0\0\0\0")
        events = client.receive_data(connection.client.data)
        assert [type(event) for event in events] == [h2.events.ConnectionTerminated]
        for _ in range(4):
            connection.reactor.advance(1)
        assert connection.far_wire.disconnecting
