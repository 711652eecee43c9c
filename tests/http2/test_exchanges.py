"""Requests and their responses on streams."""

from __future__ import annotations

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.http1.wire import Later, Rendered
from tests.http2.client import (
    END,
    END_HEADERS,
    Client,
    data,
    fields,
    frame,
)
from upgradegw.http2.frames import Kind


class Exchanges(SynchronousTestCase):
    """Requests and their responses."""

    def test_request(self) -> None:
        """A resource sees what it sees on HTTP/1.1, with the version told; Host is made from :authority (H2-04)."""
        seen = []

        def render(request):
            host, cookies = request.getRequestHostname(), request.received_cookies
            seen.append((request.clientproto, request.uri, host, cookies, request.getHeader(b"x-a"), request.args))
            return b"here"

        client = Client(Rendered(render))
        more = ((b"cookie", b"a=1"), (b"x-a", b"b"), (b"cookie", b"c=2"))
        client.send(client.head(1, fields(b"GET", b"/a?b=c", *more)))
        assert seen == [(b"HTTP/2", b"/a?b=c", b"a.example", {b"a": b"1", b"c": b"2"}, b"b", {b"b": [b"c"]})]
        assert client[1].body == b"here"

    def test_response_fields(self) -> None:
        """H2-06: names are in lower case, and nothing that speaks of a connection is sent."""

        def render(request):
            for name in (b"Connection", b"Keep-Alive", b"Upgrade", b"Transfer-Encoding", b"Proxy-Connection"):
                request.setHeader(name, b"x")
            request.responseHeaders.setRawHeaders(b"X-Two", [b"1", b"2"])
            return b"here"

        client = Client(Rendered(render))
        client.send(client.head(1))
        names = [name for name, _ in client[1].heads[0]]
        assert names[0] == b":status"
        assert names.count(b"x-two") == 2
        assert {name.lower() for name in names} == set(names)
        assert set(names) == {b":status", b"server", b"date", b"x-two", b"content-length", b"content-type"}

    def test_one_write(self) -> None:
        """What a turn of the reactor has to send leaves in one write, and a body's end is in its last frame."""
        client = Client()
        writes = []
        write = client.wire.transport.write
        client.wire.transport.write = lambda data: (writes.append(data), write(data))  # type: ignore[method-assign]
        client.frames.clear()
        client.send(b"".join(client.head(number) for number in range(1, 41, 2)))
        assert len(writes) == 1
        assert client.kinds() == [Kind.HEADERS, Kind.DATA] * 20
        assert all(client[number].ended for number in range(1, 41, 2))

    def test_one_write_later(self) -> None:
        """The same holds for answers that resources give when they like."""
        root = Later()
        client = Client(root)
        client.send(*(client.head(number) for number in range(1, 21, 2)))
        writes = []
        write = client.wire.transport.write
        client.wire.transport.write = lambda data: (writes.append(data), write(data))  # type: ignore[method-assign]
        for request in root.requests:
            request.write(b"a")
            request.write(b"b")
            request.finish()
        client.turn()
        assert len(writes) == 1
        assert all(client[number].body == b"ab" for number in range(1, 21, 2))

    def test_without_content(self) -> None:
        """HEAD, 204 and 304 have no DATA: their HEADERS end the stream."""
        client = Client(Rendered(lambda request: request.setResponseCode(int(request.uri[1:])) or b""))
        client.send(
            client.head(1, fields(b"HEAD", b"/200")),
            client.head(3, fields(b"GET", b"/204")),
            client.head(5, fields(b"GET", b"/304")),
        )
        for number in (1, 3, 5):
            assert client[number].ended
            assert client[number].sizes == []

    def test_continue(self) -> None:
        """RFC 9110 section 10.1.1: a client that waits for it gets a 100 before it sends content."""
        client = Client()
        client.send(client.head(1, fields(b"PUT", b"/", (b"expect", b"100-continue")), end=False))
        assert client[1].heads == [[(b":status", b"100")]]
        client.send(data(1, b"abc", end=True))
        assert client[1].status == 200
        assert client[1].body == b"PUT / abc"

    def test_trailers(self) -> None:
        """Trailers end a request, and are dropped."""
        client = Client()
        client.send(client.head(1, fields(b"POST"), end=False) + data(1, b"abc"))
        client.send(frame(Kind.HEADERS, client.encoder.encode([(b"x-check", b"1")]), END_HEADERS | END, 1))
        assert client[1].body == b"POST / abc"

    def test_options_for_the_server(self) -> None:
        """``OPTIONS *`` is answered for the server."""
        client = Client()
        client.send(client.head(1, fields(b"OPTIONS", b"*")))
        assert client[1].status == 200

    def test_an_exception(self) -> None:
        """A-45: a resource that raises costs its own stream a 500; the next is served."""
        client = Client(Rendered(lambda request: 1 / (request.uri == b"/good") and b"good"))
        client.send(client.head(1), client.head(3, fields(path=b"/good")))
        assert client[1].status == 500
        assert client[3].body == b"good"
        assert len(self.flushLoggedErrors(ZeroDivisionError)) == 1

    def test_given_up(self) -> None:
        """A response that a resource gives up is not made to look complete."""
        root = Later()
        client = Client(root)
        client.send(client.head(1))
        request = root.requests[0]
        left = []
        request.notifyFinish().addErrback(left.append)
        request.write(b"half")
        client.turn()
        request.loseConnection()
        client.turn()
        assert client[1].body == b"half"
        assert not client[1].ended
        assert client[1].code == 2
        assert len(left) == 1


@pytest.mark.parametrize("what", ["head", "data"])
def test_padding(what: str) -> None:
    """RFC 9113 section 6.1: padding is no content, and counts for flow control."""
    client = Client()
    block = client.encoder.encode(fields(b"POST"))
    if what == "head":
        client.send(frame(Kind.HEADERS, b"\x05" + block + b"\0" * 5, END_HEADERS | 0x8, 1) + data(1, b"abc", end=True))
    else:
        client.send(frame(Kind.HEADERS, block, END_HEADERS, 1) + frame(Kind.DATA, b"\x05abc" + b"\0" * 5, 0x9, 1))
    assert client[1].body == b"POST / abc"
