"""Who asks, and under which name."""

from __future__ import annotations

import pytest

from upgradegw.negotiation.client import NOBODY, TrustedProxies, effective_client
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


def via(peer: str = "10.0.0.1", **lines: bytes | list[bytes]) -> Client:
    """The client behind a trusted proxy that sends these fields."""
    return effective_client(peer, False, fields_of(**lines), PROXIES)


EVERYTHING = fields_of(
    X_Forwarded_For=b"198.51.100.7",
    X_Forwarded_Proto=b"https",
    X_Forwarded_Host=b"evil.example",
    Forwarded=b"for=198.51.100.7;proto=https;host=evil.example",
    X_Real_IP=b"198.51.100.7",
)


@pytest.mark.parametrize("trusted", [NOBODY, PROXIES, TrustedProxies.parse(["unix"])])
@pytest.mark.parametrize("proxy_source", [None, "198.51.100.7", "10.0.0.7"])
def test_untrusted_peer(trusted, proxy_source):
    """A-34: what a stranger says is not believed, neither in fields nor in a PROXY header."""
    client = effective_client("192.0.2.1", False, EVERYTHING, trusted, proxy_source)
    assert client == Client("192.0.2.1", b"http", b"app.example:81", "192.0.2.1")


def test_nobody_is_trusted_by_default():
    """A-34: without configuration this machine's own addresses and UNIX sockets are strangers, too."""
    assert effective_client("127.0.0.1", True, EVERYTHING, NOBODY) == Client(
        "127.0.0.1", b"https", b"app.example:81", "127.0.0.1"
    )
    assert effective_client(None, False, EVERYTHING, NOBODY) == Client(None, b"http", b"app.example:81", None)


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        ([], None),
        ([b"a", b"a"], None),
        ([b"a b"], None),
        ([b"[::1]:8080"], b"[::1]:8080"),
        ([b"A.example."], b"A.example."),
    ],
)
def test_host(hosts, expected):
    """WS-02: the authority is Host as it was sent, if it is there once and names a host."""
    client = effective_client("192.0.2.1", False, tuple((b"HOST", host) for host in hosts), NOBODY)
    assert client.authority == expected


def test_absolute_form():
    """UP-20: the authority of the target stands in place of Host, but not in place of what a trusted proxy says."""
    direct = effective_client("192.0.2.1", False, fields_of(), PROXIES, authority=b"target.example")
    assert direct.authority == b"target.example"
    behind = effective_client("10.0.0.1", False, fields_of(), PROXIES, authority=b"target.example")
    assert behind.authority is None


