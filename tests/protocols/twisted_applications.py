"""An application as twisted.web.websocket wants it, which notes what it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.python.failure import Failure
from twisted.web.resource import Resource

from upgradegw import UpgradeResource, websocket


class Application:
    """Notes what it is told, and does what the test says at a message."""

    def __init__(self, *, say: Any = None, at: dict[Any, Any] | None = None) -> None:
        self.events: list[Any] = []
        self.say = say
        self.at = at or {}
        self.reason: Failure | None = None

    def negotiationStarted(self, transport: Any) -> None:
        self.transport = transport
        self.events.append("started")

    def negotiationFinished(self) -> None:
        self.events.append("finished")
        if self.say is not None:
            self.transport.sendTextMessage(self.say)

    def textMessageReceived(self, message: str) -> Any:
        self.events.append(message)
        return self.at.get(message, lambda _transport: None)(self.transport)

    def bytesMessageReceived(self, data: bytes) -> Any:
        self.events.append(bytes(data))
        return self.at.get(bytes(data), lambda _transport: None)(self.transport)

    def pongReceived(self, payload: bytes) -> None:
        self.events.append(("pong", bytes(payload)))

    def connectionLost(self, reason: Failure) -> None:
        self.reason = reason
        self.events.append("lost")


class ApplicationFactory:
    """A WebSocketServerFactory as twisted.web has it."""

    def __init__(self, build: Callable[[Any], Any]) -> None:
        self.build = build
        self.requests: list[Any] = []

    def buildProtocol(self, request: Any) -> Any:
        self.requests.append((request.path, request.args, request.getHeader("X-Cup")))
        return self.build(request)


def tree(application: Any, **settings: Any) -> Resource:
    root = Resource()
    factory = ApplicationFactory(lambda _request: application)
    root.putChild(b"ws", UpgradeResource([websocket(factory, **settings)]))
    return root
