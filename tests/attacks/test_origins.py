"""Requests on behalf of others: pages of strangers, names of strangers, words of strangers about the client."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.protocols.haproxy._wrapper import HAProxyWrappingFactory

from tests.attacks.clients import get, websocket_request
from tests.attacks.conftest import KINDS, Serve
from tests.attacks.listening import Listening
from tests.attacks.tree import Tree
from upgradegw.interfaces import Allow
from upgradegw.web.clients import client_of

COOKIE = b"Cookie: session=the-victims"

#: What a page on another site makes a browser send, or what looks like our own name to a careless comparison.
FOREIGN = [
    b"https://evil.example",
    b"http://evil.example",
    b"null",
    b"%s://a.example.evil.example",
    b"%s://evil.example.a.example",
    b"%s://evila.example",
    b"%s://a-example",
    b"%s://a.example:444",
    b"%s://a.example.",
    b"%s://sub.a.example",
    b"file://",
    b"chrome-extension://a.example",
]
#: What no browser sends.
MALFORMED = [b"", b"a.example", b"%s://user@a.example", b"%s://a.example/path", b"%s://a.example, https://evil.example"]


@pytest.mark.parametrize("origin", FOREIGN + MALFORMED)
def test_page_of_a_stranger(anywhere: Serve, origin: bytes) -> None:
    """A-12: a page elsewhere gets no WebSocket with the user's cookies, whatever name it has; nobody is asked."""
    asked: list[Any] = []

    place = anywhere()
    place.root.children[b"ws"].authorize = asked.append
    scheme = b"https" if place.secure else b"http"
    origin = origin.replace(b"%s", scheme)
    client = place.ask(websocket_request(b"Origin: " + origin, COOKIE))
    assert client.statuses in ([403], [400])
    assert place.root.chats == asked == []
    if origin:
        assert origin not in client.received


def test_other_scheme_and_repeated(anywhere: Serve) -> None:
    """A-12: the scheme is part of the origin, and two origins are none; the own origin passes."""
    place = anywhere()
    own, other = (b"https", b"http") if place.secure else (b"http", b"https")
    assert place.ask(websocket_request(b"Origin: " + other + b"://a.example", COOKIE)).statuses == [403]
    twice = websocket_request(b"Origin: " + own + b"://a.example", b"Origin: https://evil.example", COOKIE)
    assert place.ask(twice).statuses == [400]
    place.open_websocket(b"Origin: " + own + b"://a.example", COOKIE)
    assert len(place.root.chats) == 1


def test_list_of_origins(anywhere: Serve, clock: Any) -> None:
    """A-12: a list holds whole origins; nothing that begins or ends with one passes, nor does ``null``."""
    place = anywhere(Tree(clock, origins=["https://app.example", "https://b.example:8443"]))
    for origin in (b"https://app.example.evil", b"https://xapp.example", b"https://b.example", b"http://app.example"):
        assert place.ask(websocket_request(b"Origin: " + origin)).statuses == [403]
    assert place.ask(websocket_request(b"Origin: null")).statuses == [403]
    place.open_websocket(b"Origin: https://b.example:8443")


def test_strangers_name(ours: Serve) -> None:
    """A-13: with ``allowed_hosts`` a name that only points here gets 421 and reaches no resource."""
    place = ours(allowed_hosts=["a.example"])
    for host in (b"evil.example", b"127.0.0.1", b"evil.example:80", b"a.example.evil.example", b"a.example."):
        for request in (get(b"/admin", b"Host: " + host), websocket_request(b"Host: " + host)):
            place.ask(request).refused(421)
    place.ask(get(b"/admin", version=b"1.0").replace(b"Host: a.example\r\n", b"")).refused(421)
    assert place.root.rendered == place.root.chats == []
    assert place.ask(get(b"/admin", b"Host: A.EXAMPLE:8080")).statuses == [200]


def test_host_and_target_disagree(ours: Serve) -> None:
    """A-13: of a target in absolute form its own host counts, for ``allowed_hosts`` and for the origin alike."""
    place = ours(allowed_hosts=["a.example"])
    place.ask(get(b"http://evil.example/admin")).refused(421)
    client = place.ask(get(b"http://a.example/admin", b"Host: evil.example"))
    assert client.statuses == [200]
    request = websocket_request(b"Host: evil.example", b"Origin: http://evil.example", path=b"http://a.example/ws")
    assert place.ask(request).statuses == [403]
    assert place.root.rendered == ["admin"]


