"""The stock sites that are compared, one process each: ``python servers.py NAME`` prints its port.

Each serves a WebSocket echo at ``/ws`` and twelve bytes at ``/plain``, without access log and without compression;
``twisted CERTIFICATE KEY`` has the latter only, over TLS, where twisted.web speaks HTTP/2.
"""

from __future__ import annotations

import sys
from typing import Any

from autobahn.twisted.resource import WebSocketResource
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet import reactor
from twisted.internet.endpoints import serverFromString
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


def twisted() -> Site:
    """A site without a line of ours."""
    root = Resource()
    root.putChild(b"plain", Plain())
    return Site(root)


def main() -> None:
    """Serve until killed."""
    access_events.silent = True  # Autobahn's resource logs none, either
    site = {"autobahn": autobahn, "stock": stock, "twisted": twisted}[sys.argv[1]]()
    where = "tcp:0:interface=127.0.0.1:backlog=1000"
    if len(sys.argv) > 2:
        where = f"ssl:0:interface=127.0.0.1:backlog=1000:certKey={sys.argv[2]}:privateKey={sys.argv[3]}"
    listening = serverFromString(reactor, where).listen(site)
    listening.addCallback(lambda port: print(port.getHost().port, flush=True))  # noqa: T201 - read by who started it
    reactor.run()  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
