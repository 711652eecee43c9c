"""What the attacked site serves: two echoes, a page, a page that must not be reached, and a slow one."""

from __future__ import annotations

from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory
from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from tests.protocols.websocket.support import Echo
from tests.protocols_for_tests import RecorderFactory, echo
from upgradegw.protocols.stream import stream
from upgradegw.protocols.websocket import websocket
from upgradegw.web.resource import UpgradeResource


class Page(Resource):
    """Answers with its own name, and notes that it was asked."""

    isLeaf = True

    def __init__(self, tree: Tree, name: str) -> None:
        super().__init__()
        self._tree, self._name = tree, name

    def render(self, request: Any) -> bytes:
        self._tree.rendered.append(self._name)
        self._tree.contents.append(request.content.read())
        return self._name.encode()


class Slow(Resource):
    """Answers when it is told to."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[Any] = []

    def render(self, request: Any) -> int:
        self.waiting.append(request)
        return NOT_DONE_YET

    def answer(self) -> None:
        request = self.waiting.pop(0)
        request.write(b"slow")
        request.finish()


class ListingFactory(WebSocketServerFactory):
    """Keeps what it built."""

    noisy = False
    answer: Any = None

    def __init__(self, clock: IReactorTime) -> None:
        super().__init__(reactor=clock)
        self.protocol = Echo
        self.built: list[Any] = []

    def buildProtocol(self, addr: Any) -> Any:
        self.built.append(super().buildProtocol(addr))
        return self.built[-1]


class Tree(Resource):
    """The root.

    Attributes:
        rendered: The names of the pages that were asked for.
        contents: What they got as content.
        chat: The factory behind ``/ws``; it keeps what it has built in ``built``.
        bytes: The factory behind ``/echo``.
        slow: The slow page.
    """

    def __init__(self, clock: IReactorTime, authorize: Any = None, **options: Any) -> None:
        """Make the tree.

        Args:
            clock: Autobahn's.
            authorize: Of both upgrade resources.
            options: Of ``websocket``.
        """
        super().__init__()
        self.rendered: list[str] = []
        self.contents: list[bytes] = []
        self.chat = ListingFactory(clock)
        self.bytes = RecorderFactory(data=echo)
        self.slow = Slow()
        self.putChild(b"", Page(self, "home"))
        self.putChild(b"admin", Page(self, "admin"))
        self.putChild(b"slow", self.slow)
        self.putChild(b"ws", UpgradeResource([websocket(self.chat, **options)], authorize=authorize))
        self.putChild(b"echo", UpgradeResource([stream("echo", self.bytes)], authorize=authorize))

    @property
    def chats(self) -> list[Any]:
        """The WebSocket protocols that were built."""
        return self.chat.built