def test_silent_proxy():
    """A-34: a trusted proxy that says nothing leaves scheme and authority open, and is itself who asks."""
    assert via() == Client("10.0.0.1", None, None, "10.0.0.1")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([b"192.0.2.1"], "192.0.2.1"),
        ([b"198.51.100.7, 192.0.2.1"], "192.0.2.1"),
        ([b"198.51.100.7", b"192.0.2.1"], "192.0.2.1"),
        ([b"198.51.100.7, 192.0.2.1, 10.0.0.2"], "192.0.2.1"),
        ([b"198.51.100.7, 192.0.2.1", b"10.0.0.3, 10.0.0.2"], "192.0.2.1"),
        ([b"10.0.0.9, 10.0.0.8"], "10.0.0.9"),
        ([b"192.0.2.1:4711"], "192.0.2.1"),
        ([b"[2001:db8::1]:4711"], "2001:db8::1"),
        ([b"2001:DB8:0::1"], "2001:db8::1"),
        ([b"192.0.2.1, ::ffff:10.0.0.2"], "192.0.2.1"),
        ([b"::ffff:192.0.2.1"], "192.0.2.1"),
        ([b"192.0.2.1, ::1"], "192.0.2.1"),
        ([b"192.0.2.1, garbage"], "10.0.0.1"),
        ([b"192.0.2.1, garbage, 10.0.0.2"], "10.0.0.2"),
        ([b"192.0.2.1, unknown, 10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ([b"192.0.2.1, unix:"], "10.0.0.1"),
        ([b'", 192.0.2.1'], "192.0.2.1"),
        ([b"192.0.2.1,, ,"], "192.0.2.1"),
        ([b""], "10.0.0.1"),
        ([b"\xff\x00"], "10.0.0.1"),
    ],
)
def test_x_forwarded_for(lines, expected):
    """A-34: the rightmost address that is no trusted proxy's; where an entry is none, the last one that was."""
    assert via(X_Forwarded_For=lines).address == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([b"https"], b"https"),
        ([b"https, http"], b"http"),
        ([b"http", b"https"], b"https"),
        ([b"WSS"], b"https"),
        ([b"ftp"], None),
        ([b"https, ftp"], None),
        ([b""], None),
    ],
)
def test_x_forwarded_proto(lines, expected):
    """A-34: of several schemes the one that the nearest proxy appended."""
    client = via(X_Forwarded_Proto=lines)
    assert (client.scheme, client.authority, client.address) == (expected, None, "10.0.0.1")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([b"app.example:8443"], b"app.example:8443"),
        ([b"evil.example, app.example"], b"app.example"),
        ([b"evil.example", b"app.example"], b"app.example"),
        ([b"evil.example, a/b"], None),
        ([b""], None),
    ],
)
def test_x_forwarded_host(lines, expected):
    """A-34: of several hosts the one that the nearest proxy appended."""
    client = via(X_Forwarded_Host=lines)
    assert (client.scheme, client.authority) == (None, expected)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([b"for=192.0.2.1;proto=https;host=a"], ("192.0.2.1", b"https", b"a")),
        ([b"for=198.51.100.7;proto=http;host=e, for=192.0.2.1;proto=https;host=a"], ("192.0.2.1", b"https", b"a")),
        ([b"for=198.51.100.7;host=e", b"for=192.0.2.1"], ("192.0.2.1", None, None)),
        ([b"for=192.0.2.1;proto=https;host=a, for=10.0.0.2;proto=http;host=b"], ("192.0.2.1", b"https", b"a")),
        ([b"for=192.0.2.1, for=10.0.0.2;proto=http;host=b"], ("192.0.2.1", b"http", b"b")),
        ([b'for="[2001:db8::1]:4711";proto=https'], ("2001:db8::1", b"https", None)),
        ([b"for=192.0.2.1, for=unknown;proto=https, for=10.0.0.2"], ("10.0.0.2", b"https", None)),
        ([b"for=192.0.2.1, for=_hidden"], ("10.0.0.1", None, None)),
        ([b"for=192.0.2.1;proto=https, nonsense"], ("10.0.0.1", None, None)),
        ([b"proto=https;host=a"], ("10.0.0.1", b"https", b"a")),
        ([b'for="1.1.1.1, for=192.0.2.1'], ("192.0.2.1", None, None)),
        ([b""], ("10.0.0.1", None, None)),
    ],
)
def test_forwarded(lines, expected):
    """A-34: the same for Forwarded; scheme and host are those of the trusted proxy nearest to the client."""
    client = via(Forwarded=lines)
    assert (client.address, client.scheme, client.authority) == expected
    assert client.peer == "10.0.0.1"


@pytest.mark.parametrize("name", ["X_Forwarded_For", "X_Forwarded_Proto", "X_Forwarded_Host"])
def test_one_family(name):
    """A-34: a Forwarded that the client sent through a proxy which writes X-Forwarded-* is not believed."""
    values = {"X_Forwarded_For": b"192.0.2.1", "X_Forwarded_Proto": b"http", "X_Forwarded_Host": b"app.example"}
    forged = via(Forwarded=b"for=198.51.100.7;proto=https;host=evil.example", **{name: values[name]})
    assert forged == via(**{name: values[name]})


def test_x_real_ip():
    """A-34: X-Real-IP is never read: nobody appends to it, so nobody can tell who wrote it."""
    assert via(X_Real_IP=b"198.51.100.7").address == "10.0.0.1"


def test_unix_socket():
    """A-34: a peer on a UNIX socket is a trusted proxy where that is said."""
    trusted = TrustedProxies.parse(["unix"])
    client = effective_client(None, False, fields_of(X_Forwarded_For=b"192.0.2.1"), trusted)
    assert client == Client("192.0.2.1", None, None, None)
    assert effective_client(None, False, fields_of(), trusted).address is None


