"""What of a request goes to an upstream over HTTP/2."""

from __future__ import annotations

import pytest

from tests.proxy.upstream_in_memory import request
from upgradegw.proxy.http2_request import request_fields


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"Connection", b"close"),
        (b"Keep-Alive", b"5"),
        (b"Transfer-Encoding", b"chunked"),
        (b"Upgrade", b"h2c"),
        (b"Host", b"b.example"),
        (b"Content-Length", b"7"),
        (b"TE", b"gzip"),
    ],
)
def test_what_http2_does_not_have_stays_here(name: bytes, value: bytes) -> None:
    """Fields of a connection never go out on a stream (RFC 9113 section 8.2.2)."""
    assert name.lower() not in dict(request_fields(request(fields=((name, value), (b"a", b"b"))), b"http"))


def test_te_trailers_may_go() -> None:
    """``TE: trailers`` is the one value that HTTP/2 has."""
    assert (b"te", b"trailers") in request_fields(request(fields=((b"TE", b"trailers"),)), b"http")


def test_a_switch_is_an_extended_connect() -> None:
    """A token becomes ``:protocol`` of a CONNECT without length and key (RFC 8441 section 5)."""
    fields = ((b"Sec-WebSocket-Key", b"abc"), (b"Sec-WebSocket-Version", b"13"))
    assert request_fields(request(tokens=(b"websocket", b"echo"), fields=fields), b"http") == (
        (b":method", b"CONNECT"),
        (b":protocol", b"websocket"),
        (b":scheme", b"http"),
        (b":authority", b"a.example"),
        (b":path", b"/"),
        (b"sec-websocket-version", b"13"),
    )


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"PATCH"])
def test_no_content_is_said(method: bytes) -> None:
    """A method that expects content says that there is none (RFC 9110 section 8.6)."""
    assert (b"content-length", b"0") in request_fields(request(method=method), b"http")
