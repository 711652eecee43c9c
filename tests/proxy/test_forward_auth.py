"""Another server that says who may pass."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.http1.wire import Rendered, Wire, get, make_site, post
from tests.proxy.recorded import RecordedExchange, RecordedUpstream, values_of
from tests.proxy.upstream_reactor import UpstreamReactor
from tests.web.support import Where
from upgradegw.negotiation.reasons import Reason
from upgradegw.proxy.exchange import UpstreamError
from upgradegw.proxy.forward_auth import ForwardAuth
from upgradegw.proxy.resource import ProxyResource
from upgradegw.web.guarding import Guard
from upgradegw.web.site import UpgradeSite

URL = "http://auth.example:9000/verify?realm=a"


def user(request: Any) -> bytes:
    """Say who the other server says it is, under every name."""
    return repr([each for each in request.requestHeaders.getAllRawHeaders() if b"ser" in each[0]]).encode()


class Asking(SynchronousTestCase):
    """What is asked, and what becomes of the answer."""

    def ask(self, data: bytes, *, resource: Any = None, fields: Any = ("X-User",), **site: Any) -> RecordedExchange:
        """Send a request, and return the question."""
        self.upstream = RecordedUpstream()
        check = ForwardAuth(URL, fields=fields, asked=self.upstream)
        made, reactor = make_site(Guard(resource or Rendered(user), [check]), **site)
        self.wire = Wire(made, reactor).send(data)
        return self.upstream.only

    def test_the_question(self) -> None:
        """It is asked with GET and the client's fields, and told what is asked for, and by whom."""
        asked = self.ask(post(b"content", b"/a?b", b"Cookie: s=1", b"Content-Type: text/plain")).request
        assert (asked.method, asked.target, asked.authority) == (b"GET", b"/verify?realm=a", b"")
        assert (asked.content_length, asked.tokens, asked.idempotent) == (0, (), True)
        told = {name: values_of(asked, name) for name, _ in asked.fields for name in [name.lower()]}
        assert told == {
            b"cookie": [b"s=1"],
            b"via": [b"1.1 upgradegw"],
            b"x-forwarded-for": [b"192.0.2.7"],
            b"x-forwarded-proto": [b"http"],
            b"x-forwarded-host": [b"a.example"],
            b"x-forwarded-method": [b"POST"],
            b"x-forwarded-uri": [b"/a?b"],
        }

    def test_what_a_client_says_of_itself(self) -> None:
        """A-34: fields that tell of the request are written by us alone, also where a trusted proxy sends some."""
        lies = b"X-Forwarded-Method: GET", b"X-Forwarded-Uri: /public", b"X-Forwarded-For: 10.0.0.1"
        for trusted, address in ((), b"192.0.2.7"), (["192.0.2.7"], b"10.0.0.1, 192.0.2.7"):
            asked = self.ask(get(b"/secret", *lies, method=b"DELETE"), trusted_proxies=trusted).request
            assert values_of(asked, b"x-forwarded-method") == [b"DELETE"]
            assert values_of(asked, b"x-forwarded-uri") == [b"/secret"]
            assert values_of(asked, b"x-forwarded-for") == [address]

    def test_what_makes_the_answer_another(self) -> None:
        """Conditions, ranges and what belongs to a switch are not passed on: 304 would be no answer."""
        lines = b"If-None-Match: *", b"If-Modified-Since: x", b"Range: bytes=0-1", b"Sec-WebSocket-Key: x"
        asked = self.ask(get(b"/", *lines, b"Connection: Upgrade", b"Upgrade: websocket")).request
        names = {name.lower() for name, _ in asked.fields}
        assert not names & {b"if-none-match", b"if-modified-since", b"range", b"sec-websocket-key", b"upgrade"}

    def test_pass(self) -> None:
        """2xx lets the request pass, with the fields that were named, each line of them, and no others."""
        question = self.ask(get())
        assert self.wire.answers() == []
        question.answer(204, (b"x-user", b"ann"), (b"X-User", b"staff"), (b"X-User-Name", b"Ann"))
        (answer,) = self.wire.answers()
        assert (answer.status, answer.body) == (200, b"[(b'X-User', [b'ann', b'staff'])]")

    def test_what_the_client_says_in_its_name(self) -> None:
        """A-43: the client's own are removed, whatever the answer, and what CGI would take for them; also before it."""
        lies = b"X-User: root", b"x_user: root", b"X.User: root", b"x-uSER: root"
        question = self.ask(get(b"/", *lies))
        assert b"root" not in b"".join(value for _, value in question.request.fields)
        question.answer(200)
        (answer,) = self.wire.answers()
        assert answer.body == b"[]"

    def test_a_connection_option(self) -> None:
        """A-11: who names such a field in Connection would have it removed behind us: 400."""
        for option in (b"X-User", b"x_user"):
            upstream = RecordedUpstream()
            guard = Guard(Where(), [ForwardAuth(URL, fields=["X-User"], asked=upstream)])
            site, reactor = make_site(guard)
            (answer,) = Wire(site, reactor).send(get(b"/", b"Connection: close, " + option)).answers()
            assert answer.status == 400
            assert upstream.exchanges == []

    def test_its_answer_is_the_clients(self) -> None:
        """Any other answer goes to the client as it is, its content as a stream."""
        question = self.ask(get(b"/a"))
        question.head(
            302, (b"Location", b"https://auth.example/"), (b"Set-Cookie", b"back=/a"), (b"Content-Length", b"6")
        )
        question.data(b"log ", b"in").end()
        (answer,) = self.wire.answers()
        assert (answer.status, answer.get(b"location"), answer.body) == (302, b"https://auth.example/", b"log in")
        assert answer.get(b"set-cookie") == b"back=/a"

    def test_no_answer(self) -> None:
        """Where nobody can be asked nobody passes: 502 or 504, and the reason is in the log."""
        inside = Where()
        inside.render = lambda _request: self.fail("it was rendered")  # type: ignore[method-assign]
        for reason, status in ((Reason.UPSTREAM_UNREACHABLE, 502), (Reason.UPSTREAM_TIMEOUT, 504)):
            self.ask(get(), resource=inside).fail(UpstreamError(reason, status, "detail"))
            assert [each.status for each in self.wire.answers()] == [status]

    def test_the_client_leaves(self) -> None:
        """Nobody waits for the answer any more, before it and within it."""
        for begun in (False, True):
            question = self.ask(get())
            if begun:
                question.head(401, (b"Content-Length", b"9"))
            self.wire.transport.abortConnection()
            self.wire.advance(1)
            assert question.cancelled

    def test_content_of_a_yes(self) -> None:
        """Content behind 2xx is read, so that the connection can be used again, but not without end."""
        question = self.ask(get()).head(200)
        assert len(self.wire.answers()) == 1
        question.data(b"a" * 65536)
        assert not question.cancelled
        question.data(b"a")
        assert question.cancelled
        question = self.ask(get()).head(200).data(b"a")
        question.fail(UpstreamError(Reason.UPSTREAM_CLOSED, 502))
        assert [each.status for each in self.wire.answers()] == [200]

    def test_hints_before_the_answer(self) -> None:
        """103 of the other server says nothing of the resource."""
        self.ask(get()).head(103, (b"Link", b"</a>")).answer(200)
        assert [each.status for each in self.wire.answers()] == [200]

    def test_before_a_proxy(self) -> None:
        """Content waits while it is asked, and goes on with the fields that it has given."""
        behind = RecordedUpstream()
        question = self.ask(post(b"content", b"/a"), resource=ProxyResource(behind))
        assert behind.exchanges == []
        question.answer(200, (b"X-User", b"ann"))
        assert values_of(behind.only.request, b"x-user") == [b"ann"]
        assert behind.only.content == b"content"

    def test_a_request_that_may_not_be_passed_on(self) -> None:
        """What would be refused towards an upstream is refused here."""
        upstream = RecordedUpstream()
        site, reactor = make_site(Guard(Where(), [ForwardAuth(URL, asked=upstream)]))
        (answer,) = Wire(site, reactor).send(get(b"/", b"Connection: Authorization")).answers()
        assert answer.status == 400
        assert upstream.exchanges == []


