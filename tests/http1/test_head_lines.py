"""Request heads: the tables of request lines, hosts, lengths and field lines that are refused."""

from __future__ import annotations

import pytest

from tests.http1.heads import LIMITS, request, status
from upgradegw.http1.head import judge_start


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"GET  / HTTP/1.1", 400),
        (b"GET /  HTTP/1.1", 400),
        (b"GET / HTTP/1.1 ", 400),
        (b" GET / HTTP/1.1", 400),
        (b"GET\t/ HTTP/1.1", 400),
        (b"GET / http/1.1", 400),
        (b"GET /", 400),
        (b"GET", 400),
        (b"GET / HTTP/1", 400),
        (b"GET / HTTP/11.1", 400),
        (b"GET / HTTP/1.10", 400),
        (b"GET / RTSP/1.0", 400),
        (b"SOURCE / ICE/1.0", 400),
        (b"GE(T / HTTP/1.1", 400),
        (b"GET /a b HTTP/1.1", 400),
        (b"GET /\x00 HTTP/1.1", 400),
        (b"GET /\x7f HTTP/1.1", 400),
        (b"GET /\xc3\xa5 HTTP/1.1", 400),
        (b"GET /a\rb HTTP/1.1", 400),
        (b"GET /a\nb HTTP/1.1", 400),
        (b"GET /# HTTP/1.1", 400),
        (b"GET x HTTP/1.1", 400),
        (b"GET * HTTP/1.1", 400),
        (b"GET a:80 HTTP/1.1", 400),
        (b"GET ftp://a/ HTTP/1.1", 400),
        (b"GET http:///x HTTP/1.1", 400),
        (b"GET http://u@a/x HTTP/1.1", 400),
        (b"GET http://a:65536/ HTTP/1.1", 400),
        (b"GET / HTTP/0.9", 505),
        (b"GET / HTTP/1.2", 505),
        (b"GET / HTTP/2.0", 505),
        (b"PRI * HTTP/2.0", 505),
        (b"CONNECT a:443 HTTP/1.1", 405),
        (b"CONNECT / HTTP/1.1", 405),
        (b"OPTIONS * HTTP/1.1", 200),
        (b"GET //a/b HTTP/1.1", 200),
    ],
)
def test_request_lines(line: bytes, expected: int) -> None:
    """UP-20, UP-19, A-08: a request line follows its grammar to the byte (RFC 9112 section 3), or is refused."""
    assert status(line, b"Host: a") == expected


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        ((), 400),
        ((b"Host: a", b"Host: a"), 400),
        ((b"Host: a", b"hOST: b"), 400),
        ((b"Host:",), 400),
        ((b"Host: a b",), 400),
        ((b"Host: u@a",), 400),
        ((b"Host: a,b",), 400),
        ((b"Host: a/b",), 400),
        ((b"Host: http://a",), 400),
        ((b"Host: a:x",), 400),
        ((b"Host: a:-1",), 400),
        ((b"Host: a:65536",), 400),
        ((b"Host: [::1",), 400),
        ((b"Host: [::g]",), 400),
        ((b"Host: \xe9",), 400),
        ((b"Host: a",), 200),
        ((b"Host: a:",), 200),
        ((b"Host: a:65535",), 200),
        ((b"Host: 192.0.2.1:80",), 200),
        ((b"Host: [2001:db8::1]:80",), 200),
    ],
)
def test_host(hosts: tuple[bytes, ...], expected: int) -> None:
    """UP-20, WS-02, A-13: HTTP/1.1 needs exactly one valid Host (RFC 9112 section 3.2)."""
    assert status(b"GET / HTTP/1.1", *hosts) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        # Two lengths, or a length and chunks.
        ((b"Content-Length: 5", b"Transfer-Encoding: chunked"), 400),
        ((b"Transfer-Encoding: chunked", b"Content-Length: 5"), 400),
        ((b"Transfer-Encoding: gzip", b"Content-Length: 5"), 400),
        ((b"Content-Length: 5", b"Content-Length: 6"), 400),
        ((b"Content-Length: 5", b"Content-Length: 5"), 400),
        ((b"Content-Length: 5, 5",), 400),
        # Lengths that are none.
        ((b"Content-Length:",), 400),
        ((b"Content-Length: +5",), 400),
        ((b"Content-Length: -5",), 400),
        ((b"Content-Length: 0x5",), 400),
        ((b"Content-Length: 5 5",), 400),
        ((b"Content-Length: 5;",), 400),
        ((b"Content-Length: 1e3",), 400),
        ((b"Content-Length: \xb2",), 400),
        ((b"Content-Length: 99999999999999999999999",), 400),
        # Transfer codings in disguise.
        ((b"Transfer-Encoding: gzip, chunked",), 501),
        ((b"Transfer-Encoding: chunked, chunked",), 501),
        ((b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"), 501),
        ((b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"), 501),
        ((b"Transfer-Encoding: chunked, identity",), 501),
        ((b"Transfer-Encoding: identity",), 501),
        ((b"Transfer-Encoding: xchunked",), 501),
        ((b"Transfer-Encoding: chunkedx",), 501),
        ((b'Transfer-Encoding: "chunked"',), 501),
        ((b"Transfer-Encoding: chunked;q=1",), 501),
        ((b"Transfer-Encoding: chunked,",), 501),
        ((b"Transfer-Encoding: ,chunked",), 501),
        ((b"Transfer-Encoding: \x0bchunked",), 400),
        ((b"Transfer-Encoding: chunked\x00",), 400),
        ((b"Transfer-Encoding:\rchunked",), 400),
        ((b"Transfer-Encoding : chunked",), 400),
        ((b"Transfer-Encoding\t: chunked",), 400),
        ((b" Transfer-Encoding: chunked",), 400),
        ((b"Transfer-Encoding: chunked", b" , gzip"), 400),
        ((b"Transfer-Encoding:", b" chunked"), 400),
        ((b"X: a\nTransfer-Encoding: chunked",), 400),
        ((b"X: a\rTransfer-Encoding: chunked",), 400),
        # What is right.
        ((b"Transfer-Encoding: chunked",), 200),
        ((b"Transfer-Encoding: Chunked ",), 200),
        ((b"Content-Length: 5",), 200),
        ((b"Content-Length: 0005",), 200),
    ],
)
def test_framing(fields: tuple[bytes, ...], expected: int) -> None:
    """A-08, A-04, UP-20: a head that two parsers could frame in two ways is refused (RFC 9112 section 6)."""
    assert request(*fields) == expected


@pytest.mark.parametrize(
    "field",
    [
        b"Name : x",
        b": x",
        b"no colon",
        b" folded: x",
        b"Na me: x",
        b"Na\x00me: x",
        b"Na\x85me: x",
        b"N(: x",
        b"X: a\x00b",
        b"X: a\x01b",
        b"X: a\x0bb",
        b"X: a\x0cb",
        b"X: a\x1cb",
        b"X: a\x1bb",
        b"X: a\x7fb",
        b"X: a\rb",
        b"X: a\nb",
        b"X: a\r\n b",
        b"X: a\r\n\tb",
    ],
)
def test_field_lines(field: bytes) -> None:
    """UP-20, A-08, A-10: spaces before the colon, folding, and control characters are refused."""
    assert request(field) == 400


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b"\x16\x03\x01", 400),  # a TLS ClientHello
        (b" ", 400),
        (b"\n", 400),
        (b"(", 400),
        (b"\r\r", 400),
        (b"GET / HTTP/2.0\r\n", 505),
        (b"PRI * HTTP/2.0\r\n", 505),
        (b"hello\r\n", 400),
        (b"GET / HTTP/1.1\nHost: a\n\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\n\n", 400),
        (b"GET /" + b"a" * 8192, 414),
        (b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\n", 414),
        (b"G" * 16385, 431),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 3000, 431),
        (b"G", None),
        (b"GET", None),
        (b"GET /", None),
        (b"GET / HTTP/1.1\r", None),
        (b"GET / HTTP/1.1\r\nHost", None),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", None),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r", None),
    ],
)
def test_what_cannot_become_a_request(start: bytes, expected: int | None) -> None:
    """A-25, A-28: the start of a head that can become no request is refused at once, not at its deadline."""
    bad = judge_start(start, LIMITS)
    assert (bad and bad.status) == expected
