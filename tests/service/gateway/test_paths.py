"""Paths and hosts of routes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.python.usage import UsageError

from upgradegw.service.gateway.paths import ANY, exact_segments, host_patterns, parse_host, parse_path


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("a", "must begin with a slash"),
        ("", "must begin with a slash"),
        ("/a//b", "empty segments"),
        ("/a/../b", "must not hold"),
        ("/./a", "must not hold"),
        ("/a?x", "percent escapes"),
        ("/a%20b", "percent escapes"),
    ],
)
def test_paths_that_match_nothing_are_refused(path: str, message: str) -> None:
    """A route that no request could reach is a mistake."""
    for parse in (parse_path, exact_segments):
        with pytest.raises(UsageError, match=message):
            parse(path)


@given(st.lists(st.text(alphabet="abcé ", min_size=1), max_size=4), st.booleans())
def test_paths_are_segments(segments: list[str], slash: bool) -> None:
    """A path is its segments in UTF-8; a slash at the end makes a difference for exact ones alone."""
    path = "/" + "/".join(segments) + "/" * (slash and bool(segments))
    found = tuple(segment.encode() for segment in segments)
    assert parse_path(path) == found
    assert exact_segments(path) == (*found, *([b""] if path.endswith("/") else []))


@pytest.mark.parametrize(
    ("host", "pattern"),
    [
        ("A.Example", b"a.example"),
        ("a.example.", b"a.example"),
        ("*.Example", b"*.example"),
        ("192.0.2.1", b"192.0.2.1"),
        ("[2001:DB8:0::1]", b"[2001:db8::1]"),
    ],
)
def test_hosts(host: str, pattern: bytes) -> None:
    """A host is a name or an address, in a form that can be compared."""
    assert parse_host(host) == pattern


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("a.example:80", "without a port"),
        ("a b", "is no host"),
        ("*", "is no host"),
        ("a.*", "is no host"),
        ("", "is no host"),
        ("bücher.example", "punycode: xn--bcher-kva.example"),
        ("*.é" + "x" * 70, "punycode: xn--…"),
    ],
)
def test_what_is_no_host_is_refused(host: str, message: str) -> None:
    """A host that no request could name is a mistake."""
    with pytest.raises(UsageError, match=message):
        parse_host(host)


@pytest.mark.parametrize(
    ("authority", "patterns"),
    [
        (b"x.a.example:8080", [b"x.a.example", b"*.a.example", b"*.example", ANY]),
        (b"A.EXAMPLE.", [b"a.example", b"*.example", ANY]),
        (b"localhost", [b"localhost", ANY]),
        (b"[::1]:80", [b"[::1]", ANY]),
        (b"no host", [ANY]),
        (None, [ANY]),
    ],
)
def test_what_fits_a_host_comes_in_order(authority: bytes | None, patterns: list[bytes]) -> None:
    """The name itself, then all names below each of those above it, then any host."""
    assert list(host_patterns(authority)) == patterns
