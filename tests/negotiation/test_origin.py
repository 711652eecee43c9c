"""Which pages may open a connection."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.negotiation.heads import head_of
from upgradegw.negotiation.model import Client, Refuse, RequestHead
from upgradegw.negotiation.origin import check_origin, parse_origins
from upgradegw.negotiation.reasons import Reason


def page(
    *origins: bytes,
    scheme: bytes | None = b"http",
    authority: bytes | None = b"app.example",
    hosts: tuple[bytes, ...] = (b"app.example",),
) -> RequestHead:
    """A request with these Origin lines, to this scheme and authority, with these Host lines."""
    fields = tuple((b"Host", host) for host in hosts) + tuple((b"Origin", origin) for origin in origins)
    return head_of(fields, client=Client("192.0.2.1", scheme, authority, "192.0.2.1"))


def reason_of(head: RequestHead, origins: tuple[str, ...] | None = None) -> Reason | None:
    """Why it is refused, or None."""
    outcome = check_origin(head, origins)
    if outcome is None:
        return None
    assert outcome.status == (400 if outcome.reason is Reason.BAD_ORIGIN else 403)
    assert outcome.fields == ()
    assert outcome.detail
    return outcome.reason


@pytest.mark.parametrize("origins", [None, (), ("https://other.example",), ("null",), ("*",)])
def test_absent(origins):
    """WS-13: a client that is no browser sends no Origin, and passes."""
    assert check_origin(page(), origins) is None


@pytest.mark.parametrize(
    ("origins", "passes"),
    [(None, False), ((), False), (("http://app.example",), False), (("*",), False), (("null",), True)],
)
def test_null(origins, passes):
    """WS-13, A-12: an opaque origin is refused unless it is listed by name."""
    assert reason_of(page(b"null"), origins) is (None if passes else Reason.ORIGIN_NULL)


@pytest.mark.parametrize(
    "lines",
    [
        [b""],
        [b"NULL"],
        [b"app.example"],
        [b"http:/app.example"],
        [b"http://"],
        [b"https://:443"],
        [b"://app.example"],
        [b"1x://app.example"],
        [b"http://user@app.example"],
        [b"http://user:secret@app.example"],
        [b"http://app.example/"],
        [b"http://app.example/path"],
        [b"http://app.example?x"],
        [b"http://app.example#x"],
        [b"http://app.example:99999"],
        [b"http://app.example http://app.example"],
        [b"http://app.example, http://app.example"],
        [b"http://b\xc3\xbccher.example"],
        [b"http://::1"],
        [b" http://app.example"],
        [b"http://app.example", b"http://app.example"],
        [b"null", b"null"],
        [b"http://app.example", b"http://evil.example"],
    ],
)
@pytest.mark.parametrize("origins", [None, ("*",), ("null", "http://app.example")])
def test_malformed(lines, origins):
    """WS-08, A-12: an Origin that is repeated or is no origin gets 400, whatever is listed."""
    assert reason_of(page(*lines), origins) is Reason.BAD_ORIGIN


@pytest.mark.parametrize(
    ("origin", "scheme", "authority"),
    [
        (b"http://app.example", b"http", b"app.example"),
        (b"http://app.example", b"http", b"app.example:80"),
        (b"http://app.example:80", b"http", b"app.example"),
        (b"https://app.example", b"https", b"app.example:443"),
        (b"https://app.example", b"https", b"app.example:"),
        (b"HTTP://APP.example", b"http", b"app.EXAMPLE"),
        (b"http://app.example:8080", b"http", b"app.example:8080"),
        (b"http://[::1]:8080", b"http", b"[0:0:0:0:0:0:0:1]:8080"),
        (b"http://app.example.", b"http", b"app.example."),
        (b"http://xn--bcher-kva.example", b"http", b"XN--bcher-kva.example"),
        (b"https://app.example", None, b"app.example"),
        (b"http://app.example", None, b"app.example"),
        (b"https://app.example:8443", None, b"app.example:8443"),
    ],
)
def test_same(origin, scheme, authority):
    """WS-13: by default the origin must be the request's own: scheme, host and port, however written."""
    assert check_origin(page(origin, scheme=scheme, authority=authority), None) is None


