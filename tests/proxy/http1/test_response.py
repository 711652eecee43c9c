"""The head of a response, read strictly: one reading, or none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upgradegw.proxy.http1.response import CHUNKED, UNTIL_CLOSE, BadResponse, check_start, parse_response


def head(*lines: bytes, status: bytes = b"HTTP/1.1 200 OK") -> bytes:
    """A head of these lines."""
    return b"\r\n".join((status, *lines, b"", b""))


def test_what_a_head_says() -> None:
    """Status, phrase, version, and all fields in order with their names as they were written."""
    found, framing = parse_response(head(b"a: 1", b"B:  2\t ", b"A: 3", b"C:", status=b"HTTP/1.1 404 Not  here"))
    assert (found.status, found.phrase, found.http_version) == (404, b"Not  here", b"HTTP/1.1")
    assert found.fields == ((b"a", b"1"), (b"B", b"2"), (b"A", b"3"), (b"C", b""))
    assert framing == (UNTIL_CLOSE, False, None)


@pytest.mark.parametrize(
    ("line", "status", "phrase"),
    [
        (b"HTTP/1.1 200 OK", 200, b"OK"),
        (b"HTTP/1.1 200 ", 200, b""),
        (b"HTTP/1.1 200", 200, b""),
        (b"HTTP/1.0 999 \xe4\tb", 999, b"\xe4\tb"),
        (b"HTTP/1.1 101 UPGRADED", 101, b"UPGRADED"),
    ],
)
def test_status_lines(line: bytes, status: int, phrase: bytes) -> None:
    """RFC 9112 section 4; codes that nobody has defined pass."""
    found, _ = parse_response(head(status=line))
    assert (found.status, found.phrase, found.http_version) == (status, phrase, line[:8])


@pytest.mark.parametrize(
    "line",
    [
        b"HTTP/1.1  200 OK",
        b"HTTP/1.1 099 OK",
        b"HTTP/1.1 20 OK",
        b"HTTP/1.1 2000 OK",
        b"HTTP/1.1 2x0 OK",
        b"HTTP/1.1 200 O\x00K",
        b"HTTP/1.1 200 O\x0bK",
        b"HTTP/1.1 200\tOK",
        b"HTTP/2.0 200 OK",
        b"HTTP/1.2 200 OK",
        b"http/1.1 200 OK",
        b" HTTP/1.1 200 OK",
        b"ICY 200 OK",
        b"200 OK",
        b"",
    ],
)
def test_no_status_line(line: bytes) -> None:
    """What is no status line is not guessed at."""
    with pytest.raises(BadResponse, match="status line"):
        parse_response(head(status=line))


LENGTHS = [
    ((b"Content-Length: 5",), 5),
    ((b"content-length: 0",), 0),
    ((b"Content-Length: 005",), 5),
    ((b"Transfer-Encoding: chunked",), CHUNKED),
    ((b"transfer-encoding: CHUNKED",), CHUNKED),
    ((), UNTIL_CLOSE),
]


@pytest.mark.parametrize(("lines", "length"), LENGTHS)
def test_lengths(lines: tuple[bytes, ...], length: int) -> None:
    """RFC 9112 section 6.3: chunks, a length, or the connection's end."""
    found, framing = parse_response(head(*lines))
    assert framing.length == length
    assert found.content_length == (length if length >= 0 else None)
    assert framing.keep_alive == (length != UNTIL_CLOSE)


@pytest.mark.parametrize(("lines", "length"), LENGTHS)
@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified", b"103 Early Hints", b"HEAD"])
def test_responses_without_content(lines: tuple[bytes, ...], length: int, status: bytes) -> None:
    """They have none whatever their fields say; what Content-Length says is told all the same."""
    line = b"200 OK" if status == b"HEAD" else status
    found, framing = parse_response(head(*lines, status=b"HTTP/1.1 " + line), head_only=status == b"HEAD")
    assert (framing.length, framing.keep_alive) == (0, True)
    assert found.content_length == (length if length >= 0 else None)


