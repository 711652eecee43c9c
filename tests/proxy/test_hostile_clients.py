"""What must not reach an upstream, whatever a client sends."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http1.wire import get
from tests.http2.client import PROTOCOL_ERROR, fields
from tests.http2.client import Client as Http2Client
from tests.proxy.recorded import RecordedUpstream, fields_of, through, values_of
from upgradegw import ProxyResource


class Targets(SynchronousTestCase):
    """Where requests cannot be made to go (A-38)."""

    def test_absolute_form(self) -> None:
        """A-38, A-43: an absolute target names a host, never an address: it goes where all requests go."""
        upstream, _ = through(b"GET http://169.254.169.254/latest HTTP/1.1\r\nHost: a.example\r\n\r\n")
        request = upstream.only.request
        assert (request.target, request.authority) == (b"/latest", b"169.254.169.254")
        assert fields_of(request, b"host") == []
        assert values_of(request, b"x-forwarded-host") == [b"169.254.169.254"]

    def test_connect(self) -> None:
        """A-38: CONNECT is refused, and nothing behind it is parsed."""
        upstream, wire = through(b"CONNECT 10.0.0.1:80 HTTP/1.1\r\nHost: 10.0.0.1:80\r\n\r\n" + get())
        assert [answer.status for answer in wire.answers()] == [405]
        assert not upstream.exchanges

    def test_user_information(self) -> None:
        """A-38: an authority with user information is none."""
        upstream, wire = through(b"GET http://a.example@10.0.0.1/ HTTP/1.1\r\nHost: a.example\r\n\r\n")
        assert [answer.status for answer in wire.answers()] == [400]
        assert not upstream.exchanges

    def test_dot_segments(self) -> None:
        """A-38: a path that would lead out of the route at the upstream is refused, and the log says why."""
        for path in (b"/a/../b", b"/%2e%2e/b", b"/..%2f..%2fetc", b"/a\\..\\b"):
            upstream, wire = through(get(path))
            assert [answer.status for answer in wire.answers()] == [400]
            assert not upstream.exchanges


class Hostile(SynchronousTestCase):
    """What must not reach an upstream."""

    def test_connection_options(self) -> None:
        """UP-17, UP-18, A-11: what Connection names goes, unless it must stay: then the request is refused."""
        upstream, _ = through(get(b"/", b"Connection: X-A, close", b"X-A: 1", b"X-B: 2"))
        assert fields_of(upstream.only.request, b"connection", b"x-a", b"x-b") == [(b"x-b", b"2")]
        for option in (b"Host", b"Cookie", b"X-Forwarded-For", b"Content-Length"):
            upstream, wire = through(get(b"/", b"Connection: close, " + option))
            assert [answer.status for answer in wire.answers()] == [400]
            assert not upstream.exchanges

    def test_lies(self) -> None:
        """A-34: a stranger's X-Forwarded-For is overwritten, a trusted proxy's is continued."""
        lie = get(b"/", b"X-Forwarded-For: 203.0.113.9", b"Forwarded: for=203.0.113.9", b"X-Real-IP: 203.0.113.9")
        names = (b"x-forwarded-for", b"forwarded", b"x-real-ip")
        upstream, _ = through(lie)
        assert fields_of(upstream.only.request, *names) == [(b"x-forwarded-for", b"192.0.2.7")]
        upstream, _ = through(lie, site={"trusted_proxies": ["192.0.2.7"]})
        assert fields_of(upstream.only.request, *names) == [
            (b"x-real-ip", b"203.0.113.9"),
            (b"x-forwarded-for", b"203.0.113.9, 192.0.2.7"),
        ]

    def test_twins(self) -> None:
        """A-43: names that would shadow others behind the gateway are dropped."""
        upstream, _ = through(get(b"/", b"X_Forwarded_For: 203.0.113.9", b"Sec_WebSocket_Key: x", b"X-U: 1", b"X_U: 2"))
        names = {name.lower() for name, _ in upstream.only.request.fields}
        assert not {name for name in names if b"_" in name}
        assert b"x-u" in names

    def test_h2c(self) -> None:
        """HC-11, A-01: an offer of h2c reaches no upstream, however it is spelled, even where all tokens pass."""
        for offer in (b"Upgrade: h2c", b"Upgrade: H2C\r\nUpgrade: h2", b"upgrade: h2c,h2c"):
            fields = (b"Connection: Upgrade, HTTP2-Settings", offer, b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA")
            upstream, _ = through(get(b"/", *fields), upgrades=["*"])
            assert upstream.only.request.tokens == ()
            assert fields_of(upstream.only.request, b"upgrade", b"connection", b"http2-settings") == []

    def test_bytes_behind_an_offer(self) -> None:
        """A-05: bytes behind an offer that was passed over are not the next request."""
        offer = get(b"/", b"Connection: Upgrade", b"Upgrade: unknown")
        upstream, wire = through(offer + get(b"/second"))
        upstream.only.answer(content=b"first")
        assert [answer.body for answer in wire.answers()] == [b"first"]
        assert len(upstream.exchanges) == 1
        assert wire.eof

    def test_requests_from_http_2(self) -> None:
        """A-09: what would be two requests, or another one, in HTTP/1.1 does not get through from HTTP/2."""
        for block in (
            fields(b"GET", b"/", (b"content-length", b"5")),
            fields(b"POST", b"/", (b"transfer-encoding", b"chunked")),
            fields(b"GET", b"/", (b"x-a", b"b\r\nGET /admin HTTP/1.1")),
            fields(b"GET", b"/", (b"x-a\r\nx-b", b"c")),
            fields(b"GET", b"/", (b"x-a:", b"c")),
            fields(b"GET", b"/", (b"x-a", b"b\0")),
            fields(b"GET", b"/", (b"connection", b"close")),
            fields(b"GET", b"/", (b"upgrade", b"h2c")),
            fields(b"GET /x", b"/"),
            fields(b"GET", b"/ HTTP/1.1\r\nX: y"),
            fields(b"GET", b"/a b"),
            fields(b"GET", b"http://a.example/"),
            [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"a\r\nX: y")],
        ):
            client = Http2Client(ProxyResource(upstream := RecordedUpstream()))
            client.send(client.head(1, block))
            assert not upstream.exchanges, block
            assert client[1].code == PROTOCOL_ERROR
            client.wire.close()

    def test_content_from_http_2(self) -> None:
        """A-09: content that is more or less than its length said is not passed on as if it were right."""
        for content in (b"abc", b"abcdefghi"):
            client = Http2Client(ProxyResource(upstream := RecordedUpstream()))
            client.send(client.post(1, content, (b"content-length", b"5")))
            assert upstream.only.request.content_length == 5
            assert not upstream.only.finished
            assert upstream.only.cancelled
            assert client[1].code == PROTOCOL_ERROR
            client.wire.close()
