"""What the client is tried on: a tree with a WebSocket, a protocol of one's own and a plain resource."""

from __future__ import annotations

from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet.task import Clock
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET
from twisted.web.static import Data

from tests.protocols_for_tests import RecorderFactory, echo
from upgradegw import UpgradeResource, stream, websocket


class Echo(WebSocketServerProtocol):
    """Sends back what it gets, and notes how it ended."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []

    def onConnect(self, request: Any) -> Any:
        self.factory.asked.append(request)
        return self.factory.answer(request)

    def onOpen(self) -> None:
        self.factory.opened.append(self)
        if self.factory.greeting is not None:
            self.sendMessage(self.factory.greeting)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.seen.append(payload)
        self.sendMessage(payload, isBinary)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self.seen.append((wasClean, code))


class EchoFactory(WebSocketServerFactory):
    """Knows all that it has built; ``answer`` is what onConnect returns, ``greeting`` what onOpen sends."""

    protocol = Echo
    noisy = False

    def __init__(self, answer: Any = None, greeting: bytes | None = None, **options: Any) -> None:
        super().__init__(reactor=Clock(), **options)
        self.answer = answer or (lambda _request: None)
        self.greeting = greeting
        self.opened: list[Echo] = []
        self.asked: list[Any] = []

    @property
    def only(self) -> Echo:
        (protocol,) = self.opened
        return protocol


def ws_tree(factory: Any = None, *, settings: Any = None, **arguments: Any) -> Resource:
    """Return a tree with a WebSocket at ``/ws`` and a plain resource at ``/plain``."""
    tree = Resource()
    upgrade = websocket(factory or EchoFactory(), **(settings or {}))
    tree.putChild(b"ws", UpgradeResource([upgrade], **arguments))
    tree.putChild(b"plain", Data(b"plain", "text/plain"))
    return tree


def echo_tree(factory: Any = None, **arguments: Any) -> Resource:
    """Return a tree with an echo behind the token ``echo`` at ``/echo``, and a plain resource at ``/plain``."""
    tree = Resource()
    upgrade = stream("echo", factory or RecorderFactory(data=echo))
    tree.putChild(b"echo", UpgradeResource([upgrade], **arguments))
    tree.putChild(b"plain", Data(b"plain", "text/plain"))
    return tree


class Mirror(Resource):
    """Says what it was asked; ``/later`` never does."""

    isLeaf = True

    def render(self, request: Any) -> Any:
        if request.path == b"/later":
            return NOT_DONE_YET
        request.setHeader(b"X-Peer", request.getClientAddress().host)
        request.setHeader(b"X-Host", request.getRequestHostname())
        for name, values in request.requestHeaders.getAllRawHeaders():
            request.responseHeaders.addRawHeader(b"X-Saw", name.lower() + b"=" + b"|".join(values))
        return request.method + b" " + request.uri + b" " + request.content.read()
