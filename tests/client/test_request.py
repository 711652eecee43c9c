"""The request: what is sent, and what cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.testing import StringTransport

from tests.client.support import Asked
from upgradegw import UpgradeClientEndpoint
from upgradegw.client.endpoint import address_host

LINES = b"GET /talk HTTP/1.1\r\nHost: 192.0.2.1:8080\r\nConnection: Upgrade\r\nUpgrade: feed/2\r\n"


def test_the_request() -> None:
    """CL-01, CL-07: one request with Upgrade and the connection option beside it, and nothing behind it."""
    assert Asked().request == LINES + b"\r\n"


def test_the_callers_part_of_the_request() -> None:
    """Path, fields, host, method and content are the caller's; content has its length."""
    asked = Asked(
        None, "/a%20b?c=d", "x", [("Authorization", b"Bearer tea")], host="app.example", method="POST", content=b"hi"
    )
    assert asked.request == (
        b"POST /a%20b?c=d HTTP/1.1\r\nHost: app.example\r\nConnection: Upgrade\r\nUpgrade: x\r\n"
        b"Authorization: Bearer tea\r\nContent-Length: 2\r\n\r\nhi"
    )


def test_a_post_without_content_says_so() -> None:
    """A POST has a length even if it is zero (RFC 9110 section 8.6)."""
    assert b"Content-Length: 0\r\n" in Asked(None, "/", "x", method="POST").request


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"path": "talk"}, "must begin with '/'"),
        ({"path": "/a b"}, "percent-encoded"),
        ({"path": "/\r\nX: y"}, "percent-encoded"),
        ({"path": "/é"}, "percent-encoded"),
        ({"token": "feed 2"}, "no upgrade token"),
        ({"token": "h2c"}, "version of HTTP"),
        ({"token": "WebSocket"}, "a WebSocket client"),
        ({"fields": [("X", "a\r\nY: b")]}, "control characters"),
        ({"fields": [("X", "a\0")]}, "control characters"),
        ({"fields": [("X Y", "a")]}, "no field name"),
        ({"fields": [("host", "a")]}, "host="),
        ({"fields": [("Upgrade", "other")]}, "not the caller's"),
        ({"fields": [("CONNECTION", "close")]}, "not the caller's"),
        ({"fields": [("Transfer-Encoding", "chunked")]}, "not the caller's"),
        ({"fields": [("content-length", "3")]}, "not the caller's"),
        ({"method": "CONNECT"}, "other than CONNECT"),
        ({"method": "GET /x"}, "HTTP method"),
        ({"host": "a b"}, "must be a name"),
        ({"host": "user@a"}, "must be a name"),
        ({"host": ""}, "must be a name"),
        ({"timeout": -1}, "above 0"),
        ({"max_head": "1K"}, "a number of bytes"),
        ({"max_body": -1}, "a number of bytes"),
    ],
)
def test_what_cannot_stand_in_a_request_is_refused_at_once(arguments: Any, words: str) -> None:
    """CL-01: a ValueError when the endpoint is made says what to write; nothing is connected."""
    given = {"path": "/", "token": "feed", **arguments}
    with pytest.raises(ValueError, match=words):
        UpgradeClientEndpoint(None, **given)


def test_content_is_bytes() -> None:
    """CL-01: content of another type is a TypeError when the endpoint is made, not a connection that nobody closes."""
    with pytest.raises(TypeError, match="content is bytes, not str"):
        UpgradeClientEndpoint(None, "/", "feed", content="tea")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("peer", "host"),
    [
        (IPv4Address("TCP", "192.0.2.1", 80), b"192.0.2.1"),
        (IPv4Address("TCP", "192.0.2.1", 8080), b"192.0.2.1:8080"),
        (IPv6Address("TCP", "fe80::1%eth0", 443), b"[fe80::1]:443"),
        (UNIXAddress("/run/x"), b"localhost"),
    ],
)
def test_host_without_a_name(peer: Any, host: bytes) -> None:
    """Where no host is named, Host is the address that was connected to, without the port that is usual."""
    assert address_host(StringTransport(peerAddress=peer)) == host
