"""Plain requests through the gateway to an upstream that does what it should not (A-39)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.proxy.gateway_in_memory import OK, Gateway

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(params=["http/1.1", "http/2"])
def gateway(request: pytest.FixtureRequest) -> Any:
    """A gateway, and a client on each version of HTTP."""
    with Gateway(over=request.param) as gateway:
        yield gateway


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 20000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        b"HTTP/1.1 103 Early\r\n\r\n" * 11 + OK,
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"SSH-2.0-OpenSSH_9\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
    ],
)
def test_what_is_no_response(gateway: Gateway, answer: bytes) -> None:
    """A-39: what two readers might understand in two ways, or is too much, is one 502, and ends that connection."""
    pending = gateway.client.start_request("GET", "/")
    upstream = gateway.upstream
    upstream.send(answer)
    assert pending.result().status == 502
    assert gateway.refused[0] == 502
    assert gateway.refused[1] in {"upstream_bad_response", "upstream_bad_switch"}
    assert upstream.closed or upstream.ended
    pending = gateway.client.start_request("GET", "/")
    assert gateway.upstream is not upstream
    gateway.upstream.send(OK)
    assert pending.result().content == b"ok"


def test_early_close(gateway: Gateway) -> None:
    """A-39: an upstream that ends before its head is a 502."""
    pending = gateway.client.start_request("GET", "/")
    gateway.upstream.send(b"HTTP/1.1 200 OK\r\nContent-")
    gateway.upstream.lose()
    assert pending.result().status == 502
    assert gateway.refused == (502, "upstream_closed")


@pytest.mark.parametrize(
    "part",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345",
        CHUNKED + b"5\r\n12345\r\n",
        CHUNKED + b"5\r\n12345\r\n0\r\n",
    ],
)
@pytest.mark.parametrize("end", ["lose", "abort"])
def test_cut(gateway: Gateway, part: bytes, end: str) -> None:
    """A-39: a response that ends too soon does not look complete to the client either."""
    pending = gateway.client.start_request("GET", "/")
    gateway.upstream.send(part)
    getattr(gateway.upstream, end)()
    assert not pending.answered
    assert pending.closed
    assert gateway.refused == (200, "upstream_closed")


def test_a_bad_chunk(gateway: Gateway) -> None:
    """A-39: so it is where the content turns out to be none."""
    pending = gateway.client.start_request("GET", "/")
    gateway.upstream.send(CHUNKED + b"5\r\n12345\r\nnonsense\r\n")
    assert not pending.answered
    assert pending.closed
    assert gateway.refused == (200, "upstream_bad_response")


def test_more_than_a_response(gateway: Gateway) -> None:
    """A-39: bytes behind a response belong to nobody: the connection is not used for another client's request."""
    pending = gateway.client.start_request("GET", "/")
    upstream = gateway.upstream
    upstream.send(OK + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
    assert pending.result().content == b"ok"
    pending = gateway.client.start_request("GET", "/")
    assert gateway.upstream is not upstream
    gateway.upstream.send(OK)
    assert pending.result().content == b"ok"


def test_one_that_sends_unasked(gateway: Gateway) -> None:
    """A-39: neither is one on which something came while nobody had asked."""
    pending = gateway.client.start_request("GET", "/")
    upstream = gateway.upstream
    upstream.send(OK)
    assert pending.result().content == b"ok"
    upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
    pending = gateway.client.start_request("GET", "/")
    assert gateway.upstream is not upstream
    gateway.upstream.send(OK)
    assert pending.result().content == b"ok"


@pytest.mark.parametrize(
    ("begin", "status"),
    [(b"", 504), (b"HTTP/1.1 200 OK\r\nX: ", 504), (b"HTTP/1.1 103 Early\r\n\r\n", 504), (CHUNKED + b"1\r\na", None)],
)
def test_a_slow_upstream(gateway: Gateway, begin: bytes, status: int | None) -> None:
    """A-39: 60 seconds for the head, or between two pieces of the content: 504, or a cut."""
    pending = gateway.client.start_request("GET", "/")
    gateway.upstream.send(begin)
    for _ in range(58):
        gateway.reactor.advance(1)
    assert not pending.answered
    assert not pending.closed
    for _ in range(10):
        gateway.reactor.advance(1)
    assert gateway.refused == (status or 200, "upstream_timeout")
    if status is not None:
        assert pending.result().status == status
    else:
        assert pending.closed


def test_an_answer_before_the_content(gateway: Gateway) -> None:
    """An upstream that answers and closes while content is still to come: the answer passes, if it has come."""
    content = b"x" * 1_000_000
    pending = gateway.client.start_request("POST", "/", content=content[: 1 << 19])
    upstream = gateway.upstream
    upstream.pause()
    upstream.send(b"HTTP/1.1 413 Too Much\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n")
    response = pending.response
    assert response is not None
    assert (response.status, response.content) == (413, b"no\n")


def test_the_connection_is_used_again(gateway: Gateway) -> None:
    """In order, two requests need one connection, and say where they came from by themselves."""
    for number in range(2):
        pending = gateway.client.start_request("GET", f"/{number}")
        heard = gateway.heard(gateway.upstream)
        assert heard.startswith(b"GET /%d HTTP/1.1\r\n" % number)
        gateway.upstream.send(OK)
        assert pending.result().content == b"ok"
    assert len(gateway.reactor.upstreams) == 1
