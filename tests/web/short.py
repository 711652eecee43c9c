"""What the tests of the short way share: an application, its request, and which way was taken."""

from __future__ import annotations

from typing import Any

import pytest
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.web.resource import Resource

from tests.memory import WEBSOCKET, Memory
from upgradegw.protocols.websocket import websocket
from upgradegw.web.request import UpgradeRequest
from upgradegw.web.resource import UpgradeResource
from upgradegw.web.short_switch import ShortSwitch


class Echo(WebSocketServerProtocol):
    """Remembers itself, and sends back what it gets."""

    def onOpen(self) -> None:
        self.factory.opened.append(self)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.sendMessage(payload, isBinary)


class Ordinary(UpgradeRequest):
    """A request class of somebody's own, which therefore sees every request."""


def echo_factory(kind: type[WebSocketServerProtocol] = Echo) -> Any:
    """An application of Autobahn's, with a class of its own: settings are kept for no more than 32 factories of one."""
    factory: Any = WebSocketServerFactory()
    factory.protocol = type(kind.__name__, (kind,), {})
    factory.opened = []
    return factory


def in_use(upgrade: Any) -> Any:
    """Return an upgrade whose factory has been started, by a first connection on another site."""
    Memory(UpgradeResource([upgrade]), stock=True).send(handshake(path=b"/"))
    upgrade.factory.opened.clear()
    return upgrade


def serving(kind: type[WebSocketServerProtocol] = Echo, **settings: Any) -> Any:
    """An upgrade in use."""
    return in_use(websocket(echo_factory(kind), **settings))


def handshake(*lines: bytes, path: bytes = b"/ws", version: bytes = b"HTTP/1.1", drop: bytes = b"-") -> bytes:
    """The request of a WebSocket client with more lines, or with one line less."""
    head, *rest = WEBSOCKET.split(b"\r\n")[:-2]
    kept = [*(line for line in rest if not line.lower().startswith(drop)), *lines]
    return b"\r\n".join([head.replace(b"/ws", path).replace(b"HTTP/1.1", version), *kept, b"", b""])


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each upgrade went the short way, as far as that was tried."""
    found: list[bool] = []
    switch = ShortSwitch.__call__

    def watched(self: Any, channel: Any, head: Any) -> bool:
        found.append(switch(self, channel, head))
        return found[-1]

    monkeypatch.setattr(ShortSwitch, "__call__", watched)
    monkeypatch.setattr("upgradegw.web.request.time", lambda: 1_000_000_000.0)
    return found


def tree(below: Resource) -> Resource:
    """A root with a resource at /ws."""
    root = Resource()
    root.putChild(b"ws", below)
    root.putChild(b"", Resource())
    return root
