"""A channel that goes on in TLS: the request that waits, its content, its deadline, and 426 where TLS is demanded."""

from __future__ import annotations

import ssl
from typing import Any

from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from tests.http1.wire import Later, chunked, get, post
from tests.web.securing import Securing, offer, securing
from upgradegw.events import access_events
from upgradegw.http1.closing import State

OFFER = offer(method=b"GET", target=b"/x")


def post_offer(content: bytes, *, of_length: bool = True, fields: tuple[bytes, ...] = ()) -> bytes:
    """Return a request with content that offers TLS."""
    framing = b"Content-Length: %d" % len(content) if of_length else b"Transfer-Encoding: chunked"
    return offer(b"TLS/1.3", framing, *fields, method=b"POST", target=b"/x") + (
        content if of_length else chunked(content)
    )


class _Streaming(Later):
    """Asks for its content as it comes, and does not wait for it."""

    streams_content = True

    def render(self, request: Any) -> int:
        request.finish()
        return super().render(request)


class _Logged(SynchronousTestCase):
    """Has the access events."""

    def setUp(self) -> None:
        self.events: list[Any] = []
        self.addCleanup(access_events.subscribe(self.events.append))

    def ends(self) -> list[str]:
        """Return why switched connections ended."""
        return [event["reason"] for event in self.events if event["event"] == "end"]


