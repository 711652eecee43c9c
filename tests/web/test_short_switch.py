"""The short way to a switch does what the ordinary one does."""

from __future__ import annotations

from typing import Any

import pytest

from tests.memory import Memory
from tests.protocols.websocket.support import TEXT, frame
from tests.web.short import Ordinary, handshake, serving, tree
from upgradegw.events import access_events
from upgradegw.web.drain import Drain
from upgradegw.web.live import Live
from upgradegw.web.resource import UpgradeResource

#: What is sent, and whether it can go the short way; the rest of what there is goes the ordinary one.
REQUESTS: dict[str, tuple[bytes, bool]] = {
    "plain": (handshake(), True),
    "a slash": (handshake(path=b"/ws/"), True),
    "below": (handshake(path=b"/ws/a/b"), True),
    "a query": (handshake(path=b"/ws?a=%20b&c"), True),
    "absolute": (handshake(path=b"http://a.example/ws"), True),
    "an empty line before": (b"\r\n" + handshake(), True),
    "a frame behind": (handshake() + frame(TEXT, b"early"), True),
    "lower case": (handshake().lower().replace(b"get", b"GET").replace(b"http", b"HTTP"), True),
    "fields twice": (handshake(b"X-One: 1", b"x-two: 2", b"x-one: 3"), True),
    "a cookie": (handshake(b"Cookie: a=b"), True),
    "content of no length": (handshake(b"Content-Length: 0"), True),
    "subprotocols": (handshake(b"Sec-WebSocket-Protocol: other, chat"), True),
    "compression": (handshake(b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"), True),
    "its origin": (handshake(b"Origin: http://a.example"), True),
    "a proxy": (handshake(b"X-Forwarded-For: 198.51.100.3", b"X-Forwarded-Proto: https"), True),
    "escapes": (handshake(path=b"/%77s"), False),
    "escapes below": (handshake(path=b"/ws/%20"), False),
    "two slashes": (handshake(path=b"//ws"), False),
    "elsewhere": (handshake(path=b"/elsewhere"), False),
    "nowhere": (handshake(path=b"/"), False),
    "another origin": (handshake(b"Origin: http://b.example"), False),
    "a wrong version": (handshake(b"Sec-WebSocket-Version: 8", drop=b"sec-websocket-version"), False),
    "no key": (handshake(drop=b"sec-websocket-key"), False),
    "two keys": (handshake(b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), False),
    "a bad subprotocol": (handshake(b"Sec-WebSocket-Protocol: a b"), False),
    "another token": (handshake(b"Upgrade: feed", drop=b"upgrade:"), False),
    "a protected option": (handshake(b"Connection: Upgrade, Host", drop=b"connection"), False),
    "another method": (handshake().replace(b"GET", b"POST"), False),
}

#: What is never tried on the short way.
OTHERS = {
    "http/1.0": handshake(version=b"HTTP/1.0"),
    "no option": handshake(drop=b"connection"),
    "no upgrade": handshake(drop=b"upgrade:"),
    "content": handshake(b"Content-Length: 2") + b"ab",
    "chunks": handshake(b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "a wait for 100": handshake(b"Expect: 100-continue"),
}


def story(sent: bytes, trusted: str = "192.0.2.99", **site: Any) -> list[Any]:
    """Everything that a request leads to: bytes, events, what the application learns, who is counted."""
    upgrade = serving(subprotocols=["chat"], compression=True)
    factory, events, drain = upgrade.factory, [], Drain()
    resource = UpgradeResource([upgrade], drain=drain, max_connections_per_client=1)
    memory = Memory(tree(resource), trusted_proxies=[trusted], **site)
    memory.site.live = live = Live(memory.clock)
    unsubscribe = access_events.subscribe(events.append)
    try:
        memory.send(sent, frame(TEXT, b"hello"))
        told: list[Any] = [memory.received, memory.transport.disconnecting]
        told += [(each.upgrade_info, each.peer, each.websocket_protocol_in_use) for each in factory.opened]
        told += [dict(each.about) for each in live]
        told += [len(resource.admission.clients), drain.open, len(memory.site.connections)]
        if factory.opened:
            second = memory.connect()
            second.deliver(sent)
            assert b"HTTP/1.1 429 " in second.value(), "a client may have one connection"
            told.append(second.value())
        memory.transport.lose()
        told += [len(resource.admission.clients), drain.open, factory.countConnections, len(list(live))]
    finally:
        unsubscribe()
    told += [{name: value for name, value in event.items() if not name.startswith("log_")} for event in events]
    return told


@pytest.mark.parametrize("name", REQUESTS)
def test_both_ways_lead_to_the_same(name: str, ways: list[bool]) -> None:
    """Bytes, events, counts and what the application learns are those of a site that makes a request of each."""
    sent, short = REQUESTS[name]
    trusted = "192.0.2.7" if name == "a proxy" else "192.0.2.99"
    found = story(sent, trusted)
    assert ways[0] == short
    ways.clear()
    assert found == story(sent, trusted, requestFactory=Ordinary)
    assert not any(ways)
    switched = b"HTTP/1.1 101 " in found[0]
    assert switched == (short or name in {"escapes", "escapes below"})


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_more_than_an_offer_is_a_request(name: str, ways: list[bool]) -> None:
    """Content, a client that waits for 100, and offers that are none are not even tried."""
    story(OTHERS[name])
    assert ways == []


def test_a_request_behind_others(ways: list[bool]) -> None:
    """Pipelined requests are answered first; the last one switches."""
    memory = Memory(tree(UpgradeResource([serving()])))
    memory.send(b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n" + handshake() + frame(TEXT, b"hello"))
    assert memory.received.startswith(b"HTTP/1.1 404 ")
    assert b"HTTP/1.1 101 " in memory.received
    assert memory.received.endswith(b"\x81\x05hello")
    assert ways == [True]
