"""The lists that proxies leave in a request."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upgradegw.negotiation.forwarded import (
    Hop,
    forwarded_hops,
    last_first,
    parse_address,
    parse_authority,
    parse_node,
    parse_scheme,
)

NOTHING = Hop(None, None, None)


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("[::ffff:c000:201]:1", "192.0.2.1"),
        ("", None),
        ("unknown", None),
        ("_hidden", None),
        ("_hidden:4711", None),
        ("192.0.2", None),
        ("192.0.2.256", None),
        ("192.0.2.01", None),
        ("192.0.2.1:", None),
        ("192.0.2.1:x", None),
        ("192.0.2.1:123456", None),
        ("2001:db8::1]:80", None),
        ("[2001:db8::1", None),
        ("fe80::1%eth0", None),
        ("fe80::1%\x1b", None),
        ("unix:", None),
        ("192.0.2.1 ", None),
        ("192.0.2.1\n", None),
        ("\u0661.2.3.4", None),
        ("1" * 100, None),
    ],
)
def test_node(node, expected):
    """A-34: addresses with and without port and brackets; nothing else is one."""
    assert parse_node(node) == expected


@pytest.mark.parametrize("text", ["fe80::1%eth0", "192.0.2.1", "::1"])
def test_address(text):
    """An address of a peer may name its interface."""
    assert parse_address(text) == ip_address(text)


def test_no_address():
    """What is no address, or too long to be one, is none."""
    assert parse_address("localhost") is None
    assert parse_address("fe80::1%" + "x" * 60) is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], []),
        ([b"", b" , "], []),
        ([b"a, b", b"c,,\td "], [b"d", b"c", b"b", b"a"]),
        ([b'", a'], [b"a", b'"']),
    ],
)
def test_last_first(values, expected):
    """A-34: the list is read from its end, over all lines, and a quote at its start hides nothing."""
    assert list(last_first(values)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b", for=192.0.2.1, \t,", Hop("192.0.2.1", None, None)),
        (b"for=192.0.2.1", Hop("192.0.2.1", None, None)),
        (b"For=192.0.2.1;PROTO=HTTPS;Host=app.example:81", Hop("192.0.2.1", b"https", b"app.example:81")),
        (b'for="[2001:db8::1]:4711" ; proto=http;by=203.0.113.43', Hop("2001:db8::1", b"http", None)),
        (b'for="192.0.2.1:80";host="app.example"', Hop("192.0.2.1", None, b"app.example")),
        (b"for=[2001:db8::1]", Hop("2001:db8::1", None, None)),
        (b"for=192.0.2.1:80", Hop("192.0.2.1", None, None)),
        (b"proto=https", Hop(None, b"https", None)),
        (b"for=unknown;proto=https", Hop(None, b"https", None)),
        (b"for=_gazonk;host=a", Hop(None, None, b"a")),
        (b'for="_gazonk"', NOTHING),
        (b"for=192.0.2.1;for=192.0.2.2", NOTHING),
        (b"for=192.0.2.1;FOR=192.0.2.2", NOTHING),
        (b"for = 192.0.2.1", NOTHING),
        (b"for", NOTHING),
        (b"for=", NOTHING),
        (b'for=""', NOTHING),
        (b'for="192.0.2.1', NOTHING),
        (b'for="192.0.2.\\1"', NOTHING),
        (b"for=192.0.2.1 proto=https", NOTHING),
        (b"for=192.0.2.1;proto=ftp;host=u@h", Hop("192.0.2.1", None, None)),
        (b";for=192.0.2.1;", Hop("192.0.2.1", None, None)),
        (b"192.0.2.1", NOTHING),
    ],
)
def test_element(value, expected):
    """A-34: what one element says (RFC 7239 section 4), names without regard to case; a malformed one says nothing."""
    assert list(forwarded_hops([value])) == [expected]


@pytest.mark.parametrize(
    "forged",
    [b'for="', b'for="x', b'"', b'for=1.1.1.1;host="', b'"\\', b'for="a\\"', b'",', b"\\", b'for="\\",\\"', b";", b"="],
)
@pytest.mark.parametrize("appended", [b"for=192.0.2.1;proto=https", b'proto=https;for="192.0.2.1:4711"'])
def test_start_cannot_hide_end(forged, appended):
    """A-34: whatever a client begins the list with, what a proxy appended to it is read as it stands."""
    expected = Hop("192.0.2.1", b"https", None)
    assert next(forwarded_hops([forged + b", " + appended])) == expected
    assert next(forwarded_hops([forged, appended])) == expected


@given(st.binary(max_size=40), st.sampled_from([b"for=192.0.2.1", b'for="[2001:db8::1]:1";host="a"']))
def test_no_start_can_hide_end(forged, appended):
    """A-34: the same for arbitrary bytes."""
    alone = next(forwarded_hops([appended]))
    assert next(forwarded_hops([forged + b"," + appended])) == alone


@given(st.binary(max_size=40) | st.text(st.sampled_from('for=1.2",;\\[]:'), max_size=40).map(str.encode))
def test_anything(value):
    """Arbitrary bytes never raise, and what is an address can be read as one."""
    for hop in forwarded_hops([value]):
        assert hop.address is None or ip_address(hop.address)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (b"http", b"http"),
        (b"HTTPS", b"https"),
        (b"ws", b"http"),
        (b"wss", b"https"),
        (b"ftp", None),
        (b"", None),
        (b"https, http", None),
    ],
)
def test_scheme(value, expected):
    """A-34: a scheme is http or https, also where a proxy writes WebSocket's."""
    assert parse_scheme(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(None, None), (b"app.example:81", b"app.example:81"), (b"a/b", None), (b"", None)]
)
def test_authority(value, expected):
    """A-34: what is no host is not believed, whoever says it."""
    assert parse_authority(value) == expected
