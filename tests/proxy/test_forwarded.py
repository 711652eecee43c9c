"""What the upstream is told of the client, after the trusted-proxy rule (A-34)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.negotiation.heads import head_of
from upgradegw.negotiation.client import TrustedProxies, effective_client
from upgradegw.negotiation.model import Fields
from upgradegw.proxy.forwarded import forwarding_fields, sender_of

TRUSTED = TrustedProxies.parse(["10.0.0.0/8", "fd00::/8", "unix"])
HOST = (b"Host", b"a.example:8080")


def written(
    *lines: tuple[bytes, bytes],
    peer: str | None = "192.0.2.7",
    style: str = "x-forwarded",
    secure: bool = False,
    proxy_source: str | None = None,
    host: tuple[tuple[bytes, bytes], ...] = (HOST,),
) -> dict[bytes, bytes]:
    """What is written for a request with these lines; each name once."""
    fields: Fields = (*host, *lines)
    client = effective_client(peer, secure, fields, TRUSTED, proxy_source)
    sender = sender_of(client, proxy_source, TRUSTED, host[0][1] if host else None, secure=secure)
    made = forwarding_fields(head_of(fields, client=client), sender, style)
    assert len({name for name, _ in made}) == len(made)
    return dict(made)


LIES = (
    (b"X-Forwarded-For", b"203.0.113.9"),
    (b"X-Forwarded-Proto", b"https"),
    (b"X-Forwarded-Host", b"evil.example"),
    (b"Forwarded", b"for=203.0.113.9;proto=https;host=evil.example"),
)


@pytest.mark.parametrize("lies", [(), LIES, LIES[:3], LIES[3:]])
def test_a_stranger_is_not_believed(lies: Fields) -> None:
    """A-34: what a stranger says of itself is overwritten with what the connection says."""
    assert written(*lies) == {
        b"X-Forwarded-For": b"192.0.2.7",
        b"X-Forwarded-Proto": b"http",
        b"X-Forwarded-Host": b"a.example:8080",
    }
    assert written(*lies, style="forwarded") == {
        b"Forwarded": b'for=192.0.2.7;host="a.example:8080";proto=http',
    }


def test_over_tls() -> None:
    """The scheme is that of the connection, where nobody else may say."""
    assert written(secure=True)[b"X-Forwarded-Proto"] == b"https"


def test_both() -> None:
    """Both forms say the same."""
    fields = written(style="both")
    assert set(fields) == {b"X-Forwarded-For", b"X-Forwarded-Proto", b"X-Forwarded-Host", b"Forwarded"}


def test_a_trusted_proxy_is_appended_to_what_it_says() -> None:
    """A-34: the list of a trusted proxy is kept, also what it has appended to, and the proxy's address follows."""
    fields = written(
        (b"X-Forwarded-For", b"198.51.100.1, 203.0.113.9"),
        (b"X-Forwarded-For", b"10.0.0.2"),
        (b"X-Forwarded-Proto", b"https"),
        (b"X-Forwarded-Host", b"shop.example"),
        (b"Forwarded", b"for=192.0.2.99"),
        peer="10.0.0.1",
    )
    assert fields == {
        b"X-Forwarded-For": b"198.51.100.1, 203.0.113.9, 10.0.0.2, 10.0.0.1",
        b"X-Forwarded-Proto": b"https",
        b"X-Forwarded-Host": b"shop.example",
    }


def test_a_trusted_proxy_that_says_little() -> None:
    """What a trusted proxy leaves open is what the connection and the request say."""
    assert written(peer="10.0.0.1", secure=True) == {
        b"X-Forwarded-For": b"10.0.0.1",
        b"X-Forwarded-Proto": b"https",
        b"X-Forwarded-Host": b"a.example:8080",
    }


