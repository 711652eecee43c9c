"""The one validator of requests: what HTTP/2 can say and HTTP/1.1 cannot, or says otherwise, is malformed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.http2.client import connect_fields, fields
from upgradegw.http.limits import Limits
from upgradegw.http1.head import Head, parse_head
from upgradegw.http2.validation import Http2Head, Malformed, validate_request, validate_trailers


def judge(*block: tuple[bytes, bytes], extended: bool = True) -> Http2Head | Malformed:
    """Judge a block."""
    return validate_request(block, extended_connect=extended)


def good(*more: tuple[bytes, bytes]) -> Http2Head:
    """Judge a GET with more fields, which must be valid."""
    head = judge(*fields(b"GET", b"/", *more))
    assert isinstance(head, Http2Head), head
    return head


def bad(*block: tuple[bytes, bytes], extended: bool = True) -> bool:
    """Tell whether a block is malformed."""
    return isinstance(judge(*block, extended=extended), Malformed)


def test_a_request() -> None:
    """A head has its parts, and fields as HTTP/1.1 would have brought them, Host first."""
    head = good((b"accept", b"*/*"), (b"content-length", b"5"), (b"priority", b"u=1, i"))
    assert (head.method, head.target, head.scheme, head.host) == (b"GET", b"/", b"http", b"a.example")
    assert head.fields[0] == (b"host", b"a.example")
    assert head.by_name == {
        b"Host": [b"a.example"],
        b"Accept": [b"*/*"],
        b"Content-Length": [b"5"],
        b"Priority": [b"u=1, i"],
    }
    assert (head.content_length, head.expects_continue, head.urgency, head.protocol) == (5, False, 1, None)


@pytest.mark.parametrize(
    "name",
    [b"", b"Upper", b"two words", b"co:lon", b"nul\0", b"cr\r", b"lf\n", b"del\x7f", b"\xc3\xa9", b"tab\t", b"a\x80"],
)
def test_names(name: bytes) -> None:
    """H2-03: a name is a token in lower case."""
    assert bad(*fields(b"GET", b"/", (name, b"x")))
    assert validate_trailers([(name, b"x")]) is not None


@pytest.mark.parametrize(
    "value", [b"a\0", b"a\rb", b"a\nb", b" a", b"a ", b"\ta", b"a\t", b"\x0b", b"a\x1cb", b"a\x7f"]
)
def test_values(value: bytes) -> None:
    """H2-03, A-10: a value has no control characters and no white space at its ends; in pseudo-fields, too."""
    assert bad(*fields(b"GET", b"/", (b"x-a", value)))
    assert validate_trailers([(b"x-a", value)]) is not None
    for name in (b":method", b":scheme", b":path", b":authority"):
        assert bad(*(pair if pair[0] != name else (name, pair[1] + value) for pair in fields()))


def test_values_that_pass() -> None:
    """Tabs and spaces within, empty values, and bytes beyond ASCII are values."""
    head = good((b"x-a", b"a\tb c"), (b"x-b", b""), (b"x-c", b"\xc3\x85"))
    assert head.by_name[b"X-C"] == [b"\xc3\x85"]


@pytest.mark.parametrize("name", [b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"])
def test_connection_specific(name: bytes) -> None:
    """H2-03, A-09: fields that speak of one connection are not used (RFC 9113 section 8.2.2)."""
    assert bad(*fields(b"GET", b"/", (name, b"chunked")))
    assert validate_trailers([(name, b"x")]) is not None


def test_te() -> None:
    """H2-03: TE says trailers or nothing."""
    assert good((b"te", b"trailers"))
    assert bad(*fields(b"GET", b"/", (b"te", b"trailers, deflate")))


def test_pseudo_fields() -> None:
    """H2-03: each pseudo-field is there once, is known, and stands before the others."""
    block = fields()
    for at, pair in enumerate(block):
        assert bad(*block, pair)
        missing = block[:at] + block[at + 1 :]
        assert bad(*missing), pair
        assert bad(*missing, (b"x-a", b"b"), pair)
    assert bad(*block, (b":status", b"200"))
    assert bad(*block, (b":", b""))
    assert validate_trailers(block[:1]) is not None
    assert validate_trailers([(b"x-check", b"1")]) is None


@pytest.mark.parametrize("method", [b"", b"GE T", b"GET\t", b"G:T", b"G\xc3"])
def test_methods(method: bytes) -> None:
    """H2-03, A-09: a method is a token."""
    assert bad(*fields(method))


@pytest.mark.parametrize(
    "path", [b"", b"x", b"http://evil/", b"/a b", b"/a#b", b"/\x7f", b"/\xc3", b"*", b"?a", b"/a\tb"]
)
def test_paths(path: bytes) -> None:
    """H2-03, A-09: a path is one that could stand in a request line; ``*`` is for OPTIONS alone."""
    assert bad(*fields(b"GET", path))
    assert not bad(*fields(b"OPTIONS", b"*"))


@pytest.mark.parametrize("scheme", [b"", b"ftp", b"http://x/?", b"https:", b"HTTP "])
def test_schemes(scheme: bytes) -> None:
    """H2-03, A-09: a scheme is http or https."""
    assert bad(*fields(scheme=scheme))
    assert not bad(*fields(scheme=b"HTTPS"))


@pytest.mark.parametrize("authority", [b"", b"u@host", b"a b", b"a,b", b"a/b", b"a:b", b"a:99999", b"a?b", b"[::1"])
def test_authorities(authority: bytes) -> None:
    """H2-03, A-09: an authority is host and port, without user information."""
    block = [pair if pair[0] != b":authority" else (b":authority", authority) for pair in fields()]
    assert bad(*block)
    assert bad(*block, (b"host", b"a.example"))
    assert bad(*fields()[:-1], (b"host", authority))


def test_host_beside_authority() -> None:
    """H2-04: Host says the same as :authority, or the request is malformed; without :authority Host stands for it."""
    assert good((b"host", b"A.example")).host == b"a.example"
    assert bad(*fields(b"GET", b"/", (b"host", b"b.example")))
    assert bad(*fields(b"GET", b"/", (b"host", b"a.example"), (b"host", b"a.example")))
    head = judge(*fields()[:-1], (b"host", b"b.example:81"))
    assert isinstance(head, Http2Head)
    assert head.host == b"b.example:81"
    assert head.fields == ((b"host", b"b.example:81"),)


@pytest.mark.parametrize(
    "values",
    [[b"+5"], [b"-1"], [b"0x5"], [b""], [b"5, 5"], [b"5", b"5"], [b"5 5"], [b"\xb2"], [b"9" * 19], [b"0" * 5000]],
)
def test_content_length(values: list[bytes]) -> None:
    """H2-03, A-09: Content-Length is digits, once, and no more of them than any content needs."""
    assert bad(*fields(b"GET", b"/", *((b"content-length", value) for value in values)))


def test_cookies() -> None:
    """RFC 9113 section 8.2.3: crumbs of cookies are one field for everybody else."""
    head = good((b"cookie", b"a=1"), (b"x-a", b"b"), (b"cookie", b"b=2"))
    assert head.by_name[b"Cookie"] == [b"a=1; b=2"]
    assert [pair for pair in head.fields if pair[0] == b"cookie"] == [(b"cookie", b"a=1; b=2")]


def test_expect() -> None:
    """A client that waits for a 100 says so."""
    assert good((b"expect", b"100-Continue")).expects_continue


@pytest.mark.parametrize(
    ("value", "urgency"),
    [(b"u=0", 0), (b"i, u=7", 7), (b"u=5;x", 5), (b"u=8", 3), (b"u=33", 3), (b"xu=1", 3), (b"", 3)],
)
def test_urgency(value: bytes, urgency: int) -> None:
    """RFC 9218 section 4.1: urgency is 0 to 7, and 3 where it is not told or not understood."""
    assert good((b"priority", value)).urgency == urgency


def test_connect() -> None:
    """RFC 9113 section 8.5: CONNECT has an authority with a port, and neither scheme nor path."""
    method, authority = (b":method", b"CONNECT"), (b":authority", b"a.example:443")
    head = judge(method, authority)
    assert isinstance(head, Http2Head)
    assert (head.method, head.target, head.host, head.protocol) == (b"CONNECT", b"", b"a.example:443", None)
    assert bad(method)
    assert bad(method, (b"host", b"a.example:443"))
    assert bad(method, (b":authority", b"a.example"))
    assert bad(method, authority, (b":path", b"/"))
    assert bad(method, authority, (b":scheme", b"http"))


def test_extended_connect() -> None:
    """EC-03, RFC 8441 section 4: :protocol comes with CONNECT, :scheme, :path and :authority, and once."""
    head = judge(*connect_fields(b"feed/2", b"/a?b"))
    assert isinstance(head, Http2Head)
    assert (head.method, head.protocol, head.target) == (b"CONNECT", b"feed/2", b"/a?b")
    for name in (b":method", b":scheme", b":path", b":authority"):
        assert bad(*(pair for pair in connect_fields() if pair[0] != name)), name
    assert bad(*connect_fields(), (b":protocol", b"echo"))
    assert bad(*fields(), (b":protocol", b"echo"))
    for protocol in (b"", b"two words", b"a/b/c", b"a,b", b"\xc3"):
        assert bad(*connect_fields(protocol))
    assert bad(*connect_fields()[:-1], (b"host", b"a.example"))


def test_not_offered() -> None:
    """EC-04: where extended CONNECT is not offered, :protocol is an unknown pseudo-field."""
    assert bad(*connect_fields(), extended=False)


def test_what_the_log_gets() -> None:
    """A malformed request tells what was found, with method and path as far as they are known, escaped."""
    found = judge(*fields(b"GET", b"/", (b"x-a", b"\x1b[2J")))
    assert found == Malformed("the value of x-a holds control characters, or white space at an end", b"GET", b"/")
    found = judge(*fields(b"GET", b"/", (b"\x1b", b"x")))
    assert isinstance(found, Malformed)
    assert "\x1b" not in found.why


_BYTES = st.binary(max_size=6)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([b":method", b":path", b":scheme", b":authority", b"host", b"cookie", b"content-length"])
            | _BYTES,
            st.sampled_from([b"GET", b"/", b"http", b"a.example", b"5"]) | _BYTES,
        ),
        max_size=8,
    )
)
def test_what_passes_is_a_request_of_http_1(block: list[tuple[bytes, bytes]]) -> None:
    """A-09: what passes, written down as HTTP/1.1, is the same request to the strict reader of HTTP/1.1."""
    head = judge(*block)
    if isinstance(head, Malformed):
        return
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in head.fields)
    parsed = parse_head(head.method + b" " + head.target + b" HTTP/1.1\r\n" + lines + b"\r\n", Limits())
    assert isinstance(parsed, Head), parsed
    assert (parsed.method, parsed.target, parsed.host) == (head.method, head.target, head.host)
    assert parsed.content_length == (head.content_length or 0)
    assert [(name.lower(), value) for name, value in parsed.fields] == list(head.fields)
    assert parsed.by_name == head.by_name