@pytest.mark.parametrize(("peer", "address"), [("::ffff:192.0.2.1", "192.0.2.1"), ("::ffff:x", "::ffff:x")])
def test_mapped_peer(peer, address):
    """An IPv4 peer on a socket for both families is shown as one, and remains what the socket says as the peer."""
    client = effective_client(peer, False, fields_of(), PROXIES)
    assert (client.address, client.peer) == (address, peer)


def test_mapped_proxy():
    """A-34: an IPv4 proxy is trusted on a socket for both families, too."""
    client = via("::ffff:10.0.0.1", X_Forwarded_For=b"192.0.2.1")
    assert (client.address, client.peer) == ("192.0.2.1", "::ffff:10.0.0.1")
    assert via("::ffff:10.0.0.1").address == "10.0.0.1"


@pytest.mark.parametrize("secure", [False, True])
def test_proxy_header(secure):
    """A-34: the source in a trusted peer's PROXY header is who asks; its fields are a stranger's, its Host its own."""
    client = effective_client("10.0.0.1", secure, EVERYTHING, PROXIES, "192.0.2.1")
    assert client == Client("192.0.2.1", b"https" if secure else None, b"app.example:81", "10.0.0.1")


def test_proxy_header_of_a_proxy():
    """A-34: a trusted proxy behind a PROXY header is believed in turn."""
    fields = fields_of(X_Forwarded_For=b"198.51.100.7, 192.0.2.1", X_Forwarded_Proto=b"https")
    client = effective_client("::1", False, fields, PROXIES, "::ffff:10.0.0.5")
    assert client == Client("192.0.2.1", b"https", None, "::1")
    assert effective_client("::1", False, fields_of(), PROXIES, "10.0.0.5").address == "10.0.0.5"


@pytest.mark.parametrize("source", ["", "garbage", "10.0.0.256", "fe80::1%\x1b"])
def test_garbage_in_proxy_header(source):
    """A-34: a source that is no address leaves the peer as the one who asks, and nobody's fields are believed."""
    client = effective_client("10.0.0.1", False, EVERYTHING, PROXIES, source)
    assert client == Client("10.0.0.1", None, b"app.example:81", "10.0.0.1")


@pytest.mark.parametrize(
    ("entry", "inside", "outside"),
    [
        ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"], ["11.0.0.0", "::10.0.0.1"]),
        ("192.0.2.1", ["192.0.2.1"], ["192.0.2.2"]),
        ("::1", ["::1", "0:0::1"], ["::2", "127.0.0.1"]),
        ("fe80::/10", ["fe80::1", "fe80::1%eth0"], ["fec0::1"]),
        ("::ffff:10.0.0.0/104", ["10.0.0.1", "::ffff:10.0.0.1"], ["11.0.0.1"]),
        ("2001:db8::/112", ["2001:db8::1"], ["2001:db8::1:0"]),
        ("0.0.0.0/0", ["192.0.2.1"], ["2001:db8::1"]),
    ],
)
def test_networks(entry, inside, outside):
    """A-34: networks of both families, IPv4 within IPv6 counted as IPv4; nobody without an address is in them."""
    trusted = TrustedProxies.parse([entry])
    assert all(address in trusted for address in inside)
    assert not any(address in trusted for address in [*outside, None, "", "localhost", "garbage"])


def test_unix():
    """A-34: ``unix`` means peers without an address, and them alone."""
    trusted = TrustedProxies.parse(iter(["unix"]))
    assert None in trusted
    assert "127.0.0.1" not in trusted
    assert None not in NOBODY


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ("10.0.0.0/8", r"must be a list.*write \['10.0.0.0/8'\]"),
        (["10.0.0.1/8"], "'10.0.0.1/8' is no trusted proxy.*host bits"),
        (["proxy.example"], "'proxy.example' is no trusted proxy.*write a network such as"),
        (["*"], "is no trusted proxy"),
        ([""], "is no trusted proxy"),
        ([1], "1 is no trusted proxy"),
    ],
)
def test_bad_entries(entries, message):
    """What is written down wrongly is told at once, and how to write it."""
    with pytest.raises(ValueError, match=message):
        TrustedProxies.parse(entries)
