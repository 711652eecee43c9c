"""The redirect from cleartext to TLS."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.web.resource import Resource

from tests.memory import Memory, content_of, fields_of
from upgradegw.http.limits import Limits
from upgradegw.http.subtrees import limit, limits_for
from upgradegw.service.front import Front, ToHttps
from upgradegw.testing import Client, Refused


class Root(Resource):
    """Says that a request has reached the routes."""

    def getChild(self, path: bytes, request: Any) -> Any:
        return self

    def render(self, request: Any) -> bytes:
        return b"the routes"


def front(port: int = 443) -> Front:
    """A site that only leads to TLS."""
    return Front(Root(), None, ToHttps(lambda: port))


def ask(request: bytes, port: int = 443, **arguments: Any) -> bytes:
    """Send one request without TLS."""
    return Memory(front(port), **arguments).send(request)


def location(answer: bytes) -> bytes:
    """Where a client is sent."""
    assert answer.startswith(b"HTTP/1.1 308 "), answer
    return fields_of(answer)[b"location"]


def get(target: bytes, host: bytes = b"a.example", *lines: bytes) -> bytes:
    return b"\r\n".join([b"GET " + target + b" HTTP/1.1", b"Host: " + host, *lines, b"", b""])


@pytest.mark.parametrize(
    "target",
    [
        b"/",
        b"/a/./b/../c;x?y=%2F&z=a+b",
        b"/%zz%00%0d%0aLocation:%20x",
        b"//evil.example/",
        b"/\\evil.example",
        b"/?http://evil.example/",
        b"/@evil.example",
    ],
)
def test_the_target_is_kept_byte_for_byte(target: bytes) -> None:
    """A-42: the same host, and the target as it came: nothing in it leads elsewhere or becomes a field."""
    answer = ask(get(target))
    assert location(answer) == b"https://a.example" + target
    assert fields_of(answer)[b"cache-control"] == b"no-store"
    assert b"a.example" not in content_of(answer)


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"DELETE", b"OPTIONS", b"BREW"])
def test_every_method_is_redirected(method: bytes) -> None:
    """RFC 9110 section 15.4.9: with 308 the client repeats the same method."""
    assert location(ask(method + b" /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\n\r\nhi")) == (
        b"https://a.example/x"
    )


def test_head_is_redirected() -> None:
    """HEAD gets the same without content."""
    answer = ask(b"HEAD /x HTTP/1.1\r\nHost: a.example\r\n\r\n")
    assert (location(answer), content_of(answer)) == (b"https://a.example/x", b"")


@pytest.mark.parametrize(
    ("host", "port", "authority"),
    [
        (b"A.Example", 443, b"a.example"),
        (b"a.example:80", 443, b"a.example"),
        (b"a.example:8080", 8443, b"a.example:8443"),
        (b"[2001:DB8::1]:8080", 443, b"[2001:db8::1]"),
        (b"192.0.2.1", 8443, b"192.0.2.1:8443"),
    ],
)
def test_the_port_is_that_of_tls(host: bytes, port: int, authority: bytes) -> None:
    """The port of the request is cleartext's; 443 need not be told (RFC 9110 section 4.2.2)."""
    assert location(ask(get(b"/x", host), port)) == b"https://" + authority + b"/x"


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        get(b"/", b"a.example, b.example"),
        get(b"/", b"evil.example/x?"),
        get(b"/", b"user@a.example"),
        get(b"/", b"a.example", b"Host: b.example"),
        get(b"/", b""),
    ],
)
def test_without_a_host_there_is_nowhere_to_go(request_: bytes) -> None:
    """A-42: a Host that is missing, repeated or names no host gets 400."""
    assert ask(request_).startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))


def test_the_absolute_form() -> None:
    """RFC 9112 section 3.2.2: the authority of the target counts, and Host does not."""
    assert location(ask(get(b"http://b.example/x?y"))) == b"https://b.example/x?y"


def test_a_trusted_proxy_names_the_host() -> None:
    """A-34: what a trusted proxy says of the host counts; from anybody else it does not."""
    request = get(b"/x", b"inside", b"X-Forwarded-Host: a.example", b"X-Forwarded-Proto: http")
    assert location(ask(request, trusted_proxies=["192.0.2.7"])) == b"https://a.example/x"
    assert location(ask(request)) == b"https://inside/x"
    assert location(ask(get(b"/x"), trusted_proxies=["192.0.2.7"])) == b"https://a.example/x"


def test_no_redirect_without_end() -> None:
    """Behind a trusted proxy that has taken TLS off, the redirect would lead back to here: 421."""
    request = get(b"/x", b"a.example", b"X-Forwarded-Proto: https")
    assert ask(request, trusted_proxies=["192.0.2.7"]).startswith(b"HTTP/1.1 421 ")
    assert location(ask(request)) == b"https://a.example/x"


def test_an_upgrade_is_redirected() -> None:
    """Nothing is switched without TLS: the client is told where to ask again."""
    websocket = b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13"
    answer = ask(get(b"/ws", b"a.example", *websocket, b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="))
    assert location(answer) == b"https://a.example/ws"


def test_what_came_behind_an_upgrade_is_no_request() -> None:
    """A-05: bytes behind an offer to switch are not parsed; behind a plain request they are the next one."""
    offer = b"Connection: Upgrade", b"Upgrade: websocket"
    assert ask(get(b"/ws", b"a.example", *offer) + get(b"/two")).count(b"HTTP/1.1 308 ") == 1
    assert ask(get(b"/one") + get(b"/two")).count(b"HTTP/1.1 308 ") == 2


def test_over_tls_the_routes_are_served() -> None:
    """Only what comes without TLS is redirected."""
    assert ask(get(b"/x")).startswith(b"HTTP/1.1 308 ")
    for over in ("tls", "http/2+tls"):
        with Client(front(), over) as client:  # type: ignore[arg-type]
            assert client.get("/x").content == b"the routes"


def test_http_2_without_tls_is_redirected() -> None:
    """H2-01: prior knowledge leads to the same answer; extended CONNECT, which cannot be repeated elsewhere, to 405."""
    with Client(front(), "http/2") as client:
        answer = client.get("/x")
        assert (answer.status, answer.get("location")) == (308, b"https://server.example/x")
        with pytest.raises(Refused) as refused:
            client.websocket("/ws")
        assert refused.value.status == 405


def test_limits_of_the_routes_are_found() -> None:
    """What stands before the root does not hide its children, which may say how much content they take."""
    root = Root()
    root.putChild(b"upload", limit(Resource(), max_content=5))
    found, _ = limits_for(Front(root, None, None), b"/upload/x", Limits())
    assert found.max_content == 5
