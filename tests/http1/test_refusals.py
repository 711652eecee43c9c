"""Refusals: answers that no resource gives, and that arrive although the client still sends."""

from __future__ import annotations

from typing import Any

from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from tests.http1.wire import Later, Wire, connect, get, make_site, post
from upgradegw.http1.closing import LINGER_BYTES
from upgradegw.http1.refusals import refusal


class Refusals(SynchronousTestCase):
    """Answers that no resource gives."""

    def refused(self, data: bytes, **kwargs: Any) -> tuple[int, Wire]:
        """Send something; check the form of the refusal; return its status."""
        root = Later()
        wire = connect(root, **kwargs).send(data)
        (answer,) = wire.answers()
        assert answer.get(b"connection") == b"close"
        assert answer.get(b"server") == b"upgradegw"
        assert answer.get(b"cache-control") == b"no-store"
        assert answer.get(b"date") is not None
        assert answer.get(b"content-length") == b"%d" % len(answer.body)
        assert wire.eof
        assert root.requests == []
        return answer.status, wire

    def test_statuses(self) -> None:
        """A-08, A-13, A-25, A-27, A-28, A-38, UP-19: each is refused with its status, and the connection closes."""
        for data, status in (
            (b"\x16\x03\x01\x02", 400),
            (b"GET / HTTP/1.1\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r", 505),
            (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
            (get(b"/", b"X: " + b"a" * 17000), 431),
            (get(b"/", *[b"X: a"] * 100), 431),
            (get(b"/", b"Content-Length: 1048577", method=b"POST"), 413),
        ):
            assert self.refused(data)[0] == status

    def test_connect(self) -> None:
        """UP-19, A-38: CONNECT is 405 with Allow, and what follows it is not parsed (RFC 9931)."""
        root = Later()
        wire = connect(root).send(b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n" + get())
        (answer,) = wire.answers()
        assert answer.status == 405
        assert answer.get(b"allow") is not None
        assert answer.get(b"connection") == b"close"
        assert root.requests == []

    def test_host_not_allowed(self) -> None:
        """A-13: with allowed_hosts, another host, or none, is answered with 421; case and port do not matter."""
        hosts = {"allowed_hosts": ["A.example", "[2001:DB8::1]"]}
        assert self.refused(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", **hosts)[0] == 421
        assert self.refused(b"GET http://evil.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n", **hosts)[0] == 421
        assert self.refused(b"GET / HTTP/1.0\r\n\r\n", **hosts)[0] == 421
        for host in (b"a.EXAMPLE:8080", b"[2001:db8:0::1]"):
            assert connect(**hosts).send(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n").answers()[0].status == 200

    def test_nothing_of_the_client_is_echoed(self) -> None:
        """A-41: refusals are fixed texts."""
        wire = connect().send(b"GET /<script>secret HTTP/1.1\r\nHost: secret, x\r\n\r\n")
        assert b"secret" not in wire.take()

    def test_no_content_behind_head(self) -> None:
        """RFC 9110 section 9.3.2: a refused HEAD is answered without content."""
        wire = connect(allowed_hosts=["b"]).send(get(method=b"HEAD"))
        assert wire.take().endswith(b"\r\n\r\n")

    def test_behind_a_good_request(self) -> None:
        """A refusal comes in its turn, behind the answers before it."""
        root = Later()
        wire = connect(root).send(get() + b"bad\r\n\r\n")
        root.requests[0].write(b"good")
        root.requests[0].finish()
        assert [answer.status for answer in wire.answers()] == [200, 400]

    def test_every_refusal_has_a_text(self) -> None:
        """Every status that the channel gives itself can be written."""
        for status in (400, 405, 408, 413, 414, 421, 431, 501, 503, 505):
            assert refusal(status, 0.0).startswith(b"HTTP/1.1 %d " % status)

    def test_chunks_past_the_limit(self) -> None:
        """A-27: chunked content is counted as it comes; past max_content it is 413."""
        root = Later()
        wire = connect(root, max_content=10)
        wire.send(get(b"/", b"Transfer-Encoding: chunked", method=b"POST"), b"A\r\n0123456789\r\n")
        assert wire.take() == b""
        wire.send(b"1\r\nx\r\n")
        assert wire.answers()[0].status == 413
        assert root.requests == []

    def test_content_at_the_limit(self) -> None:
        """A-27: content of max_content bytes is read."""
        assert connect(max_content=10).send(post(b"0123456789")).answers()[0].status == 200

    def test_bad_chunks(self) -> None:
        """A-08: faulty chunks are 400, and nothing behind them is read."""
        root = Later()
        wire = connect(root).send(get(b"/", b"Transfer-Encoding: chunked", method=b"POST") + b"x\r\n" + get())
        assert wire.answers()[0].status == 400
        assert root.requests == []


class Lingering(SynchronousTestCase):
    """A refusal that arrives although the client still sends."""

    def test_the_client_may_go_on_for_a_moment(self) -> None:
        """Bytes of a refused client are read and dropped, so that no reset destroys the answer; then it closes."""
        wire = connect(max_content=10).send(get(b"/", b"Content-Length: 5000000", method=b"POST"))
        wire.send(b"x" * 200_000)
        assert wire.answers()[0].status == 413
        assert wire.eof
        assert wire.open
        wire.fin()
        assert not wire.open

    def test_for_two_seconds(self) -> None:
        """A-27: a client that never ends is closed after two seconds."""
        wire = connect().send(b"bad\r\n")
        wire.advance(1)
        assert wire.open
        wire.advance(2)
        assert not wire.open
        assert wire.reactor.getDelayedCalls() == []

    def test_for_a_megabyte(self) -> None:
        """A-27: a client that sends on and on is closed after a megabyte."""
        wire = connect().send(b"bad\r\n")
        wire.send(b"x" * (LINGER_BYTES + 70_000))
        assert not wire.open

    def test_content_that_nobody_read(self) -> None:
        """An answer given before the content has come closes the connection, and arrives."""
        root = Later()
        root.streams_content = True  # type: ignore[attr-defined]
        wire = connect(root).send(get(b"/", b"Content-Length: 100000", method=b"POST") + b"x" * 10)
        root.requests[0].finish()
        assert wire.answers()[0].status == 200
        assert wire.eof
        assert wire.open
        wire.send(b"x" * 99_990).fin()
        assert not wire.open

    def test_transports_that_cannot_end_one_side(self) -> None:
        """Where one side cannot be ended alone, the connection is closed."""
        site, _ = make_site()
        channel, transport = site.buildProtocol(None), StringTransport()
        channel.makeConnection(transport)
        channel.dataReceived(b"bad\r\n")
        assert b" 400 " in transport.value()
        assert transport.disconnecting
        channel.connectionLost()