def test_from_one_form_to_the_other() -> None:
    """RFC 7239 section 7.4: what a trusted proxy says in one form is said on in the one that the route wants."""
    standard = (
        b"Forwarded",
        b'for="[2001:db8::1]:4711";proto=https;host=shop.example, for=_hidden;by=_b, for=10.0.0.2',
    )
    assert written(standard, peer="10.0.0.1") == {
        b"X-Forwarded-For": b"2001:db8::1, unknown, 10.0.0.2, 10.0.0.1",
        b"X-Forwarded-Proto": b"http",
        b"X-Forwarded-Host": b"a.example:8080",
    }
    usual = (b"X-Forwarded-For", b"2001:db8::1, 10.0.0.2")
    assert written(usual, (b"X-Forwarded-Proto", b"https"), peer="10.0.0.1", style="forwarded") == {
        b"Forwarded": b'for="[2001:db8::1]", for=10.0.0.2, for=10.0.0.1;host="a.example:8080";proto=https'
    }


def test_an_open_quote_swallows_nothing() -> None:
    """A-34: what a client left of Forwarded, unclosed, does not hide what a trusted proxy appended."""
    fields = written((b"Forwarded", b'for="203.0.113.9, for=198.51.100.1'), peer="10.0.0.1", style="forwarded")
    assert fields[b"Forwarded"].endswith(b'for=198.51.100.1, for=10.0.0.1;host="a.example:8080";proto=http')
    assert fields[b"Forwarded"].count(b'"') % 2 == 0


def test_on_a_unix_socket() -> None:
    """A peer without an address adds none to the usual list, and is unknown in the standard one (RFC 7239 6.2)."""
    fields = written((b"X-Forwarded-For", b"198.51.100.1"), peer=None, style="both")
    assert fields[b"X-Forwarded-For"] == b"198.51.100.1"
    assert fields[b"Forwarded"].startswith(b"for=198.51.100.1, for=unknown;")


def test_behind_a_proxy_header() -> None:
    """The source that a PROXY header names has sent the request, and is believed only if it is a proxy itself."""
    assert written(*LIES, peer="10.0.0.1", proxy_source="198.51.100.7")[b"X-Forwarded-For"] == b"198.51.100.7"
    inner = written((b"X-Forwarded-For", b"198.51.100.1"), peer="10.0.0.1", proxy_source="10.0.0.9")
    assert inner[b"X-Forwarded-For"] == b"198.51.100.1, 10.0.0.9"
    assert written(*LIES, peer="10.0.0.1", proxy_source="unknown")[b"X-Forwarded-For"] == b"10.0.0.1"


def test_without_host() -> None:
    """HTTP/1.0 may say no host; then none is told."""
    assert b"X-Forwarded-Host" not in written(host=())
    assert written(host=(), style="forwarded")[b"Forwarded"] == b"for=192.0.2.7;proto=http"


def test_an_ipv4_address_on_a_socket_for_both() -> None:
    """An IPv4 client is shown as one."""
    assert written(peer="::ffff:192.0.2.7")[b"X-Forwarded-For"] == b"192.0.2.7"


@given(
    st.one_of(st.builds(IPv4Address, st.integers(0, 2**32 - 1)), st.builds(IPv6Address, st.integers(0, 2**128 - 1))),
    st.lists(st.binary(max_size=20).filter(lambda value: not set(value) & set(b"\r\n\0")), max_size=3),
    st.sampled_from(["x-forwarded", "forwarded", "both"]),
)
def test_the_next_gateway_understands(address: IPv4Address | IPv6Address, hearsay: list[bytes], style: str) -> None:
    """A-34: whatever stands before it, a gateway that trusts us finds the address that asked us."""
    ours = TrustedProxies.parse(["10.0.0.0/8"])
    lines = tuple((b"X-Forwarded-For", value) for value in hearsay)
    client = effective_client("10.9.9.9", False, (HOST, *lines, (b"X-Forwarded-For", str(address).encode())), ours)
    head = head_of((HOST, *lines, (b"X-Forwarded-For", str(address).encode())), client=client)
    made = forwarding_fields(head, sender_of(client, None, ours, HOST[1], secure=False), style)
    seen = effective_client("10.0.0.1", False, (HOST, *made), ours)
    assert seen.address == client.address
