"""The ways to HTTP/2 without TLS."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http1.wire import Wire, connect, get, make_site, splits
from tests.http2.client import (
    ACK,
    PROTOCOL_ERROR,
    Client,
    data,
    fields,
    frame,
    ping,
    settings,
)
from upgradegw.http2.frames import PREFACE, Kind


class Beginning(SynchronousTestCase):
    """The ways to HTTP/2 without TLS."""

    def test_prior_knowledge(self) -> None:
        """H2-01: a connection that begins with the preface speaks HTTP/2; our SETTINGS come first."""
        client = Client(hello=False).send(PREFACE + settings())
        first, window, ack = client.frames
        assert (first.type, window.type, ack.type) == (Kind.SETTINGS, Kind.WINDOW_UPDATE, Kind.SETTINGS)
        assert client.settings == {1: 4096, 2: 0, 3: 100, 4: 65_536, 5: 16_384, 6: 16_384, 8: 1}
        assert window.window_increment == 1024 * 1024 - 65_535
        assert "ACK" in ack.flags

    def test_settings_are_first(self) -> None:
        """H2-01: our SETTINGS are the first frame, also where the client's first bytes open windows and get answers."""
        client = Client(hello=False)
        content = b"".join(data(1, b"x" * 16_000) for _ in range(4))
        request = client.head(1, fields(b"POST"), end=False) + content + data(1, b"", end=True)
        client.send(PREFACE + settings() + request + client.head(3))
        assert client.kinds()[0] == Kind.SETTINGS
        assert client[3].ended

    def test_every_split(self) -> None:
        """H2-01: a request and its answer are the same in every split of the client's bytes, and byte by byte."""
        whole = Client(hello=False)
        bytes_sent = PREFACE + settings({4: 70_000}) + whole.post(1, b"content") + whole.head(3)
        for segments in splits(bytes_sent):
            client = Client(hello=False).send(*segments)
            assert client[1].body == b"POST / content", segments
            assert client[3].body == b"GET / "
            assert client[1].ended
            assert client[3].ended
            client.wire.close()

    def test_no_preface(self) -> None:
        """H2-01: bytes that only resemble the preface are judged as HTTP/1.1, at once."""
        for start in (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\rX", b"PRI * HTTP/2.1\r\n", b"PRI * HTTP/2.0\r\n\r\nXX"):
            for segments in splits(start):
                wire = connect().send(*segments)
                assert wire.answers()[0].status in {400, 405, 505}, segments
                assert wire.eof
        assert (
            connect().send(b"P", b"OST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").answers()[0].status == 200
        )

    def test_neither(self) -> None:
        """H2-01: who begins with neither HTTP/2 nor HTTP/1.1 gets no answer, which he would not understand."""
        line = b"INVALID CONNECTION PREFACE\r\n\r\n"
        for segments in splits(line):
            wire = connect().send(*segments)
            assert (wire.received, wire.eof) == (b"", True), segments
        assert connect(h2c_prior_knowledge=False).send(line).answers()[0].status == 400
        assert connect().send(get(), line).answers()[1].status == 400

    def test_behind_a_request(self) -> None:
        """H2-01: the preface behind a request of HTTP/1.1 is refused."""
        wire = connect().send(get())
        assert wire.answers()[0].status == 200
        wire.send(PREFACE)
        assert wire.answers()[0].status in {400, 405, 505}
        assert wire.eof

    def test_not_wanted(self) -> None:
        """Prior knowledge, and all of HTTP/2, can be turned off."""
        for off in ({"h2c_prior_knowledge": False}, {"http2": False}):
            assert connect(None, **off).send(PREFACE).answers()[0].status == 505
        assert make_site(http2=False)[0].acceptableProtocols() == [b"http/1.1"]
        assert make_site()[0].acceptableProtocols() == [b"h2", b"http/1.1"]

    def test_slow_preface(self) -> None:
        """A-25: a preface that does not come to its end is given up after head_timeout."""
        client = Client(hello=False).send(PREFACE[:10]).advance(12)
        assert client.eof

    def test_no_settings(self) -> None:
        """A-25: a client that sends its preface and no SETTINGS is told so after settings_timeout."""
        client = Client(hello=False).send(PREFACE).advance(7)
        assert client.goaway is not None
        assert client.eof

    def test_settings_come_first(self) -> None:
        """RFC 9113 section 3.4: a preface that another frame than SETTINGS follows is none."""
        for first in (ping(), frame(Kind.SETTINGS, b"", ACK), frame(99)):
            client = Client(hello=False).send(PREFACE + first)
            assert client.goaway == (PROTOCOL_ERROR, 0)
            assert client.eof

    def test_connections_are_counted_once(self) -> None:
        """A connection that turns to HTTP/2 is counted as the one that it was."""
        site = make_site(max_connections=1)
        client = Client(site=site)
        assert len(site[0].connections) == 1
        other = Wire(*site).send(get())
        assert other.answers()[0].status == 503
        other.close()
        client.wire.close()
        assert len(site[0].connections) == 0
        assert Wire(*site).send(get()).answers()[0].status == 200

    def test_too_many(self) -> None:
        """A-40: a connection too many is told 503 on its stream, and goes away."""
        client = Client(max_connections=0)
        client.send(client.head(1))
        assert client[1].status == 503
        assert client[1].get(b"retry-after") is not None
        assert client.goaway == (0, 1)
        assert client.eof
