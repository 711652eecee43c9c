"""The address of an upstream, read as people write it; what is none says what to write."""

from __future__ import annotations

import pytest

from upgradegw.proxy.address import UpstreamAddress


@pytest.mark.parametrize(
    ("text", "expected", "shown", "authority"),
    [
        ("http://a.example", ("http", "a.example", 80, b"", None), None, b"a.example"),
        ("http://a.example:80/", ("http", "a.example", 80, b"", None), "http://a.example", b"a.example"),
        ("http://a.example:8080", ("http", "a.example", 8080, b"", None), None, b"a.example:8080"),
        ("https://a.example", ("https", "a.example", 443, b"", None), None, b"a.example"),
        ("https://a.example:80", ("https", "a.example", 80, b"", None), None, b"a.example:80"),
        ("h2c://localhost:9000", ("h2c", "localhost", 9000, b"", None), None, b"localhost:9000"),
        ("HTTP://a.example/B", ("http", "a.example", 80, b"/B", None), "http://a.example/B", b"a.example"),
        ("http://a.example/b/c%20d/", ("http", "a.example", 80, b"/b/c%20d", None), "http://a.example/b/c%20d", None),
        ("http://192.0.2.1:1", ("http", "192.0.2.1", 1, b"", None), None, b"192.0.2.1:1"),
        ("http://[2001:db8::1]:65535/x", ("http", "2001:db8::1", 65535, b"/x", None), None, b"[2001:db8::1]:65535"),
        ("http://[fe80::1%eth0]", ("http", "fe80::1%eth0", 80, b"", None), None, b"[fe80::1]"),
        ("http://my_service:5000", ("http", "my_service", 5000, b"", None), None, b"my_service:5000"),
        ("unix:/run/a.sock", ("http", "localhost", 80, b"", "/run/a.sock"), None, b"localhost"),
        ("unix:/run/a b.sock:/p/", ("http", "localhost", 80, b"/p", "/run/a b.sock"), "unix:/run/a b.sock:/p", None),
        ("unix:/run/a.sock:", ("http", "localhost", 80, b"", "/run/a.sock"), "unix:/run/a.sock", None),
        ("unix:///var/run/docker.sock", ("http", "localhost", 80, b"", "/var/run/docker.sock"), None, b"localhost"),
    ],
)
def test_addresses(text: str, expected: tuple[object, ...], shown: str | None, authority: bytes | None) -> None:
    """Scheme, host, port, prefix and socket; printed, it is read as the same."""
    address = UpstreamAddress.parse(text)
    assert (address.scheme, address.host, address.port, address.prefix, address.unix) == expected
    if not text.startswith("unix:///"):
        assert str(address) == (shown or text)
    assert UpstreamAddress.parse(str(address)) == address
    if authority is not None:
        assert address.authority == authority


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "http://HOST"),
        ("localhost:8080", "write http://localhost:8080"),
        ("a.example/x", "write http://a.example/x"),
        ("/run/a.sock", "write unix:/run/a.sock"),
        ("ws://a.example", "write http:// instead of ws://"),
        ("wss://a.example", "write https:// instead of wss://"),
        ("ftp://a.example", "http://HOST"),
        ("http://", "http://HOST"),
        ("http:///x", "http://HOST"),
        ("http://user:secret@a.example", "no user or password"),
        ("http://a.example?x", "no query"),
        ("http://a.example/?x", "no query"),
        ("http://a.example/#x", "no fragment"),
        ("http://a.example:0", "from 1 to 65535"),
        ("http://a.example:65536", "from 1 to 65535"),
        ("http://a.example:", "from 1 to 65535"),
        ("http://a.example:x", "from 1 to 65535"),
        ("http://a.example:80:80", "from 1 to 65535"),
        ("http://a.example/a b", "is no path"),
        ("http://a.example/a%2", "is no path"),
        ("http://a.example/a\r\nX: y", "is no path"),
        ("http://a\r\nb", "is no path|no address|no name"),
        ("http://a*b", "no name of a host"),
        ("http://b\xfccher.example", "xn--bcher-kva.example"),
        ("http://" + "\xfc" * 70 + ".example", "its ASCII form"),
        ("http://[::1", "http://HOST"),
        ("unix:run/a.sock", "whole path"),
        ("unix://run/a.sock", "whole path"),
        ("unix:", "whole path"),
        ("unix:/run/a.sock:p", "is no path"),
    ],
)
def test_no_addresses(text: str, says: str) -> None:
    """The error says what to write, and does not repeat a password."""
    with pytest.raises(ValueError, match=says) as caught:
        UpstreamAddress.parse(text)
    assert "secret" not in str(caught.value)


def test_the_prefix_stands_before_targets() -> None:
    """Except before ``*``, which has no path (RFC 9112 section 3.2.4)."""
    address = UpstreamAddress.parse("http://a.example/app/")
    assert address.target(b"/") == b"/app/"
    assert address.target(b"/x?/y") == b"/app/x?/y"
    assert address.target(b"*") == b"*"
    assert UpstreamAddress.parse("http://a.example/").target(b"/x") == b"/x"