@pytest.mark.parametrize(
    "lines",
    [
        (b"Transfer-Encoding: chunked", b"Content-Length: 5"),
        (b"Content-Length: 5", b"Transfer-Encoding: chunked"),
        (b"Content-Length: 5", b"transfer-encoding: identity"),
        (b"Content-Length: 5", b"Content-Length: 5"),
        (b"Content-Length: 5", b"Content-Length: 6"),
        (b"Content-Length: 5, 5",),
        (b"Content-Length: +5",),
        (b"Content-Length: -5",),
        (b"Content-Length: 5 5",),
        (b"Content-Length: 0x5",),
        (b"Content-Length:",),
        (b"Content-Length: 99999999999999999999",),
        (b"Transfer-Encoding: chunked, chunked",),
        (b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
        (b"Transfer-Encoding: gzip, chunked",),
        (b"Transfer-Encoding: gzip",),
        (b"Transfer-Encoding: identity",),
        (b"Transfer-Encoding: xchunked",),
        (b"Transfer-Encoding: chunked;q=1",),
        (b"Transfer-Encoding: \x0bchunked",),
        (b"Transfer-Encoding:",),
    ],
    ids=lambda lines: b" + ".join(lines).decode("latin-1"),
)
@pytest.mark.parametrize("status", [b"200 OK", b"101 Switching Protocols", b"204 No Content", b"100 Continue"])
def test_two_ends_are_none(lines: tuple[bytes, ...], status: bytes) -> None:
    """A-39: a response that one reader ends here and another there is refused, also where there is no content."""
    with pytest.raises(BadResponse):
        parse_response(head(*lines, status=b"HTTP/1.1 " + status))


def test_chunks_are_not_of_http_1_0() -> None:
    """RFC 9112 section 6.1: the message is faulty."""
    with pytest.raises(BadResponse, match=r"HTTP/1\.0"):
        parse_response(head(b"Transfer-Encoding: chunked", status=b"HTTP/1.0 200 OK"))


CONTROLS = [*range(0x09), *range(0x0A, 0x20), 0x7F]


@pytest.mark.parametrize("control", CONTROLS)
def test_control_characters(control: int) -> None:
    """A-39, response splitting: no control character stands in a value or a name, CR and LF alone least of all."""
    for line in (b"X: a%cb" % control, b"X: %c" % control, b"X%c: a" % control, b"X: a%cSet-Cookie: b" % control):
        with pytest.raises(BadResponse):
            parse_response(head(line))


@pytest.mark.parametrize(
    "line", [b" X: folded", b"\tX: folded", b"X : a", b"X", b": a", b"X@: a", b"X: a\r\n b", b"X Y: a", b"\xff: a"]
)
def test_lines_that_are_no_fields(line: bytes) -> None:
    """RFC 9112 sections 5.1 and 5.2: among them folded ones, which a gateway may refuse with 502."""
    with pytest.raises(BadResponse):
        parse_response(head(b"A: b", line))


@pytest.mark.parametrize(
    ("lines", "keep"),
    [
        ((b"Connection: keep-alive",), True),
        ((b"Connection: close",), False),
        ((b"connection: x, Close ",), False),
        ((b"Connection: x", b"Connection: close"), False),
        ((b"Connection: closed",), True),
        ((b"Proxy-Connection: close",), True),
    ],
)
def test_connection_options(lines: tuple[bytes, ...], keep: bool) -> None:
    """RFC 9112 section 9.3: the connection goes on unless it is said to close."""
    _, framing = parse_response(head(b"Content-Length: 0", *lines))
    assert framing.keep_alive is keep


def test_http_1_0_ends_with_the_response() -> None:
    """With it a connection is used once, whatever it says of that."""
    for line in (b"X: y", b"Connection: keep-alive"):
        _, framing = parse_response(head(b"Content-Length: 0", line, status=b"HTTP/1.0 200 OK"))
        assert framing.keep_alive is False


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"timeout=5", 5),
        (b"timeout=5, max=100", 5),
        (b"max=100, Timeout=7", 7),
        (b"max=100;timeout=7", 7),
        (b"max=100", None),
        (b"xtimeout=5", None),
        (b"timeout=", None),
        (b"timeout=x", None),
        (b"timeout=0", 0),
    ],
)
def test_how_long_it_keeps_an_idle_connection(value: bytes, seconds: int | None) -> None:
    """Keep-Alive is read where it is understood."""
    _, framing = parse_response(head(b"Content-Length: 0", b"Keep-Alive: " + value))
    assert framing.idle == seconds


@given(st.binary(max_size=60))
def test_any_bytes_are_a_head_or_none(data: bytes) -> None:
    """Nothing but ``BadResponse`` comes of bytes that nobody foresaw; a value that passes holds no line end."""
    try:
        found, _ = parse_response(head(b"X: " + data))
    except BadResponse:
        return
    assert all(b"\r" not in value and b"\n" not in value and b"\0" not in value for _, value in found.fields)


@pytest.mark.parametrize("data", [b"H", b"HTTP/1.", b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK\r", b"HTTP/1.1 200 OK\r\nX"])
def test_a_start_that_may_become_a_head(data: bytes) -> None:
    """It is waited for."""
    check_start(data)


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n",
        b"X",
        b"h",
        b"SSH-2.0-x",
        b"\x15\x03\x01",
        b"HTTP/2",
        b"HTTP/1.1 200 OK\n",
        b"HTTP/1.1 2000\r\n",
        b"HTTP/1.1 200 \x00",
        b"HTTP/1.1 200 O\rK",
    ],
)
def test_a_start_that_cannot_become_a_head(data: bytes) -> None:
    """It is refused at once, instead of being waited for until the time is over."""
    with pytest.raises(BadResponse):
        check_start(data)
