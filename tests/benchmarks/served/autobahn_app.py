"""What ours serves: an application of Autobahn's and a resource of twisted.web's, neither of which knows of us."""

from __future__ import annotations

from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.web.resource import Resource


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