class WaitingTests(_Logged):
    """Between the 101 and the end of the handshake."""

    def test_content_comes_first(self) -> None:
        """A-04: content of known or unknown length is read in full before the 101; the resource gets it in TLS."""
        for of_length in (True, False):
            connection = securing()
            request = post_offer(b"some content", of_length=of_length)
            connection.send(request[:-1])
            assert connection.take() == b""
            connection.send(request[-1:] + connection.begin())
            assert connection.head().status == 101
            connection.shake()
            assert [each.body for each in connection.inside()] == [b"POST /x some content"]

    def test_100_before_101(self) -> None:
        """RFC 9110 section 7.8: who expects 100 gets it before the 101, with content and without."""
        for request in (
            post_offer(b"x", fields=(b"Expect: 100-continue",)),
            offer(b"TLS/1.3", b"Expect: 100-continue"),
        ):
            head = request[: request.index(b"\r\n\r\n") + 4]
            connection = securing().send(head, request[len(head) :])
            statuses = [line for line in connection.take().split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
            assert statuses == [b"HTTP/1.1 100 Continue", b"HTTP/1.1 101 Switching Protocols"]

    def test_content_of_a_resource_that_streams(self) -> None:
        """Content that would be streamed is kept if it is short; of any other the offer is ignored."""
        connection = securing(_Streaming(), max_leading_data=100)
        connection.send(post_offer(b"a" * 100) + connection.begin())
        assert connection.head().status == 101
        connection.shake()
        assert [each.status for each in connection.inside()] == [200]
        for request in (post_offer(b"a" * 101), post_offer(b"a", of_length=False)):
            connection = securing(_Streaming(), max_leading_data=100).send(request)
            assert [each.status for each in connection.answers()] == [200]

    def test_too_much_content(self) -> None:
        """The site's bound of content holds before the switch."""
        connection = securing(max_content=10).send(post_offer(b"a" * 11))
        assert [each.status for each in connection.answers()] == [413]
        connection = securing(max_content=10).send(post_offer(b"a" * 11, of_length=False))
        assert [each.status for each in connection.answers()] == [413]

    def test_behind_other_requests(self) -> None:
        """A-06: requests before the offer are answered first, in cleartext; what is behind it is TLS."""
        connection = securing()
        connection.send(get(b"/1") + get(b"/2") + OFFER + connection.begin())
        before, _, connection.received = connection.received.partition(b"HTTP/1.1 101")
        assert before.count(b"HTTP/1.1 200") == 2
        connection.received = b"HTTP/1.1 101" + connection.received
        connection.head()
        connection.shake()
        assert [each.body for each in connection.inside()] == [b"GET /x "]

    def test_a_client_that_never_begins(self) -> None:
        """The handshake has head_timeout, whole: bytes now and then do not prolong it."""
        connection = securing(head_timeout=10.0).send(OFFER)
        assert connection.head().status == 101
        hello = connection.begin()
        for at in range(8):
            connection.advance(1).send(hello[at : at + 1])
        assert connection.open
        connection.advance(4)
        assert not connection.open
        assert self.ends() == ["tls_failed"]
        assert connection.protocol._context.connections == set()

    def test_cleartext_behind_the_101(self) -> None:
        """What is no TLS behind the 101 ends the connection; no byte of it is read as a request."""
        for behind in (get(b"/secret"), b"\x00" * 20, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
            for request in ((OFFER + behind,), (OFFER, behind)):
                connection = securing().send(*request)
                assert b"HTTP/1.1 200" not in connection.take()
                assert not connection.open
        assert set(self.ends()) == {"tls_failed"}
        assert [event for event in self.events if event["event"] == "request"] == []

    def test_a_version_that_the_client_does_not_speak(self) -> None:
        """Who offers only what it cannot do gets no second choice."""
        connection = securing(versions=("1.3",))
        connection.send(OFFER + connection.begin(ssl.TLSVersion.TLSv1_2))
        connection.advance(1)
        assert not connection.open

    def test_a_client_that_leaves(self) -> None:
        """Nothing is left of a client that goes in the middle, and its request is never seen."""
        root = Later()
        connection = securing(root)
        connection.send(OFFER + connection.begin()).close()
        assert root.requests == []
        assert connection.protocol._context.connections == set()
        assert self.ends() == ["tls_failed"]

    def test_a_stop_in_the_middle(self) -> None:
        """A stop waits for the request that was promised an answer, and closes behind it."""
        connection = securing()
        connection.send(OFFER + connection.begin())
        stopped = connection.protocol.site.stop()
        connection.head()
        connection.shake()
        (answer,) = connection.inside()
        assert (answer.status, answer.get(b"connection")) == (200, b"close")
        connection.close()
        self.successResultOf(stopped)

    def test_certificates_that_fail(self) -> None:
        """Where no TLS can be had, the connection ends, and is forgotten."""
        connection = securing(tls=_Broken()).send(OFFER)
        assert len(self.flushLoggedErrors(LookupError)) == 1
        connection.advance(1)
        assert not connection.open
        assert connection.protocol._context.connections == set()

    def test_a_client_that_has_ended(self) -> None:
        """Who has ended its side cannot shake hands: the offer is ignored."""
        root = Later()
        connection = securing(root)
        connection.send(get(b"/1") + OFFER).fin()
        root.requests[0].finish()
        connection.turn()
        root.requests[1].finish()
        assert [each.status for each in connection.answers()] == [200, 200]


class RequiredTests(_Logged):
    """Where nothing is answered without TLS."""

    def refused(self, connection: Securing, *data: bytes, goes_on: bool) -> None:
        """Send bytes, and see the 426 and whether the connection goes on."""
        (answer,) = connection.send(*data).answers()
        assert answer.status == 426
        assert answer.get(b"upgrade") == b"TLS/1.3, TLS/1.2"
        assert b"Upgrade" in (answer.get(b"connection") or b"")
        assert answer.get(b"cache-control") == b"no-store"
        assert (connection.protocol._state == State.HEAD) == goes_on
        assert self.events[-1]["reason"] == "tls_required"

    def test_426_and_then_tls(self) -> None:
        """TL-01: a plain request gets 426 with our versions; on the same connection the client may offer TLS."""
        connection = securing(required=True)
        self.refused(connection, get(b"/x"), goes_on=True)
        self.refused(connection, offer(b"TLS/1.0"), goes_on=True)
        connection.send(OFFER + connection.begin())
        assert connection.head().status == 101
        connection.shake()
        assert [each.body for each in connection.inside(get(b"/y"))] == [b"GET /x ", b"GET /y "]

    def test_what_closes(self) -> None:
        """Content is not read, HTTP/1.0 does not go on, nor who says ``close``, nor bytes behind an offer (A-05)."""
        self.refused(securing(required=True), post(b"content"), goes_on=False)
        self.refused(securing(required=True), b"GET / HTTP/1.0\r\n\r\n", goes_on=False)
        self.refused(securing(required=True), get(b"/", b"Connection: close"), goes_on=False)
        self.refused(securing(required=True), offer(b"TLS/1.1") + b"\x16\x03\x01", goes_on=False)

    def test_pipelined(self) -> None:
        """Each of several requests without an offer has its 426."""
        connection = securing(required=True).send(get(b"/1") + get(b"/2"))
        assert [each.status for each in connection.answers()] == [426, 426]

    def test_a_client_that_reads_nothing(self) -> None:
        """A-21: whoever asks on and on and reads no answer is not read from, and dropped when his time is over."""
        connection = securing(required=True, write_timeout=30, buffer=4096)
        asked = 0
        while connection.protocol.blocked is False and asked < 20_000:
            connection.socket.send(get(b"/") * 100)
            connection.turn(read=False)
            asked += 100
        assert 100 < asked < 20_000
        assert connection.transport not in connection.reactor.getReaders()
        connection.reactor.advance(32)
        connection.reactor.advance(0)
        assert not connection.open

    def test_head(self) -> None:
        """The 426 to HEAD has no content."""
        connection = securing(required=True).send(get(b"/", method=b"HEAD"))
        assert connection.take().endswith(b"\r\n\r\n")

    def test_first_byte_of_tls(self) -> None:
        """TL-01: TLS without a 101 is no request: 400, and the connection closes."""
        connection = securing(required=True)
        self.refused(connection, get(b"/"), goes_on=True)
        connection.send(connection.begin())
        assert [each.status for each in connection.answers()] == [400]

    def test_no_way_past_it(self) -> None:
        """A-01: neither HTTP/2 by prior knowledge nor h2c leads past the demand."""
        connection = securing(required=True, h2c_upgrade="always")
        settings = b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAAgAAAAIAAAAA"
        self.refused(connection, get(b"/", *settings), goes_on=True)
        connection = securing(required=True).send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert b"\x00\x00" not in connection.take()
        assert connection.protocol._state != State.TAKEN


@implementer(IOpenSSLServerConnectionCreator)
class _Broken:
    """Has no certificate."""

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        raise LookupError("no certificate")
