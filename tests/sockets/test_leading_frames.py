"""A WebSocket frame in the segment of its handshake, with real sockets."""

from __future__ import annotations

from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase
from twisted.web.resource import Resource
from twisted.web.server import Site

from tests.memory import WEBSOCKET, content_of
from tests.protocols.websocket.support import BINARY, frame, read_frames
from tests.sockets.loopback import KINDS, Loopback
from upgradegw.protocols.websocket import websocket
from upgradegw.web.resource import UpgradeResource
from upgradegw.web.site import UpgradeSite


class Echo(WebSocketServerProtocol):
    """Sends messages back."""

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.sendMessage(payload, isBinary)


class _OnEachSite:
    """Tests that run on both kinds of site."""

    site: Any

    def setUp(self) -> None:
        self.loopback = Loopback()
        self.addCleanup(lambda: Deferred.fromCoroutine(self.loopback.close()))  # type: ignore[attr-defined]

    async def test_first_frame(self) -> None:
        """WS-22: a message of 1, 20,000 or 100,000 bytes in the request's segment is echoed, and so is the next."""
        factory = WebSocketServerFactory("ws://a.example")
        factory.protocol = Echo
        root = Resource()
        root.putChild(b"ws", UpgradeResource([websocket(factory)]))
        for kind in KINDS:
            address = await self.loopback.serve(self.site(root), kind)
            for size in (1, 20_000, 100_000):
                message = (bytes(range(256)) * 400)[:size]
                client = await self.loopback.connect(address, kind)
                client.write(WEBSOCKET + frame(BINARY, message))
                received = await client.until(lambda r, size=size: b"\r\n\r\n" in r and len(content_of(r)) > size)
                assert received.startswith(b"HTTP/1.1 101 "), (kind, size)
                client.write(frame(BINARY, b"next"))
                received = await client.until(lambda r: r.endswith(b"next"))
                assert read_frames(content_of(received)) == [(BINARY, message), (BINARY, b"next")], (kind, size)


class StockSiteTests(_OnEachSite, TestCase):
    """``twisted.web.server.Site``."""

    site = Site


class UpgradeSiteTests(_OnEachSite, TestCase):
    """``UpgradeSite``."""

    site = UpgradeSite
