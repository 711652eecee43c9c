"""Responses: how they are written, when they are finished, and what comes before them."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http import Request as PlainRequest
from twisted.web.resource import Resource

from tests.http1.wire import (
    Later,
    Rendered,
    Wire,
    connect,
    get,
    make_site,
    parse_answers,
    post,
)


class Responses(SynchronousTestCase):
    """From requests to bytes."""

    def test_content_of_unknown_length_is_chunked(self) -> None:
        """RFC 9112 section 7.1: without Content-Length the response is chunked, and the connection stays."""
        root = Later()
        wire = connect(root).send(get())
        (request,) = root.requests
        request.write(b"one")
        wire.turn()
        assert wire.received.endswith(b"3\r\none\r\n")
        request.write(b"two")
        request.finish()
        (answer,) = wire.answers()
        assert answer.body == b"onetwo"
        assert wire.send(get()).open

    def test_http_1_0_ends_with_the_connection(self) -> None:
        """RFC 9112 section 9.3: HTTP/1.0 gets no chunks, and the connection closes behind the answer."""
        root = Later()
        wire = connect(root).send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        root.requests[0].write(b"all")
        root.requests[0].finish()
        (answer,) = wire.answers()
        assert (answer.version, answer.body) == ("HTTP/1.0", b"all")
        assert answer.get(b"transfer-encoding") is None
        assert (wire.eof, wire.open) == (True, False)

    def test_head_has_no_content(self) -> None:
        """RFC 9110 section 9.3.2: HEAD is answered with the fields alone, and the next request is found."""

        class Page(Resource):
            isLeaf = True

            def render_GET(self, _request: Any) -> bytes:
                return b"page"

        wire = connect(Page())
        (answer,) = parse_answers(wire.send(get(method=b"HEAD")).take(), heads_only=True)
        assert (answer.status, answer.get(b"content-length")) == (200, b"4")
        assert wire.send(get()).answers()[0].body == b"page"

    def test_no_content_for_204_and_304(self) -> None:
        """RFC 9110 section 15: 204 and 304 have no content, whatever the resource writes."""

        def render(request: Any) -> bytes:
            request.setResponseCode(int(request.path[1:]))
            return b"not sent"

        wire = connect(Rendered(render))
        answers = wire.send(get(b"/204") + get(b"/304") + get(b"/200")).answers()
        assert [(a.status, a.body) for a in answers] == [(204, b""), (304, b""), (200, b"not sent")]

    def test_one_write_per_response(self) -> None:
        """Head and content leave together, in one segment."""
        wire = connect()
        wire.transport.doWrite = None  # type: ignore[assignment] # nothing may be left for the reactor
        sent: list[bytes] = []
        wire.protocol._socket = type("Recorder", (), {"send": lambda _self, data: sent.append(data) or len(data)})()
        wire.protocol.dataReceived(get())
        assert [answer.body for answer in parse_answers(b"".join(sent))] == [b"GET / "]
        assert len(sent) == 1

    def test_a_head_without_content_leaves_at_once(self) -> None:
        """A resource that writes its head and waits is not kept waiting for content."""
        root = Rendered(lambda request: request.write(b"") or 1)
        wire = connect(root).send(get())
        assert wire.take().endswith(b"\r\n\r\n")

    def test_reason_phrases_stay_on_their_line(self) -> None:
        """A-35: a reason phrase with line ends cannot add fields."""

        def render(request: Any) -> bytes:
            request.setResponseCode(200, b"fine\r\nX-Injected: 1")
            return b""

        (answer,) = connect(Rendered(render)).send(get()).answers()
        assert answer.get(b"x-injected") is None

    def test_fields_as_pairs(self) -> None:
        """``writeHeaders`` takes pairs of name and value, as that of HTTPChannel does, and cleans them."""

        class Direct(PlainRequest):
            def process(self) -> None:
                self.startedWriting = 1
                self.channel.writeHeaders(b"HTTP/1.1", b"200", b"OK", [(b"content-length", b"0"), (b"x", b"a\r\nb")])
                self.finish()

        site, reactor = make_site(requestFactory=Direct)
        (answer,) = Wire(site, reactor).send(get()).answers()
        assert answer.fields == [(b"Content-Length", b"0"), (b"X", b"a b")]


class Notification(SynchronousTestCase):
    """``notifyFinish``."""

    def test_finished(self) -> None:
        """It fires with None when the response is complete."""
        root = Later()
        connect(root).send(get())
        done: Deferred[None] = root.requests[0].notifyFinish()
        root.requests[0].finish()
        assert self.successResultOf(done) is None

    def test_the_client_leaves(self) -> None:
        """It fails when the connection is lost, and the content is closed."""
        root = Later()
        wire = connect(root).send(post(b"abc"))
        (request,) = root.requests
        done: Deferred[None] = request.notifyFinish()
        wire.transport.connectionLost(self.failure())
        self.failureResultOf(done)
        assert request.content.closed
        with pytest.raises(RuntimeError):
            request.finish()

    @staticmethod
    def failure() -> Any:
        from twisted.internet.error import ConnectionLost
        from twisted.python.failure import Failure

        return Failure(ConnectionLost())


class Continue(SynchronousTestCase):
    """``Expect: 100-continue``."""

    EXPECT = b"Expect: 100-continue"

    def test_content_is_asked_for(self) -> None:
        """RFC 9110 section 10.1.1: a 100 when the content is wanted, then the answer."""
        wire = connect().send(get(b"/", b"Content-Length: 3", self.EXPECT, method=b"PUT"))
        assert wire.take() == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert wire.send(b"abc").answers()[0].body == b"PUT / abc"

    def test_not_when_refused(self) -> None:
        """A-27: content that is too large is refused without a 100."""
        wire = connect(max_content=2).send(get(b"/", b"Content-Length: 3", self.EXPECT, method=b"PUT"))
        assert [answer.status for answer in wire.answers()] == [413]

    def test_not_when_it_is_there(self) -> None:
        """A client that sends its content at once needs no 100."""
        wire = connect().send(post(b"abc", b"/", self.EXPECT))
        assert [answer.status for answer in wire.answers()] == [200]

    def test_not_in_http_1_0(self) -> None:
        """RFC 9110 section 10.1.1: an expectation in HTTP/1.0 is ignored."""
        wire = connect().send(b"PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert wire.take() == b""

    def test_before_a_switch(self) -> None:
        """UP-10: a client that offers an upgrade and expects a 100 gets it before the answer."""
        wire = connect().send(get(b"/", b"Upgrade: x", b"Connection: upgrade", self.EXPECT))
        assert [answer.status for answer in wire.answers()] == [100, 200]

    def test_without_content_or_offer(self) -> None:
        """Where there is no content, there is nothing to continue with."""
        assert [a.status for a in connect().send(get(b"/", self.EXPECT)).answers()] == [200]
