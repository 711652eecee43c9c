"""Who asks, over random chains of proxies: what must hold for all of them."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from upgradegw.negotiation.client import TrustedProxies, effective_client
from upgradegw.negotiation.model import Client, Fields

PROXIES = TrustedProxies.parse(["10.0.0.0/8", "::1", "2001:db8:ffff::/48"])

HOST = (b"Host", b"app.example:81")


def fields_of(**lines: bytes | list[bytes]) -> Fields:
    """Field lines, Host among them; underscores become hyphens."""
    return (
        HOST,
        *(
            (name.replace("_", "-").encode(), value)
            for name, values in lines.items()
            for value in ([values] if isinstance(values, bytes) else values)
        ),
    )


addresses = st.sampled_from(
    ["192.0.2.1", "198.51.100.7", "10.0.0.1", "10.9.9.9", "2001:db8::1", "::1", "2001:db8:ffff::2", "::ffff:192.0.2.1"]
)
nets = [ip_network("10.0.0.0/8"), ip_network("::1"), ip_network("2001:db8:ffff::/48")]


def is_proxy(address: str) -> bool:
    """Tell in another way who is trusted."""
    return any(ip_address(address.removeprefix("::ffff:")) in net for net in nets)


@given(st.lists(addresses | st.just("garbage"), max_size=6), addresses, st.none() | addresses)
def test_rightmost_untrusted(hops, peer, proxy_source):
    """A-34: reading hops from the nearest on, the first that is no trusted proxy is the client, garbage ends it."""
    fields = fields_of(X_Forwarded_For=", ".join(hops).encode())
    chain = [*hops, *([] if proxy_source is None else [proxy_source]), peer]
    expected = chain.pop()
    while chain and is_proxy(expected) and chain[-1] != "garbage":
        expected = chain.pop()
    client = effective_client(peer, False, fields, PROXIES, proxy_source)
    assert client.address == expected.removeprefix("::ffff:")
    forwarded = ", ".join(f'for="{hop}"' for hop in hops).encode()
    assert effective_client(peer, False, fields_of(Forwarded=forwarded), PROXIES, proxy_source) == Client(
        client.address, client.scheme, client.authority, peer
    )


NAMES = st.sampled_from([b"Forwarded", b"X-Forwarded-For", b"X-Forwarded-Proto", b"X-Forwarded-Host", b"X-Real-IP"])
noise = st.lists(st.tuples(NAMES, st.binary(max_size=30)), max_size=6).map(tuple)


@given(
    noise,
    st.text(max_size=10).map("x".__add__) | addresses.filter(lambda address: not is_proxy(address)),
    st.none() | addresses,
)
def test_never_believes_a_stranger(fields, peer, proxy_source):
    """A-34: whatever a peer that is not trusted sends, it changes nothing."""
    said = effective_client(peer, False, (HOST, *fields), PROXIES, proxy_source)
    assert said == effective_client(peer, False, (HOST,), PROXIES)
    assert (said.scheme, said.authority, said.peer) == (b"http", b"app.example:81", peer)


@given(noise, st.none() | st.text(max_size=10) | addresses, st.booleans())
def test_anything(fields, proxy_source, secure):
    """Arbitrary bytes from a trusted proxy never raise, and what comes out is an address, a scheme and a host."""
    client = effective_client("10.0.0.1", secure, fields, PROXIES, proxy_source)
    assert client.address is not None
    assert ip_address(client.address)
    assert client.scheme in (None, b"http", b"https")
    assert client.peer == "10.0.0.1"
