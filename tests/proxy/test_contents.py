"""The content of requests through the gateway, byte by byte where that matters: HTTP/1.1 in front."""

from __future__ import annotations

import contextlib
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.http1.wire import Wire, chunked, get, make_site, post, splits
from tests.memory import Memory, MemoryTransport
from tests.proxy.recorded import RecordedUpstream, values_of
from upgradegw.events import access_events
from upgradegw.negotiation.reasons import Reason
from upgradegw.proxy.exchange import UpstreamError, UpstreamTunnel
from upgradegw.proxy.resource import ProxyResource

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
EXPECTING = get(b"/", b"Content-Length: 5", b"Expect: 100-continue", method=b"PUT")


class Through:
    """A connection to a gateway."""

    def __init__(self, **site: Any) -> None:
        self.upstream = RecordedUpstream()
        site, self.reactor = make_site(ProxyResource(self.upstream), **site)  # type: ignore[assignment]
        self.wire = Wire(site, self.reactor)

    def send(self, *data: bytes) -> bytes:
        """Send, and return what came back."""
        return self.wire.send(*data).take()


class Contents(SynchronousTestCase):
    """Content on its way to the upstream."""

    def test_every_split(self) -> None:
        """Content, chunked or not, is the same to the upstream in every split; the next request follows it."""
        data = get(b"/1", b"Transfer-Encoding: chunked", method=b"PUT") + chunked(b"some content")
        for segments in splits(data):
            through = Through()
            through.send(*segments)
            exchange = through.upstream.only
            assert (exchange.request.content_length, exchange.content, exchange.finished) == (
                None,
                b"some content",
                True,
            )
            exchange.answer()
            through.send(post(b"two", b"/2"))
            assert (through.upstream.last.request.content_length, through.upstream.last.content) == (3, b"two")
            through.wire.close()

    def test_trailers_are_dropped(self) -> None:
        """Trailers do not reach the upstream, neither as fields nor as content."""
        through = Through()
        head = get(b"/", b"Transfer-Encoding: chunked", b"Trailer: X-T", b"TE: trailers", method=b"PUT")
        through.send(head + b"3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n")
        assert through.upstream.only.content == b"abc"
        assert through.upstream.only.finished
        assert values_of(through.upstream.only.request, b"x-t") == []

    def test_back_pressure(self) -> None:
        """An upstream that takes no more lets the client wait; nothing is lost, and little is kept here."""
        through = Through(max_content=None)
        through.send(get(b"/", b"Content-Length: 4000000", method=b"POST"))
        exchange = through.upstream.only
        exchange.producer.pauseProducing()
        through.wire.socket.setblocking(False)
        sent = 0
        with contextlib.suppress(BlockingIOError):
            while sent < 4_000_000:
                sent += through.wire.socket.send(b"x" * min(65536, 4_000_000 - sent))
                through.wire.turn()
        assert sent < 4_000_000
        assert exchange.content == b""
        assert through.wire.protocol._stream.waiting <= 128 * 1024
        exchange.producer.resumeProducing()
        through.send(b"x" * (4_000_000 - sent))
        assert len(exchange.content) == 4_000_000
        assert exchange.finished

    def test_early_answer(self) -> None:
        """An upstream may answer before it has the content: the answer passes, and the connection closes behind it."""
        through = Through()
        through.send(get(b"/", b"Content-Length: 1000", method=b"POST") + b"some")
        through.upstream.only.answer(413, content=b"too much")
        (answer,) = through.wire.answers()
        assert (answer.status, answer.body, answer.get(b"connection")) == (413, b"too much", b"close")
        assert through.wire.eof

    def test_content_that_is_no_content(self) -> None:
        """What is wrong with the content is the client's fault: the upstream's part is cancelled, and it is told so."""
        through = Through()
        head = get(b"/", b"Transfer-Encoding: chunked", method=b"POST")
        assert b"HTTP/1.1 400 " in through.send(head + b"3\r\nabc\r\nxyz\r\n")
        assert through.upstream.only.cancelled

    def test_too_much_content(self) -> None:
        """max_content holds through the gateway, with and without a length that says so beforehand."""
        through = Through(max_content=10)
        assert b" 413 " in through.send(get(b"/", b"Content-Length: 11", method=b"POST"))
        assert not through.upstream.exchanges
        through = Through(max_content=10)
        head = get(b"/", b"Transfer-Encoding: chunked", method=b"POST")
        assert b" 413 " in through.send(head + chunked(b"x" * 11))
        assert through.upstream.only.cancelled

    def test_content_that_stops_coming(self) -> None:
        """content_timeout holds through the gateway: 408, or where the answer has begun, a cut."""
        through = Through(content_timeout=5.0)
        through.send(get(b"/", b"Content-Length: 10", method=b"POST") + b"some")
        through.wire.advance(7)
        (answer,) = through.wire.answers()
        assert answer.status == 408
        assert through.upstream.only.cancelled
        through = Through(content_timeout=5.0)
        through.send(get(b"/", b"Content-Length: 10", method=b"POST") + b"some")
        through.upstream.only.head(200, (b"Transfer-Encoding", b"chunked")).data(b"begun")
        through.wire.advance(7)
        received = through.wire.take()
        assert received.endswith(b"5\r\nbegun\r\n")
        assert through.wire.eof
        assert through.upstream.only.cancelled

    def test_a_client_that_leaves_within_its_content(self) -> None:
        """The upstream's part is cancelled, so that what came is not taken for all."""
        through = Through()
        through.send(get(b"/", b"Content-Length: 10", method=b"POST") + b"some")
        through.wire.close()
        assert through.upstream.only.cancelled
        assert not through.upstream.only.finished