@pytest.mark.parametrize(
    ("origin", "scheme", "authority"),
    [
        (b"https://app.example", b"http", b"app.example"),
        (b"http://app.example", b"https", b"app.example"),
        (b"http://app.example", b"http", b"app.example:8080"),
        (b"http://app.example:8080", b"http", b"app.example"),
        (b"http://app.example:443", b"http", b"app.example:80"),
        (b"http://evil.example", b"http", b"app.example"),
        (b"http://app.example.evil.example", b"http", b"app.example"),
        (b"http://evilapp.example", b"http", b"app.example"),
        (b"http://app.example.", b"http", b"app.example"),
        (b"http://sub.app.example", b"http", b"app.example"),
        (b"http://127.0.0.1", b"http", b"localhost"),
        (b"http://[::1]", b"http", b"[::2]"),
        (b"file://", b"http", b"app.example"),
        (b"ftp://app.example", None, b"app.example"),
        (b"chrome-extension://app.example", None, b"app.example"),
        (b"https://app.example:8443", None, b"app.example"),
        (b"http://app.example", b"http", b"no host"),
        (b"http://app.example", b"http", b""),
    ],
)
def test_other(origin, scheme, authority):
    """WS-13, A-12: a page of another scheme, host or port is refused, however alike they look."""
    assert reason_of(page(origin, scheme=scheme, authority=authority)) is Reason.ORIGIN_MISMATCH


@pytest.mark.parametrize(
    ("origin", "scheme", "hosts", "passes"),
    [
        (b"https://app.example", None, [b"app.example"], True),
        (b"https://app.example:8443", None, [b"app.example"], True),
        (b"https://app.example", None, [b"App.example:8080"], True),
        (b"https://app.example", b"https", [b"app.example:8080"], True),
        (b"http://app.example", b"https", [b"app.example"], False),
        (b"https://evil.example", None, [b"app.example"], False),
        (b"https://app.example", None, [b"127.0.0.1:8080"], False),
        (b"https://app.example", None, [], False),
        (b"https://app.example", None, [b""], False),
        (b"https://app.example", None, [b"app.example", b"app.example"], False),
        (b"https://app.example", None, [b"evil.example", b"app.example"], False),
        (b"file://", None, [b""], False),
    ],
)
def test_host_name_alone(origin, scheme, hosts, passes):
    """WS-13: behind a trusted proxy that names no host, the name in Host counts alone; a known scheme counts."""
    head = page(origin, scheme=scheme, authority=None, hosts=tuple(hosts))
    assert reason_of(head) is (None if passes else Reason.ORIGIN_MISMATCH)


@pytest.mark.parametrize(
    ("origin", "listed", "passes"),
    [
        (b"https://app.example", "https://app.example", True),
        (b"https://app.example", "HTTPS://App.Example:443", True),
        (b"https://app.example:443", "https://app.example", True),
        (b"http://localhost:3000", "http://localhost:3000", True),
        (b"http://[::1]:3000", "http://[0::1]:3000", True),
        (b"file://", "file://", True),
        (b"capacitor://localhost", "capacitor://localhost", True),
        (b"chrome-extension://abc", "chrome-extension://abc", True),
        (b"https://any.example", "*", True),
        (b"http://app.example", "https://app.example", False),
        (b"https://app.example:8443", "https://app.example", False),
        (b"https://sub.app.example", "https://app.example", False),
        (b"https://app.example.evil.example", "https://app.example", False),
        (b"https://app.example.", "https://app.example", False),
    ],
)
def test_listed(origin, listed, passes):
    """WS-13, A-12: listed origins are compared as a whole, in whatever way they are written; no part, no pattern."""
    origins = parse_origins([listed, "https://third.example"])
    assert reason_of(page(origin), origins) is (None if passes else Reason.ORIGIN_MISMATCH)


