"""Plain requests through the gateway, on every transport that a client may come by."""

from __future__ import annotations

from typing import Any

import pytest

from tests.proxy.recorded import RecordedUpstream, values_of
from upgradegw.http.subtrees import limit
from upgradegw.negotiation.reasons import Reason
from upgradegw.proxy.exchange import UpstreamError
from upgradegw.proxy.resource import ProxyResource
from upgradegw.testing import Client
from upgradegw.testing.client import TRANSPORTS
from upgradegw.testing.responses import Unanswered

UNREACHABLE = UpstreamError(Reason.UPSTREAM_UNREACHABLE, 502, "connection refused")
CLOSED = UpstreamError(Reason.UPSTREAM_CLOSED, 502, "closed after 5 of 10 bytes")


@pytest.fixture(params=TRANSPORTS)
def over(request: pytest.FixtureRequest) -> Any:
    """Each transport."""
    return request.param


@pytest.fixture
def upstream() -> RecordedUpstream:
    """The upstream."""
    return RecordedUpstream()


@pytest.fixture
def client(upstream: RecordedUpstream, over: Any) -> Any:
    """A client of a gateway before the upstream."""
    with Client(limit(ProxyResource(upstream), max_content=None), over) as client:
        yield client


def test_get(client: Client, upstream: RecordedUpstream) -> None:
    """A request goes to the upstream with its target, host and fields, and the answer comes back with its own."""
    pending = client.start_request("GET", "/a/b?c=d", [("Accept", "text/plain"), ("X-A", "1"), ("X-A", "2")])
    request = upstream.only.request
    assert (request.method, request.target, request.authority) == (b"GET", b"/a/b?c=d", b"server.example")
    assert (request.content_length, request.tokens, request.idempotent) == (0, (), True)
    assert values_of(request, b"x-a") == [b"1", b"2"]
    assert values_of(request, b"x-forwarded-for") == [b"192.0.2.7"]
    assert not upstream.only.finished
    upstream.only.answer(
        203, (b"Server", b"theirs"), (b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2"), content=b"hello"
    )
    response = pending.result()
    assert (response.status, response.content) == (203, b"hello")
    assert response.get_all("server") == [b"theirs"]
    assert response.get_all("set-cookie") == [b"a=1", b"b=2"]
    assert response.get_all("content-length") == [b"5"]
    assert response.get_all("content-type") == []
    assert len(response.get_all("date")) == 1


def test_a_response_of_unknown_length(client: Client, upstream: RecordedUpstream) -> None:
    """What comes without a length passes piece by piece, the head at once."""
    pending = client.start_request("GET")
    exchange = upstream.only.head(200, (b"Transfer-Encoding", b"chunked"), (b"Date", b"Sun, 06 Nov 1994 08:49:37 GMT"))
    response = pending.response
    assert response is not None
    assert response.get_all("date") == [b"Sun, 06 Nov 1994 08:49:37 GMT"]
    assert not pending.answered
    for number, piece in enumerate([b"a", b"bc", b"def"]):
        exchange.data(piece)
        response = pending.response
        assert response is not None
        assert response.content == b"abcdef"[: (1, 3, 6)[number]]
    exchange.end()
    assert pending.result().content == b"abcdef"


def test_content(client: Client, upstream: RecordedUpstream) -> None:
    """A request's content goes to the upstream, in full, and its end is told."""
    content = bytes(range(256)) * 1000
    pending = client.start_request("POST", "/", [("Content-Type", "a/b")], content)
    exchange = upstream.only
    assert exchange.request.content_length == len(content) or exchange.request.content_length is None
    assert not exchange.request.idempotent
    assert exchange.content == content
    assert exchange.finished
    exchange.answer(201)
    assert pending.result().status == 201
    assert client.start_request("GET").response is None
    upstream.last.answer(content=b"again")


def test_head(client: Client, upstream: RecordedUpstream) -> None:
    """The answer to HEAD keeps the length that it speaks of, and has no content."""
    pending = client.start_request("HEAD")
    upstream.only.head(200, (b"Content-Length", b"1000")).end()
    response = pending.result()
    assert (response.get("content-length"), response.content) == (b"1000", b"")


@pytest.mark.parametrize(("status", "length"), [(204, None), (304, b"1000")])
def test_statuses_without_content(client: Client, upstream: RecordedUpstream, status: int, length: Any) -> None:
    """204 has no length (RFC 9110 section 8.6), 304 may speak of one (section 15.4.5); neither has content."""
    pending = client.start_request("GET")
    upstream.only.head(status, (b"Content-Length", length or b"0")).end()
    response = pending.result()
    assert (response.status, response.get("content-length"), response.content) == (status, length, b"")
    pending = client.start_request("GET")
    upstream.last.answer(content=b"next")
    assert pending.result().content == b"next"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UNREACHABLE, 502),
        (CLOSED, 502),
        (UpstreamError(Reason.UPSTREAM_TIMEOUT, 504, "no head"), 504),
        (UpstreamError(Reason.NO_UPSTREAM, 503, "all down", retry_after=7), 503),
    ],
)
def test_no_response(client: Client, upstream: RecordedUpstream, error: UpstreamError, status: int) -> None:
    """Where there is no response, the client reads a short page that tells nothing of what is behind the gateway."""
    pending = client.start_request("GET")
    upstream.only.fail(error)
    response = pending.result()
    assert response.status == status
    assert response.content.count(b"\n") == 1
    assert error.detail.encode() not in response.content
    assert response.get("retry-after") == (b"7" if status == 503 else None)
    assert response.get("cache-control") == b"no-store"


