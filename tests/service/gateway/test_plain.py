"""Redirects, and responses that are always the same."""

from __future__ import annotations

import pytest
from twisted.python.usage import UsageError

from tests.memory import content_of, fields_of
from tests.service.gateway.support import ask, placed, served
from upgradegw.service.config.model import Redirect, Respond
from upgradegw.service.gateway.plain import FixedResource, RedirectResource


def location(to: str, target: str, path: str = "/old") -> bytes:
    """Where a request is sent."""
    answer = ask(served(placed(path=path, redirect=to)), target)
    assert answer.startswith(b"HTTP/1.1 307 ")
    assert fields_of(answer)[b"cache-control"] == b"no-store"
    return fields_of(answer)[b"location"]


@pytest.mark.parametrize(
    ("to", "target", "expected"),
    [
        ("https://b.example/new", "/old/x?y=1", b"https://b.example/new"),
        ("https://b.example/{path}{query}", "/old/x/y%20z?a=%2F", b"https://b.example/x/y%20z?a=%2F"),
        ("https://b.example/{path}{query}", "/old", b"https://b.example/"),
        ("/new/{path}", "/old/x/", b"/new/x/"),
        ("/{path}", "/old//evil.example", b"/.//evil.example"),
        ("/{path}", "/old/%2f%2fevil.example", b"/%2F%2Fevil.example"),
        ("https://b.example/{path}", "/old/%0d%0aSet-Cookie:%20x", b"https://b.example/%0D%0ASet-Cookie:%20x"),
        ("/{query}", "/old?{path}", b"/?{path}"),
    ],
)
def test_redirects(to: str, target: str, expected: bytes) -> None:
    """A-42: the rest of the path and the query go where they are asked for, and never become a host or a field."""
    assert location(to, target) == expected


def test_another_status() -> None:
    """A table says the status."""
    answer = ask(served(placed(path="/", redirect=Redirect(to="/x", status=301))), "/")
    assert answer.startswith(b"HTTP/1.1 301 ")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("//b.example", "is no address"),
        ("b.example", "is no address"),
        ("javascript:x", "is no address"),
        ("https://{path}", "is no address"),
        ("https://b.example{path}", "slash before"),
        ("https://b.example/a b", "is no address"),
        ("https://b.example/é", "is no address"),
        ("https://b.example/\r\nx: y", "is no address"),
    ],
)
def test_what_leads_nowhere_is_refused(table: Redirect | str, message: str) -> None:
    """Where a redirect leads must be known when it is configured."""
    with pytest.raises(UsageError, match=message):
        RedirectResource(table)


def test_a_fixed_response() -> None:
    """Status, type and content are what the table says, for each path below."""
    respond = Respond(status=404, content="<p>é", content_type="text/html; charset=utf-8")
    answer = ask(served(placed(path="/a", respond=respond)), "/a/b")
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert fields_of(answer)[b"content-type"] == b"text/html; charset=utf-8"
    assert content_of(answer) == "<p>é".encode()


def test_a_response_without_content() -> None:
    """RFC 9110 section 15.3.5: a 204 has neither content nor a type."""
    answer = ask(served(placed(path="/a", respond=Respond(status=204))), "/a")
    assert answer.startswith(b"HTTP/1.1 204 ")
    assert fields_of(answer).keys() & {b"content-type", b"content-length"} == set()
    assert content_of(answer) == b""


@pytest.mark.parametrize(
    ("respond", "message"),
    [
        (Respond(status=204, content="x"), "has no content"),
        (Respond(content_type="é"), "is no media type"),
        (Respond(content_type="a\r\nb"), "is no media type"),
    ],
)
def test_what_cannot_be_answered_is_refused(respond: Respond, message: str) -> None:
    """A response that HTTP does not have is a mistake."""
    with pytest.raises(UsageError, match=message):
        FixedResource(respond)