class Connecting(SynchronousTestCase):
    """The address."""

    def test_on_the_wire(self) -> None:
        """What is sent to the address, and that it is closed with the check."""
        reactor = UpstreamReactor()
        check = ForwardAuth(URL)
        check.close()
        wire = Wire(UpgradeSite(Guard(Where(), [check]), reactor=reactor), reactor).send(get(b"/a"))
        reactor.turn()
        (auth,) = reactor.upstreams
        assert auth.received.startswith(b"GET /verify?realm=a HTTP/1.1\r\nHost: auth.example:9000\r\n")
        auth.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        reactor.turn()
        assert [each.status for each in wire.answers()] == [200]
        check.close()
        reactor.turn()
        assert auth.ended


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://a", b"/"),
        ("https://a/x/", b"/x/"),
        ("http://a:81?q", b"/?q"),
        ("unix:/run/a.sock", b"/"),
        ("unix:/run/a.sock:/verify", b"/verify"),
        ("h2c://[::1]:9/x", b"/x"),
    ],
)
def test_targets(url: str, target: bytes):
    """A path, and a query, are asked for exactly as written."""
    check: Any = ForwardAuth(url)
    assert check._target == target


@pytest.mark.parametrize(
    "url", ["a.example", "ftp://a/", "http:///x", "http://a/#x", "http://a/ b", "http://a/\xe9", "unix:x"]
)
def test_no_address(url: str):
    """What is no address is refused when the check is made."""
    with pytest.raises(ValueError, match=r"'"):
        ForwardAuth(url)


def test_no_field():
    """So is what is no name of a field."""
    with pytest.raises(ValueError, match="'X User' is no name"):
        ForwardAuth(URL, fields=["X User"])
