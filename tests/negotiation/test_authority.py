"""Host and port."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upgradegw.negotiation.authority import single_host, split_authority


@pytest.mark.parametrize(
    ("authority", "expected"),
    [
        (b"app.example", (b"app.example", None)),
        (b"App.EXAMPLE:8080", (b"app.example", 8080)),
        (b"app.example:", (b"app.example", None)),
        (b"app.example:080", (b"app.example", 80)),
        (b"app.example:65535", (b"app.example", 65535)),
        (b"app.example.", (b"app.example.", None)),
        (b"xn--bcher-kva.example", (b"xn--bcher-kva.example", None)),
        (b"my_service:80", (b"my_service", 80)),
        (b"192.0.2.1:1", (b"192.0.2.1", 1)),
        (b"[::1]", (b"[::1]", None)),
        (b"[::1]:8080", (b"[::1]", 8080)),
        (b"[2001:DB8:0:0::1]:443", (b"[2001:db8::1]", 443)),
    ],
)
def test_split(authority, expected):
    """WS-02: names, addresses and IPv6 literals, with and without a port, in the form in which they are compared."""
    assert split_authority(authority) == expected


@pytest.mark.parametrize(
    "authority",
    [
        b"",
        b":80",
        b"app.example:65536",
        b"app.example:000080",
        b"app.example:+80",
        b"app.example:http",
        b"app.example:80:80",
        b"user@app.example",
        b"app.example/",
        b"a,b",
        b"a b",
        b" app.example",
        b"app.example\n",
        b"b\xc3\xbccher.example",
        b"app%2eexample",
        b"*.example",
        b"::1",
        b"[::1",
        b"[::1]x",
        b"[fe80::1%25eth0]",
        b"[1:2]",
        b"[...]",
        b"[v1.x]",
        b"a" * 261,
    ],
)
def test_no_authority(authority):
    """WS-02: what is no host, or could be read in two ways, is none."""
    assert split_authority(authority) is None


def test_mapped_literal():
    """Both ways to write an IPv4 address within an IPv6 literal are the same host."""
    assert split_authority(b"[::ffff:192.0.2.1]") == split_authority(b"[::ffff:c000:201]") != None  # noqa: E711


@given(st.binary(max_size=30))
def test_split_anything(authority):
    """Arbitrary bytes are refused or give a host and a port that give themselves again."""
    split = split_authority(authority)
    if split is not None:
        host, port = split
        assert split_authority(host if port is None else b"%b:%d" % (host, port)) == split


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        ([b"app.example"], b"app.example"),
        ([], None),
        ([b""], None),
        ([b"a b"], None),
        ([b"app.example", b"app.example"], None),
    ],
)
def test_single_host(hosts, expected):
    """WS-02, UP-20: Host counts if it is there once and names a host."""
    assert single_host(tuple((b"host", host) for host in hosts)) == expected
