"""Request heads: what is a request, and what is refused with which status."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.http1.heads import LIMITS, head, request, status
from upgradegw.http.limits import Limits
from upgradegw.http1.head import BadHead, Head, judge_start, parse_head
from upgradegw.negotiation.reasons import Reason


def test_a_head_becomes_a_value() -> None:
    """Method, target, version and field lines are kept as received, trailing whitespace of values apart."""
    parsed = head(b"GET /x?y=%20 HTTP/1.1", b"hOST: a.example:8080", b"X-A: 1 \t", b"x-a:2", b"Empty:")
    assert isinstance(parsed, Head)
    assert (parsed.method, parsed.target, parsed.http_version) == (b"GET", b"/x?y=%20", b"HTTP/1.1")
    assert parsed.fields == ((b"hOST", b"a.example:8080"), (b"X-A", b"1"), (b"x-a", b"2"), (b"Empty", b""))
    assert parsed.by_name == {b"Host": [b"a.example:8080"], b"X-A": [b"1", b"2"], b"Empty": [b""]}
    assert parsed.host == b"a.example:8080"
    assert parsed.keep_alive
    assert parsed[-4:] == (0, False, False, False)  # no content, nothing expected, nothing offered


@pytest.mark.parametrize(
    "method", [b"GET", b"PROPFIND", b"BREW", b"get", b"M-SEARCH", b"ANNOUNCE", b"X!#$%&'*+-.^_`|~9"]
)
def test_any_token_is_a_method(method: bytes) -> None:
    """RFC 9110 section 9.1: a method is a token; which ones are served is for the resource to say."""
    parsed = head(method + b" / HTTP/1.1", b"Host: a")
    assert isinstance(parsed, Head)
    assert parsed.method == method


def test_host_may_be_absent_in_http_1_0() -> None:
    """RFC 9112 section 3.2 asks for Host in HTTP/1.1; two are wrong in any version."""
    parsed = head(b"GET / HTTP/1.0")
    assert isinstance(parsed, Head)
    assert parsed.host is None
    assert status(b"GET / HTTP/1.0", b"Host: a", b"Host: b") == 400


@pytest.mark.parametrize(
    ("line", "target"),
    [
        (b"GET http://b.example:81/x?y HTTP/1.1", b"/x?y"),
        (b"GET HTTPS://b.example:81 HTTP/1.1", b"/"),
        (b"GET http://b.example:81?y HTTP/1.1", b"/?y"),
        (b"OPTIONS http://b.example:81 HTTP/1.1", b"*"),
        (b"OPTIONS http://b.example:81/ HTTP/1.1", b"/"),
    ],
)
def test_absolute_form(line: bytes, target: bytes) -> None:
    """UP-20, A-43: the authority of an absolute-form target replaces Host (RFC 9112 section 3.2.2)."""
    parsed = head(line, b"X: 1", b"Host: a.example")
    assert isinstance(parsed, Head)
    assert parsed.target == target
    assert parsed.host == b"b.example:81"
    assert parsed.fields == ((b"Host", b"b.example:81"), (b"X", b"1"))
    assert parsed.by_name[b"Host"] == [b"b.example:81"]


def test_absolute_form_needs_host_too() -> None:
    """UP-20: Host must be there whatever the form of the target (RFC 9112 section 3.2)."""
    assert status(b"GET http://b.example/ HTTP/1.1") == 400


def test_framing_is_read() -> None:
    """RFC 9112 section 6.3: the length is Content-Length, or is told by the chunks."""
    known, chunks = (
        head(b"POST / HTTP/1.1", b"Host: a", b"Content-Length: 0012"),
        head(b"POST / HTTP/1.1", b"Host: a", b"TRANSFER-ENCODING: CHUNKED"),
    )
    assert isinstance(known, Head)
    assert isinstance(chunks, Head)
    assert (known.content_length, known.chunked) == (12, False)
    assert (chunks.content_length, chunks.chunked) == (0, True)


@pytest.mark.parametrize("coding", [b"chunked", b"gzip", b"identity", b""])
def test_transfer_encoding_in_http_1_0(coding: bytes) -> None:
    """UP-20, A-08: Transfer-Encoding in HTTP/1.0 is faulty framing (RFC 9112 section 6.1)."""
    assert request(b"Transfer-Encoding: " + coding, line=b"POST / HTTP/1.0") == 400


@pytest.mark.parametrize("value", [b"a\tb", b"a\x85b", b"\xc3\x85", b"\xff", b"\"'<>{}"])
def test_field_values_are_bytes(value: bytes) -> None:
    """A-10: what is no control character is carried as it came; nothing is split at 0x85."""
    parsed = head(b"GET / HTTP/1.1", b"Host: a", b"X: " + value)
    assert isinstance(parsed, Head)
    assert parsed.fields[1] == (b"X", value)


@pytest.mark.parametrize(
    ("connection", "version", "expected"),
    [
        (None, b"1.1", True),
        (b"close", b"1.1", False),
        (b"CLOSE", b"1.1", False),
        (b"close,upgrade", b"1.1", False),
        (b"keep-alive , close", b"1.1", False),
        (b"closed", b"1.1", True),
        (None, b"1.0", False),
        (b"keep-alive", b"1.0", False),
    ],
)
def test_persistence(connection: bytes | None, version: bytes, expected: bool) -> None:
    """RFC 9112 section 9.3: HTTP/1.1 persists unless the client says close; HTTP/1.0 is read as close."""
    fields = () if connection is None else (b"Connection: " + connection,)
    parsed = head(b"GET / HTTP/" + version, b"Host: a", *fields)
    assert isinstance(parsed, Head)
    assert parsed.keep_alive is expected


@pytest.mark.parametrize(
    ("fields", "version", "expected"),
    [
        ((b"Upgrade: x", b"Connection: upgrade"), b"1.1", True),
        ((b"Upgrade: x", b"Connection: keep-alive, uPgRaDe"), b"1.1", True),
        ((b"Upgrade: x", b"Connection: a", b"Connection: ,upgrade,"), b"1.1", True),
        ((b"Upgrade: x",), b"1.1", False),
        ((b"Upgrade: x", b"Connection: upgraded"), b"1.1", False),
        ((b"Upgrade: x", b'Connection: "upgrade"'), b"1.1", False),
        ((b"Upgrade: x", b'Connection: "a, upgrade, b"'), b"1.1", False),
        ((b"Connection: upgrade",), b"1.1", False),
        ((b"Upgrade: x", b"Connection: upgrade"), b"1.0", False),
    ],
)
def test_offers_are_noticed(fields: tuple[bytes, ...], version: bytes, expected: bool) -> None:
    """UP-08, UP-09, A-07: an offer is Upgrade with the connection option, in HTTP/1.1."""
    parsed = head(b"GET / HTTP/" + version, b"Host: a", *fields)
    assert isinstance(parsed, Head)
    assert parsed.upgrades is expected


@pytest.mark.parametrize(
    ("value", "version", "expected"),
    [
        (b"100-continue", b"1.1", True),
        (b"100-Continue", b"1.1", True),
        (b"100", b"1.1", False),
        (b"100-continue", b"1.0", False),
    ],
)
def test_expectations(value: bytes, version: bytes, expected: bool) -> None:
    """RFC 9110 section 10.1.1: 100-continue in any case of letters; ignored in HTTP/1.0."""
    parsed = head(b"GET / HTTP/" + version, b"Host: a", b"Expect: " + value)
    assert isinstance(parsed, Head)
    assert parsed.expects_continue is expected


def test_an_offer_with_content_keeps_its_framing() -> None:
    """F20: the length of content is known although the parser stops at an offered upgrade."""
    parsed = head(b"PUT / HTTP/1.1", b"Host: a", b"Upgrade: x", b"Connection: upgrade", b"Content-Length: 7")
    assert isinstance(parsed, Head)
    assert (parsed.upgrades, parsed.content_length) == (True, 7)


def _exactly(limits: Limits, size: int) -> bytes:
    start = b"GET / HTTP/1.1\r\nHost: a\r\nX: "
    return start + b"x" * (size - len(start) - 4) + b"\r\n\r\n"


def test_max_head() -> None:
    """A-28: a head of max_head bytes is read, one of one more is refused with 431."""
    limits = Limits(max_head=200)
    assert isinstance(parse_head(_exactly(limits, 200), limits), Head)
    refused = parse_head(_exactly(limits, 201), limits)
    assert isinstance(refused, BadHead)
    assert (refused.status, refused.reason) == (431, Reason.HEAD_TOO_LARGE)


def test_max_fields() -> None:
    """A-28: max_fields field lines are read, one more is refused with 431."""
    fields = [b"X: 1"] * 99
    assert status(b"GET / HTTP/1.1", b"Host: a", *fields) == 200
    refused = head(b"GET / HTTP/1.1", b"Host: a", *fields, b"X: 1")
    assert isinstance(refused, BadHead)
    assert (refused.status, refused.reason) == (431, Reason.TOO_MANY_FIELDS)


def test_max_target() -> None:
    """A-28: a target of max_target bytes is read, a longer one is refused with 414."""
    assert status(b"GET /" + b"a" * 8191 + b" HTTP/1.1", b"Host: a") == 200
    refused = head(b"GET /" + b"a" * 8192 + b" HTTP/1.1", b"Host: a")
    assert isinstance(refused, BadHead)
    assert (refused.status, refused.reason) == (414, Reason.TARGET_TOO_LONG)


@given(st.data())
def test_no_prefix_of_a_request_is_refused(data: st.DataObject) -> None:
    """Early refusals never hit what the rest would make a request."""
    whole = b"\r\n".join(
        (b"POST /%s?x HTTP/1.1" % (b"a" * 50), b"Host: a", b"Expect: 100-continue", b"X: \x85", b"", b"")
    )
    assert isinstance(parse_head(whole, LIMITS), Head)
    cut = data.draw(st.integers(1, len(whole) - 1))
    assert judge_start(whole[:cut], LIMITS) is None


@given(st.binary(max_size=300))
def test_any_bytes_are_judged(data: bytes) -> None:
    """Whatever arrives is a request or a refusal with a status of its own; nothing raises."""
    parsed = parse_head(data + b"\r\n\r\n", LIMITS)
    assert isinstance(parsed, Head) or parsed.status in (400, 405, 414, 431, 501, 505)


@given(
    st.lists(
        st.tuples(st.sampled_from([b"Host", b"Content-Length", b"Transfer-Encoding", b"X"]), st.binary(max_size=12))
    )
)
def test_any_fields_are_judged(fields: list[tuple[bytes, bytes]]) -> None:
    """A-08: a head that is accepted has at most one length, one valid Host, and no control character."""
    parsed = head(b"POST / HTTP/1.1", *(name + b": " + value for name, value in fields))
    if isinstance(parsed, BadHead):
        return
    names = [name for name, _ in parsed.fields]
    assert names.count(b"Host") == 1
    assert names.count(b"Content-Length") + names.count(b"Transfer-Encoding") <= 1
    assert not any(set(value) & {*range(9), *range(10, 32), 127} for _, value in parsed.fields)