def test_own_origin_is_not_implied():
    """WS-13: where origins are listed, the request's own is accepted only if it is among them."""
    assert reason_of(page(b"http://app.example"), ("https://other.example",)) is Reason.ORIGIN_MISMATCH
    assert reason_of(page(b"http://app.example"), ()) is Reason.ORIGIN_MISMATCH


@pytest.mark.parametrize(
    ("head", "origins", "detail"),
    [
        (page(b"http://a"), None, "Origin: http://a; expected: http://app.example"),
        (page(b"http://a", scheme=None), None, "Origin: http://a; expected: any scheme://app.example"),
        (
            page(b"http://a", scheme=b"https", authority=None),
            None,
            "Origin: http://a; expected: https, Host app.example (any port)",
        ),
        (
            page(b"http://a", scheme=None, authority=None, hosts=()),
            None,
            "Origin: http://a; expected: any scheme, Host absent (any port)",
        ),
        (page(b"http://a"), ("https://b", "null"), "Origin: http://a; expected: one of https://b, null"),
        (page(b"http://a"), (), "Origin: http://a; expected: one of none"),
        (page(b"\x1b", b"x"), None, r"Origin: \x1b and x"),
    ],
)
def test_detail(head, origins, detail):
    """A-36: the log shows what was compared, escaped."""
    outcome = check_origin(head, origins)
    assert isinstance(outcome, Refuse)
    assert outcome.detail == detail


def test_parse_origins():
    """Listed origins are brought into one form: lower case, implied ports left out."""
    entries = ["HTTPS://App.example:443", "http://[0::1]:80", "http://a:8080", "null", "*", "file://"]
    expected = ("https://app.example", "http://[::1]", "http://a:8080", "null", "*", "file://")
    assert parse_origins(iter(entries)) == expected
    assert parse_origins(expected) == expected
    assert parse_origins([]) == ()


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ("https://app.example", r"must be a list.*write \['https://app.example'\]"),
        (["app.example"], "'app.example' is no origin: write scheme://host"),
        (["https://app.example/"], "with nothing behind it"),
        (["https://user@app.example"], "write scheme://host"),
        (["https://*.example"], "'\\*' can only stand alone"),
        (["https://b\u00fccher.example"], "punycode"),
        (["Null"], "write scheme://host"),
        ([""], "write scheme://host"),
        (["https://app.example:99999"], "write scheme://host"),
    ],
)
def test_bad_entries(entries, message):
    """What is written down wrongly is told at once, and how to write it."""
    with pytest.raises(ValueError, match=message):
        parse_origins(entries)


hosts = st.sampled_from([b"a.example", b"b.example", b"[::1]", b"[::2]"])
schemes = st.sampled_from([b"http", b"https"])
ports = st.sampled_from([None, 80, 443, 8080])


def at(host: bytes, port: int | None) -> bytes:
    """Host and port as text."""
    return host if port is None else b"%b:%d" % (host, port)


@given(schemes, hosts, ports, schemes, hosts, ports)
def test_same_if_and_only_if(scheme, host, port, own_scheme, own_host, own_port):
    """WS-13: an origin passes by default if and only if scheme, host and port are the request's own."""
    implied = {b"http": 80, b"https": 443}
    head = page(scheme + b"://" + at(host, port), scheme=own_scheme, authority=at(own_host, own_port))
    same = (scheme, host, port or implied[scheme]) == (own_scheme, own_host, own_port or implied[own_scheme])
    assert (check_origin(head, None) is None) is same
    listed = parse_origins([(own_scheme + b"://" + at(own_host, own_port)).decode()])
    assert (check_origin(head, listed) is None) is same


@given(st.lists(st.binary(max_size=30), max_size=3), st.none() | st.binary(max_size=10), st.booleans())
def test_anything(lines, authority, listed):
    """Arbitrary bytes never raise, and never pass."""
    head = page(*lines, scheme=None, authority=authority, hosts=(authority or b"x",))
    outcome = check_origin(head, ("https://app.example",) if listed else None)
    assert (outcome is None) is (not lines)