@pytest.mark.parametrize("framing", [(b"Content-Length", b"10"), (b"Transfer-Encoding", b"chunked")])
def test_a_cut_response_looks_cut(client: Client, upstream: RecordedUpstream, framing: tuple[bytes, bytes]) -> None:
    """A-39: a response that the upstream breaks off never looks complete."""
    pending = client.start_request("GET")
    upstream.only.head(200, framing).data(b"12345").fail(CLOSED)
    assert not pending.answered
    assert pending.closed
    with pytest.raises(Unanswered):
        pending.result()


def test_the_client_leaves(client: Client, upstream: RecordedUpstream) -> None:
    """A client that leaves before the answer, or within it, cancels the request to the upstream."""
    client.start_request("GET").abort()
    assert upstream.last.cancelled
    pending = client.start_request("GET")
    upstream.last.head().data(b"some")
    assert pending.response
    pending.abort()
    assert upstream.last.cancelled


def test_early_hints(client: Client, upstream: RecordedUpstream) -> None:
    """Interim responses pass (RFC 9110 section 15.2), without what speaks of the connection; 100 does not."""
    pending = client.start_request("GET")
    upstream.only.head(103, (b"Link", b"</a.css>; rel=preload"), (b"Connection", b"x"), (b"X", b"y"))
    upstream.only.head(100)
    upstream.only.answer(content=b"page")
    response = pending.result()
    (hints,) = pending.interim
    assert (hints.status, hints.get_all("link")) == (103, [b"</a.css>; rel=preload"])
    assert hints.get("x") is None
    assert (response.status, response.content) == (200, b"page")


def test_a_slow_client(client: Client, upstream: RecordedUpstream) -> None:
    """A client that does not read pauses the upstream, and lets it go on when it reads again; nothing is lost."""
    pending = client.start_request("GET")
    (connection,) = client.connections
    connection.pause()
    exchange = upstream.only.head(200, (b"Transfer-Encoding", b"chunked"))
    sent = 0
    while not exchange.paused:
        exchange.data(b"x" * 65536)
        sent += 65536
        connection.turn()
        assert sent < 4 << 20
    connection.resume()
    assert not exchange.paused
    exchange.end()
    assert len(pending.result().content) == sent


def test_max_forwards(client: Client, upstream: RecordedUpstream) -> None:
    """RFC 9110 section 7.6.2: OPTIONS goes as far as Max-Forwards says, and each gateway counts."""
    client.start_request("OPTIONS", "/", [("Max-Forwards", "5")])
    assert values_of(upstream.last.request, b"max-forwards") == [b"4"]
    assert client.request("OPTIONS", "/", [("Max-Forwards", "0")]).status == 200
    assert len(upstream.exchanges) == 1


def test_trace(client: Client, upstream: RecordedUpstream) -> None:
    """TRACE would show a client what proxies have added, so it ends here."""
    response = client.request("TRACE")
    assert response.status == 405
    assert response.get("allow")
    assert not upstream.exchanges
