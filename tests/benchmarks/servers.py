"""The stock sites that are compared, one process each: ``python servers.py NAME`` prints its port.

Each serves a WebSocket echo at ``/ws`` and twelve bytes at ``/plain``, without access log and without compression.
"""

from __future__ import annotations

import sys
from typing import Any

from autobahn.twisted.resource import WebSocketResource
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet import reactor
from twisted.web.resource import Resource
from twisted.web.server import Site

from upgradegw.events import access_events
from upgradegw.protocols.websocket import websocket
from upgradegw.web.resource import UpgradeResource


class Echo(WebSocketServerProtocol):
    """Sends back what it gets."""

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.sendMessage(payload, isBinary)


class Plain(Resource):
    """Twelve bytes."""

    isLeaf = True

    def render_GET(self, request: Any) -> bytes:
        return b"hello, world"


def echo_factory() -> WebSocketServerFactory:
    """An Autobahn application."""
    factory = WebSocketServerFactory("ws://127.0.0.1")
    factory.protocol = Echo
    return factory


def autobahn() -> Site:
    """Autobahn's own resource in a stock Site."""
    root = Resource()
    root.putChild(b"ws", WebSocketResource(echo_factory()))
    root.putChild(b"plain", Plain())
    return Site(root)


def stock() -> Site:
    """Our resource in a stock Site."""
    root = Resource()
    root.putChild(b"ws", UpgradeResource([websocket(echo_factory())]))
    root.putChild(b"plain", Plain())
    return Site(root)


def main() -> None:
    """Serve until killed."""
    access_events.silent = True  # Autobahn's resource logs none, either
    site = {"autobahn": autobahn, "stock": stock}[sys.argv[1]]()
    port = reactor.listenTCP(0, site, interface="127.0.0.1", backlog=1000)  # type: ignore[attr-defined]
    print(port.getHost().port, flush=True)  # noqa: T201 - read by the one who started it
    reactor.run()  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
