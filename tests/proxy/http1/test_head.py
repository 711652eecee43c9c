"""The head of a request to an upstream, byte for byte."""

from __future__ import annotations

import pytest

from tests.proxy.upstream_in_memory import request
from upgradegw.proxy.exchange import UpstreamRequest
from upgradegw.proxy.http1.head import request_head


def head(asked: UpstreamRequest, *, keep: bool = True) -> list[bytes]:
    """The lines behind the request line and Host."""
    lines = request_head(asked, asked.target, b"a.example", keep=keep)
    assert lines.endswith(b"\r\n\r\n")
    first, host, *rest = lines[:-4].split(b"\r\n")
    assert first == asked.method + b" " + asked.target + b" HTTP/1.1"
    assert host == b"Host: a.example"
    return rest


def test_fields_stay_as_they_are_and_in_order() -> None:
    """Repeated fields stay separate (UP-17 is the route's affair)."""
    fields = ((b"X-B", b"1"), (b"x-a", b"2"), (b"X-B", b"3"), (b"Empty", b""))
    assert head(request(fields=fields)) == [b"X-B: 1", b"x-a: 2", b"X-B: 3", b"Empty: "]


@pytest.mark.parametrize(
    ("method", "length", "expected"),
    [
        (b"GET", 0, []),
        (b"DELETE", 0, []),
        (b"POST", 0, [b"Content-Length: 0"]),
        (b"PUT", 0, [b"Content-Length: 0"]),
        (b"PATCH", 0, [b"Content-Length: 0"]),
        (b"GET", 5, [b"Content-Length: 5"]),
        (b"POST", None, [b"Transfer-Encoding: chunked"]),
        (b"GET", None, [b"Transfer-Encoding: chunked"]),
    ],
)
def test_framing(method: bytes, length: int | None, expected: list[bytes]) -> None:
    """RFC 9110 section 8.6: what expects content says that there is none; what has some says how much, or chunks it."""
    assert head(request(method, content_length=length)) == expected


def test_tokens_are_offered_in_order() -> None:
    """One Upgrade field with all of them, and the connection option that belongs to it."""
    offered = head(request(tokens=(b"websocket", b"TLS/1.3")), keep=False)
    assert offered == [b"Connection: Upgrade", b"Upgrade: websocket, TLS/1.3"]


def test_a_connection_that_is_not_kept_says_so() -> None:
    """The upstream need not wait for another request (RFC 9112 section 9.6)."""
    assert head(request(), keep=False) == [b"Connection: close"]


@pytest.mark.parametrize("wrong", [b"a\r\nb", b"a\nb", b"a\rb", b"\r\n\r\nGET / HTTP/1.1"])
@pytest.mark.parametrize("place", ["method", "target", "field name", "field value", "authority", "token"])
def test_no_line_is_smuggled(place: str, wrong: bytes) -> None:
    """A line end within a line would be another line to the upstream, or another request."""
    asked = {
        "method": request(wrong),
        "target": request(target=wrong),
        "field name": request(fields=((wrong, b"x"),)),
        "field value": request(fields=((b"X", wrong),)),
        "authority": request(),
        "token": request(tokens=(wrong,)),
    }[place]
    with pytest.raises(ValueError, match="line end"):
        request_head(asked, asked.target, wrong if place == "authority" else b"a.example")
