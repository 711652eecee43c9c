"""Bytes behind a request: hidden requests, and requests and protocols that wait for their turn."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from tests.attacks.clients import get, websocket_request
from tests.attacks.conftest import Serve
from tests.attacks.tree import Tree
from tests.protocols.websocket.support import frame
from upgradegw.interfaces import Allow, Deny

HIDDEN = b"POST /admin HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\nevil"

#: Offers that are refused or declined, and the answer.
REFUSED = {
    "unknown token": (get(b"/ws", b"Connection: Upgrade", b"Upgrade: foo"), 426),
    "wrong version": (websocket_request().replace(b"Version: 13", b"Version: 777"), 426),
    "bad key": (websocket_request().replace(b"==", b""), 400),
    "foreign origin": (websocket_request(b"Origin: https://evil.example"), 403),
    "protected option": (websocket_request(b"Connection: Host"), 400),
    "bad method": (websocket_request().replace(b"GET", b"PUT", 1), 405),
}


@pytest.mark.parametrize("name", REFUSED)
def test_hidden_behind_a_refusal(anywhere: Serve, name: str) -> None:
    """A-05: what was sent for the new protocol is no request: the answer says close, and the rest is not parsed."""
    offer, status = REFUSED[name]
    place = anywhere()
    client = place.ask(offer + HIDDEN)
    client.refused(status)
    assert b"Connection: close" in client.received
    client = place.ask(offer[:-1], offer[-1:] + HIDDEN + HIDDEN)
    client.refused(status)
    assert place.root.rendered == place.root.chats == []


def test_hidden_while_it_is_decided(anywhere: Serve, clock: Any) -> None:
    """A-05: the same if the bytes come while the application thinks before it denies."""
    thinking: list[Deferred[Any]] = []

    def authorize(_request: Any) -> Deferred[Any]:
        thinking.append(Deferred())
        return thinking[-1]

    place = anywhere(Tree(clock, authorize))
    client = place.ask(websocket_request(), HIDDEN, HIDDEN)
    assert client.received == b""
    thinking.pop().callback(Deny())
    client.refused(403)
    assert place.root.rendered == []


def test_refusals_without_bytes_behind(anywhere: Serve) -> None:
    """A-05: a refusal alone does not end the connection (RFC 9110 section 7.8)."""
    place = anywhere()
    client = place.connect()
    for offer, _ in REFUSED.values():
        client.send(offer)
    client.send(get(b"/"))
    assert client.statuses == [*(status for _, status in REFUSED.values()), 200]


def test_upgrade_behind_a_slow_request(anywhere: Serve) -> None:
    """A-06: answers come in the order of the requests; frames behind an upgrade wait with it and reach its protocol."""
    place = anywhere()
    client = place.ask(get(b"/slow") + get(b"/admin") + websocket_request() + frame(1, b"early"))
    assert client.received == b""
    assert place.root.rendered == place.root.chats == []
    client.send(frame(1, b"late"))
    place.root.slow.answer()
    place.until(lambda: b"late" in client.received)
    assert client.statuses == [200, 200, 101]
    assert place.root.rendered == ["admin"]
    assert [content for content in place.root.chats[0].seen if content != "open"] == [b"early", b"late"]


def test_two_upgrades_in_a_row(anywhere: Serve) -> None:
    """A-06: behind a switch there are no requests; a second upgrade is bytes of the new protocol."""
    offer = get(b"/echo", b"Connection: Upgrade", b"Upgrade: echo")
    place = anywhere()
    client = place.ask(offer + offer + HIDDEN)
    place.until(lambda: client.received.endswith(HIDDEN))
    assert client.received.count(b" 101 ") == 1
    assert place.root.bytes.only.data == offer + HIDDEN
    assert place.root.rendered == []


def test_upgrade_of_a_used_connection(anywhere: Serve) -> None:
    """A-06: a connection that has served requests can still switch; nothing of them is left over."""
    place = anywhere()
    client = place.ask(get(b"/"), get(b"/admin"), get(b"/ws"), websocket_request() + frame(1, b"hello"))
    place.until(lambda: b"hello" in client.received)
    assert client.statuses == [200, 200, 426, 101]


def test_flood_behind_a_request_that_waits(ours: Serve) -> None:
    """A-06: what is kept behind a request has an end; then the client has to wait."""
    place = ours()
    client = place.ask(get(b"/slow"))
    client.send(get(b"/", b"X: " + b"x" * 16_000) * 900)
    assert client.unsent > 0
    (channel,) = place.site.connections
    assert len(channel._in) <= 256 * 1024
    place.root.slow.answer()
    place.until(lambda: client.statuses[:2] == [200, 200])


def test_flood_while_it_is_decided(anywhere: Serve, clock: Any) -> None:
    """A-06: the same while the application thinks; what was kept is then the protocol's, in order and complete."""
    thinking: Deferred[Any] = Deferred()
    place = anywhere(Tree(clock, lambda _request: thinking))
    offer = get(b"/echo", b"Connection: Upgrade", b"Upgrade: echo")
    flood = bytes(range(256)) * 50_000
    client = place.ask(offer + flood)
    assert client.unsent > 0
    thinking.callback(Allow())
    place.until(lambda: len(client.received.partition(b"\r\n\r\n")[2]) == len(flood))
    assert client.received.endswith(b"\r\n\r\n" + flood)