@pytest.mark.parametrize(
    "lines",
    [
        (b"Host: a.example", b"Host: evil.example"),
        (b"Host: a.example, evil.example",),
        (b"Host: user@a.example",),
        (b"Host: a.example/evil",),
        (b"Host: a.example:port",),
        (b"Host: ",),
        (b"Host : a.example",),
    ],
)
def test_malformed_host(ours: Serve, lines: tuple[bytes, ...]) -> None:
    """A-13: a Host that can be read in two ways is refused: 400, and the end."""
    place = ours()
    place.ask(get(b"/admin", *lines)).refused(400)
    assert place.root.rendered == []


SPOOFED = (
    b"X-Forwarded-For: 203.0.113.9",
    b"X-Forwarded-Proto: https",
    b"X-Forwarded-Host: bank.example",
    b"X-Real-IP: 203.0.113.9",
    b"Forwarded: for=203.0.113.9;proto=https;host=bank.example",
    b"True-Client-IP: 203.0.113.9",
)


def _seen_by_authorize(serve: Any, clock: Any, *lines: bytes, **arguments: Any) -> tuple[Any, Listening]:
    seen: list[Any] = []

    def authorize(request: Any) -> Allow:
        seen.append(client_of(request))
        return Allow()

    place = serve(Tree(clock, authorize), **arguments)
    place.open_websocket(*lines)
    return seen[0], place


def test_words_of_a_stranger(anywhere: Serve, clock: Any, events: list[Any]) -> None:
    """A-34: what somebody says of himself is not believed: not by ``authorize``, the application or the log."""
    client, place = _seen_by_authorize(anywhere, clock, *SPOOFED)
    scheme = b"https" if place.secure else b"http"
    assert (client.address, client.scheme, client.authority) == ("127.0.0.1", scheme, b"a.example")
    assert "203.0.113.9" not in str(place.root.chats[0].peer)
    assert {event["client"] for event in events if "client" in event} == {"127.0.0.1"}
    origin = b"Origin: https://bank.example"
    assert place.ask(websocket_request(*SPOOFED, origin)).statuses == [403]


def test_words_behind_a_proxy(ours: Serve, clock: Any) -> None:
    """A-34: of a list that a trusted proxy has added to, the rightmost stranger counts; what is left of him is his."""
    lines = (b"X-Forwarded-For: 203.0.113.9, 127.0.0.1, 198.51.100.4", b"X-Real-IP: 203.0.113.9")
    client, _ = _seen_by_authorize(ours, clock, *lines, trusted_proxies=["127.0.0.0/8"])
    assert client.address == "198.51.100.4"
    client, _ = _seen_by_authorize(ours, clock, *lines, trusted_proxies=["10.0.0.0/8"])
    assert client.address == "127.0.0.1"


def test_many_faces(ours: Serve) -> None:
    """A-34: invented addresses do not get around the limit for each client."""
    place = ours(max_connections_per_client=2)
    for number in range(2):
        assert place.ask(get(b"/", b"X-Forwarded-For: 203.0.113.%d" % number)).statuses == [200]
    place.ask(get(b"/", b"X-Forwarded-For: 203.0.113.3")).refused(503)


def test_proxy_header_where_none_is_expected(ours: Serve) -> None:
    """A-34: a PROXY header on a listener that is not for proxies is no request."""
    place = ours()
    for header in (b"PROXY TCP4 203.0.113.9 127.0.0.1 1 80\r\n", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12)):
        place.ask(header + get(b"/admin")).refused(400)
    assert place.root.rendered == []


def test_proxy_header_of_a_stranger(clock: Any, serve_on: Any, events: list[Any]) -> None:
    """A-34: behind a PROXY header that a stranger wrote his own address counts, unless he is a trusted proxy."""
    for trusted, address in (((), "127.0.0.1"), (("127.0.0.1",), "203.0.113.9")):
        place = serve_on(KINDS["UpgradeSite-tcp"], trusted_proxies=trusted)
        place._port.factory = HAProxyWrappingFactory(place.site)
        place.ask(b"PROXY TCP4 203.0.113.9 127.0.0.1 1 80\r\n" + get(b"/admin"))
        assert events[-1]["client"] == address
