"""Endpoint descriptions, read without a reactor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.endpoints import quoteStringArgument
from twisted.python.usage import UsageError

from upgradegw.service.descriptions import (
    DEFAULT_BACKLOG,
    Certified,
    Description,
    Inherited,
    Other,
    Tcp,
    Unix,
    certified,
    parse,
)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("tcp:8080", Tcp(8080)),
        ("tcp:0:interface=127.0.0.1", Tcp(0, "127.0.0.1")),
        ("tcp:80:127.0.0.1:7", Tcp(80, "127.0.0.1", backlog=7)),
        ("tcp:port=80:backlog=9", Tcp(80, backlog=9)),
        (r"tcp:80:interface=\:\:1", Tcp(80, "::1", ipv6=True)),
        (r"tcp:80:interface=[\:\:1]", Tcp(80, "::1", ipv6=True)),
        ("tcp6:80", Tcp(80, ipv6=True)),
        ("unix:/run/x.sock", Unix("/run/x.sock")),
        ("unix:/run/x.sock:mode=660:lockfile=0", Unix("/run/x.sock", 0o660, lockfile=False)),
        ("unix:address=/run/x.sock:backlog=5", Unix("/run/x.sock", backlog=5)),
        (r"unix:/run/a\:b\=c\\d", Unix("/run/a:b=c\\d")),
        ("systemd:domain=INET:index=1", Inherited("INET", 1)),
        ("systemd:UNIX:name=web", Inherited("UNIX", name="web")),
        ("systemd:index=0", Inherited()),
        ("ssl:443:privateKey=k.pem", Other("ssl:443:privateKey=k.pem")),
    ],
)
def test_descriptions_are_read_as_twisted_reads_them(text: str, place: object) -> None:
    """TCP and UNIX descriptions are understood with all their parts; other kinds are left to Twisted."""
    assert parse(text) == Description(place)  # type: ignore[arg-type]


@pytest.mark.parametrize("inner", ["tcp:8080", "unix:/run/x.sock", "systemd:index=0"])
def test_proxy_protocol_is_a_prefix(inner: str) -> None:
    """``haproxy:`` in front of a description means a PROXY header on each connection."""
    assert parse(f"haproxy:{inner}") == Description(parse(inner).place, haproxy=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("8080", "write tcp:8080"),
        (":8080", "write tcp:8080 for"),
        ("*:8080", "write tcp:8080 for"),
        ("127.0.0.1:8080", "write tcp:8080:interface=127.0.0.1 for"),
        ("tcp", "port number is missing"),
        ("tcp:", "'' is no port"),
        ("tcp:http", "'http' is no port"),
        ("tcp:65536", "'65536' is no port"),
        ("tcp:-1", "'-1' is no port"),
        ("tcp:٣", "no port"),
        ("tcp:80:backlog=0", "'0' is no backlog"),
        ("tcp:80:interfaces=::1", "interfaces= is not known"),
        ("tcp:80:port=81", "port is there twice"),
        ("tcp:80:127.0.0.1:5:6", "'6' is one part too many"),
        ("unix", "a path is missing"),
        ("unix:", "a path is missing"),
        ("unix:/x:mode=999", "mode=999 is no octal file mode"),
        ("unix:/x:lockfile=2", "'2' is no lockfile"),
    ],
)
def test_malformed_descriptions_are_explained(text: str, message: str) -> None:
    """What is wrong with a description is said in words."""
    with pytest.raises(UsageError, match=message):
        parse(text)


@given(st.text(min_size=1).filter(lambda path: "\0" not in path))
def test_quoted_paths_come_back(path: str) -> None:
    """What ``quoteStringArgument`` protects is read back as it was, also ``=`` behind the first one."""
    assert parse(f"unix:address={quoteStringArgument(path)}").place == Unix(path, backlog=DEFAULT_BACKLOG)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ssl:443", Certified("tcp:port=443", "server.pem", "server.pem")),
        ("ssl:443:privateKey=k.pem", Certified("tcp:port=443", "k.pem", "k.pem")),
        ("ssl:443:k.pem:c.pem:backlog=9", Certified("tcp:port=443:backlog=9", "c.pem", "k.pem")),
        (r"ssl:443:k\:1:interface=\:\:1", Certified(r"tcp:port=443:interface=\:\:1", "k:1", "k:1")),
        ("haproxy:ssl:443", Certified("haproxy:tcp:port=443", "server.pem", "server.pem")),
        ("ssl", None),
        ("ssl:443:k.pem:c.pem:TLS_METHOD", None),
        ("ssl:443:dhParameters=d.pem", None),
        ("tcp:443", None),
    ],
)
def test_a_certificate_is_read_as_twisted_reads_it(text: str, found: Certified | None) -> None:
    """With Twisted's defaults; where it says more than we know, nothing of it is understood."""
    assert certified(text) == found


def test_a_certificate_is_named_once() -> None:
    """The same part by position and by name is an error."""
    with pytest.raises(UsageError, match="port is there twice"):
        certified("ssl:443:port=444")