class Expecting(SynchronousTestCase):
    """Expect: 100-continue (RFC 9110 section 10.1.1)."""

    def test_the_upstream_says_when(self) -> None:
        """Expect goes to the upstream, and its 100 lets the client send."""
        through = Through()
        assert through.send(EXPECTING) == b""
        exchange = through.upstream.only
        assert values_of(exchange.request, b"expect") == [b"100-continue"]
        exchange.head(100)
        assert through.send() == CONTINUE
        exchange.head(100)
        assert through.send(b"hello") == b""
        assert (exchange.content, exchange.finished) == (b"hello", True)
        exchange.answer(201)
        assert [answer.status for answer in through.wire.answers()] == [201]

    def test_the_upstream_refuses(self) -> None:
        """A final answer comes in place of the 100; the content is never sent."""
        through = Through()
        through.send(EXPECTING)
        through.upstream.only.answer(417)
        (answer,) = through.wire.answers()
        assert (answer.status, answer.get(b"connection")) == (417, b"close")
        through.reactor.advance(5)
        assert through.send() == b""

    def test_the_upstream_says_nothing(self) -> None:
        """An upstream that does not know Expect leaves nobody waiting for more than a second."""
        through = Through()
        through.send(EXPECTING)
        through.reactor.advance(0.9)
        assert through.send() == b""
        through.reactor.advance(0.2)
        assert through.send() == CONTINUE
        through.send(b"hello")
        assert through.upstream.only.finished

    def test_the_client_does_not_wait(self) -> None:
        """Content that is there already needs no 100."""
        through = Through()
        assert through.send(EXPECTING + b"hello") == b""
        through.reactor.advance(2)
        assert through.send() == b""
        assert through.upstream.only.content == b"hello"

    def test_the_client_leaves(self) -> None:
        """Nobody is told to go on who is gone."""
        through = Through()
        through.send(EXPECTING)
        through.wire.close()
        through.reactor.advance(5)
        assert through.upstream.only.cancelled
        assert not through.reactor.getDelayedCalls()

    def test_the_upstream_fails(self) -> None:
        """No upstream, no 100."""
        through = Through()
        through.send(EXPECTING)
        through.upstream.only.fail(UpstreamError(Reason.UPSTREAM_UNREACHABLE, 502))
        assert [answer.status for answer in through.wire.answers()] == [502]
        through.reactor.advance(5)
        assert through.send() == b""


class OldClients(SynchronousTestCase):
    """HTTP/1.0 in front."""

    GET = b"GET / HTTP/1.0\r\n\r\n"

    def test_close_delimited(self) -> None:
        """An answer without a length ends with the connection; interim ones are kept from a client that knows none."""
        through = Through()
        through.send(self.GET)
        assert through.upstream.only.request.authority == b""
        through.upstream.only.head(103, (b"Link", b"</a>")).head(200).data(b"all").end()
        (answer,) = through.wire.answers()
        assert (answer.status, answer.body, answer.get(b"transfer-encoding")) == (200, b"all", None)
        assert through.wire.eof

    def test_a_cut(self) -> None:
        """A-39: where the end of the connection is the end of the answer, a cut answer ends with a reset."""
        memory = Memory(ProxyResource(upstream := RecordedUpstream()))
        memory.send(self.GET)
        upstream.only.head(200).data(b"part").fail(UpstreamError(Reason.UPSTREAM_CLOSED, 502))
        assert memory.received.endswith(b"part")
        assert memory.transport.disconnected  # aborted, not lost in order


class Switching(SynchronousTestCase):
    """An upstream that switches where nothing was offered."""

    def test_it_is_broken_off(self) -> None:
        """A-03, A-39: the client gets a 502, and nobody reads what the upstream says in its other protocol."""
        through = Through()
        through.send(get())
        transport = MemoryTransport()
        through.upstream.only.switch(UpstreamTunnel(transport, b"", lambda _protocol: None, lambda: None))
        assert [answer.status for answer in through.wire.answers()] == [502]
        assert transport.disconnected


class Log(SynchronousTestCase):
    """What the access log says."""

    def log(self, act: Any) -> Any:
        events: list[Any] = []
        unsubscribe = access_events.subscribe(events.append)
        try:
            act()
        finally:
            unsubscribe()
        (event,) = events
        return event

    def test_success(self) -> None:
        """A plain request is no refused upgrade: its line has no reason."""
        through = Through()
        through.send(get())
        event = self.log(lambda: through.upstream.only.answer(content=b"page"))
        assert (event["status"], event["bytes_out"], event.get("reason")) == (200, 4, None)

    def test_a_failure(self) -> None:
        """A 502 is logged with the reason and what was found; a cut answer likewise, as far as it went."""
        through = Through()
        through.send(get())
        error = UpstreamError(Reason.UPSTREAM_UNREACHABLE, 502, "connection refused")
        event = self.log(lambda: through.upstream.only.fail(error))
        assert (event["event"], event["status"], event["reason"]) == ("request", 502, "upstream_unreachable")
        assert event["detail"] == "connection refused"
        through = Through()
        through.send(get())
        through.upstream.only.head(200, (b"Transfer-Encoding", b"chunked")).data(b"part")
        event = self.log(lambda: through.upstream.only.fail(UpstreamError(Reason.UPSTREAM_CLOSED, 502, "closed")))
        assert (event["status"], event["reason"], event["bytes_out"]) == (200, "upstream_closed", 4)
