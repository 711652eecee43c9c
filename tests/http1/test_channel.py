"""Requests on a connection: read in any split, answered in order, and what the connection does between them."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http import Request as PlainRequest
from twisted.web.server import Request, Session

from tests.http1.wire import (
    HOST,
    PEER,
    Echo,
    Later,
    Rendered,
    Wire,
    chunked,
    connect,
    get,
    make_site,
    post,
    splits,
)


class Requests(SynchronousTestCase):
    """From bytes to requests."""

    def test_a_request_is_answered(self) -> None:
        """A GET is rendered, and the answer has length, date and server; the connection stays."""
        wire = connect()
        (answer,) = wire.send(get(b"/x?y")).answers()
        assert (answer.version, answer.status, answer.body) == ("HTTP/1.1", 200, b"GET /x?y ")
        assert answer.get(b"server") == b"upgradegw"
        assert answer.get(b"content-length") == b"9"
        assert answer.get(b"date") is not None
        assert answer.get(b"connection") is None
        assert wire.open

    def test_every_split(self) -> None:
        """Requests with and without content give the same answers however their bytes arrive."""
        data = (
            b"\r\n"
            + get(b"/1")
            + post(b"two", b"/2")
            + get(b"/3", b"Transfer-Encoding: chunked", method=b"PUT")
            + chunked(b"three!!")
            + b"\r\n\r\n"
            + get(b"/4")
        )
        expected = [b"GET /1 ", b"POST /2 two", b"PUT /3 three!!", b"GET /4 "]
        site, reactor = make_site()
        for segments in splits(data):
            wire = Wire(site, reactor)
            assert [answer.body for answer in wire.send(*segments).answers()] == expected, segments
            wire.close()

    def test_the_head_is_seen(self) -> None:
        """Request finds method, URI, arguments, fields, cookies, addresses and content."""
        root = Later()
        connect(root).send(post(b"abc", b"/a%20b/c?x=1", b"Cookie: k=v", b"X-A: 1", b"x-a: 2"))
        (request,) = root.requests
        assert (request.method, request.uri, request.path) == (b"POST", b"/a%20b/c?x=1", b"/a%20b/c")
        assert request.clientproto == b"HTTP/1.1"
        assert request.args == {b"x": [b"1"]}
        assert request.getCookie(b"k") == b"v"
        assert request.requestHeaders.getRawHeaders(b"X-A") == [b"1", b"2"]
        assert (request.getClientAddress(), request.getHost()) == (PEER, HOST)
        assert request.content.read() == b"abc"
        assert (request.prepath, request.postpath) == ([], [b"a b", b"c"])
        assert not request.isSecure()

    def test_forms_are_parsed(self) -> None:
        """A form sent with POST is in ``args``."""
        root = Later()
        field = b"Content-Type: application/x-www-form-urlencoded"
        connect(root).send(post(b"a=1&b=2", b"/", field))
        assert root.requests[0].args == {b"a": [b"1"], b"b": [b"2"]}

    def test_a_bad_form_is_refused(self) -> None:
        """multipart/form-data that cannot be read is a 400 that closes; the resource does not see it."""
        root = Later()
        wire = connect(root).send(post(b"x", b"/", b"Content-Type: multipart/form-data; boundary="))
        (answer,) = wire.answers()
        assert (answer.status, answer.get(b"connection")) == (400, b"close")
        assert root.requests == []

    def test_other_request_classes(self) -> None:
        """Any ``requestFactory`` works: twisted.web's classes, and functions that make them."""
        site, reactor = make_site(Echo(), requestFactory=Request)
        assert Wire(site, reactor).send(post(b"a")).answers()[0].body == b"POST / a"
        site, reactor = make_site(Echo(), requestFactory=Request)
        assert Wire(site, reactor).send(post(b"a")).answers()[0].body == b"POST / a"

        class Direct(PlainRequest):
            def process(self) -> None:
                self.write(self.requestHeaders.getRawHeaders(b"Host", [b""])[0])
                self.finish()

        site, reactor = make_site(Echo(), requestFactory=Direct)
        assert Wire(site, reactor).send(get()).answers()[0].body == b"a.example"

    def test_the_server_is_asked(self) -> None:
        """``OPTIONS *`` is answered for the server (RFC 9110 section 9.3.7)."""
        (answer,) = connect(Later()).send(get(b"*", method=b"OPTIONS")).answers()
        assert (answer.status, answer.body, answer.get(b"server")) == (200, b"", b"upgradegw")

    def test_absolute_form(self) -> None:
        """UP-20: the resource sees origin-form, and the authority as Host."""
        root = Later()
        connect(root).send(get(b"http://b.example/x"))
        (request,) = root.requests
        assert (request.uri, request.getRequestHostname()) == (b"/x", b"b.example")

    def test_sessions(self) -> None:
        """Sessions are kept by the site and found by their cookie."""
        site, reactor = make_site(Rendered(lambda request: request.getSession().uid))
        site.sessionFactory = Session
        wire = Wire(site, reactor)
        (first,) = wire.send(get()).answers()
        cookie = first.get(b"set-cookie")
        assert cookie is not None
        (second,) = wire.send(get(b"/", b"Cookie: " + cookie.split(b";")[0])).answers()
        assert first.body == second.body
        site.sessions[first.body].expire()

    def test_exceptions_are_500(self) -> None:
        """A-45: a resource that raises is a 500; the connection and the site live on."""
        wire = connect(Rendered(lambda _request: 1 // 0))
        assert [answer.status for answer in wire.send(get() + get()).answers()] == [500, 500]
        assert len(self.flushLoggedErrors(ZeroDivisionError)) == 2
        assert wire.open

    def test_tracebacks_on_request(self) -> None:
        """``displayTracebacks`` shows the traceback to the client, as in Site."""
        site, reactor = make_site(Rendered(lambda _request: 1 // 0))
        site.displayTracebacks = True
        assert b"ZeroDivisionError" in Wire(site, reactor).send(get()).answers()[0].body
        self.flushLoggedErrors(ZeroDivisionError)


class Persistence(SynchronousTestCase):
    """What follows a response."""

    def test_the_client_says_close(self) -> None:
        """RFC 9112 section 9.6: a client's close is answered with close, and nothing more is read."""
        wire = connect().send(get(b"/", b"Connection: a,close") + get(b"/never"))
        (answer,) = wire.answers()
        assert answer.get(b"connection") == b"close"
        assert wire.eof

    def test_the_resource_says_close(self) -> None:
        """A response that carries ``Connection: close`` is the last."""

        def render(request: Any) -> bytes:
            request.setHeader(b"connection", b"x, Close")
            return b""

        wire = connect(Rendered(render)).send(get() + get())
        assert len(wire.answers()) == 1
        assert wire.eof

    def test_pipelined_requests_wait_for_their_turn(self) -> None:
        """A-06: requests are answered in order, one at a time."""
        root = Later()
        wire = connect(root).send(get(b"/1") + get(b"/2") + get(b"/3"))
        for number in (1, 2, 3):
            assert len(root.requests) == number
            root.requests[-1].write(b"%d" % number)
            root.requests[-1].finish()
        assert [answer.body for answer in wire.answers()] == [b"1", b"2", b"3"]

    def test_many_pipelined_requests(self) -> None:
        """Pipelining is a loop: a thousand requests in one segment do not exhaust the stack."""
        wire = connect()
        wire.protocol.dataReceived(get() * 1500)
        assert len(wire.answers()) == 1500

    def test_what_waits_behind_a_request_is_bounded(self) -> None:
        """A-27: reading stops at max_leading_data bytes behind a request, goes on with the answer, loses nothing."""
        root = Later()
        wire = connect(root, max_leading_data=1000).send(get(b"/1"))
        wire.send(get(b"/2") * 10)
        assert wire.transport in wire.reactor.getReaders()
        wire.send(get(b"/2") * 20)
        assert wire.transport not in wire.reactor.getReaders()
        wire.send(get(b"/2") * 10)
        answered = 0
        while answered < len(root.requests):
            root.requests[answered].finish()
            answered += 1
            wire.turn()
        assert answered == 41
        assert len(wire.answers()) == 41

    def test_empty_lines_are_no_request(self) -> None:
        """RFC 9112 section 2.2: empty lines between requests are passed over and do not keep a connection alive."""
        wire = connect()
        for _ in range(7):
            wire.send(b"\r\n\r\n").advance(10)
        assert not wire.open

    def test_finished_only_once(self) -> None:
        """``requestDone`` for a request that is not being answered is a fault of the caller's."""
        root = Later()
        wire = connect(root).send(get())
        with pytest.raises(TypeError):
            wire.protocol.requestDone(object())

    def test_request_lose_connection(self) -> None:
        """``Request.loseConnection`` closes when what was written has been sent."""
        root = Later()
        wire = connect(root).send(get())
        root.requests[0].write(b"part")
        root.requests[0].loseConnection()
        assert b"part" in wire.take()
        assert (wire.eof, wire.open) == (True, False)


class DeclinedOffers(SynchronousTestCase):
    """F20: an offered upgrade that nobody takes."""

    OFFER = (b"Upgrade: h2c, websocket", b"Connection: Upgrade, HTTP2-Settings", b"HTTP2-Settings: AAMAAABkAAQAAP__")

    def test_content_of_a_declined_offer(self) -> None:
        """UP-07, A-04: content is read as content, and pipelined requests are answered, in every split."""
        data = (
            post(b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", b"/1", *self.OFFER)
            + get(b"/2", *self.OFFER, b"Transfer-Encoding: chunked", method=b"PUT")
            + chunked(b"chunks", 4)
            + get(b"/3", *self.OFFER)
            + get(b"/4")
        )
        expected = [
            b"POST /1 GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
            b"PUT /2 chunks",
            b"GET /3 ",
            b"GET /4 ",
        ]
        site, reactor = make_site()
        for segments in splits(data):
            wire = Wire(site, reactor)
            assert [answer.body for answer in wire.send(*segments).answers()] == expected
            wire.close()
