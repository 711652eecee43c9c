"""The short way to a switch is taken only where nobody would see a request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.web.resource import EncodingResourceWrapper, Resource
from twisted.web.server import GzipEncoderFactory

from tests.memory import Memory, upgrade_request
from tests.protocols_for_tests import RecorderFactory
from tests.web.short import Echo, echo_factory, handshake, serving, tree
from upgradegw.interfaces import Allow
from upgradegw.protocols.stream import stream
from upgradegw.protocols.websocket import WebSocketUpgrade, websocket
from upgradegw.web.guarding import Guard
from upgradegw.web.request import UpgradeRequest
from upgradegw.web.resource import UpgradeResource
from upgradegw.web.site import UpgradeSite

COMPRESSED = handshake(b"Sec-WebSocket-Extensions: permessage-deflate")


class Asks(Echo):
    """Wants to know who comes."""

    def onConnect(self, request: Any) -> None:
        pass


class Accepts(Echo):
    """Decides about compression itself."""

    def perMessageCompressionAccept(self, offers: Any) -> None:
        return None


class Measures(Echo):
    """Knows its limit only when it is there."""

    @property
    def maxMessagePayloadSize(self) -> int:
        return 1000


class Below(UpgradeResource):
    """A class of somebody's own."""


class Leads(Resource):
    """Finds its children itself."""

    def getChild(self, path: bytes, request: Any) -> Any:
        return UpgradeResource([serving()])


class Judges(Resource):
    """Looks at each request before its children do."""

    def getChildWithDefault(self, path: bytes, request: Any) -> Any:
        return Resource.getChildWithDefault(self, path, request)


class Prepares(WebSocketUpgrade):
    """Looks at each switch."""

    def prepare(self, info: Any, transport: Any) -> Any:
        return super().prepare(info, transport)


class Wraps:
    """Looks at each switch, and passes all else on."""

    def __init__(self, upgrade: Any) -> None:
        self.upgrade = upgrade

    def __getattr__(self, name: str) -> Any:
        return getattr(self.upgrade, name)

    def prepare(self, info: Any, transport: Any) -> Any:
        return self.upgrade.prepare(info, transport)


def allow(_request: Any) -> Allow:
    """Everybody may."""
    return Allow()


def judging() -> Resource:
    """A parent that looks at each request."""
    root = Judges()
    root.putChild(b"ws", UpgradeResource([serving()]))
    return root


def changed(change: Callable[[Any, Any], None]) -> Any:
    """A tree, whose root and whose upgrade somebody has changed."""
    resource = UpgradeResource([serving()])
    root = tree(resource)
    change(root, resource)
    return root


def put(name: str, function: Callable[..., Any], *, on_root: bool = False) -> Any:
    """A tree in which a method was put on an object."""
    return changed(lambda root, resource: setattr(root if on_root else resource, name, function))


def prepares() -> Any:
    """An upgrade of a class of somebody's own."""
    upgrade = serving()
    upgrade.__class__ = Prepares
    return upgrade


#: Trees in which somebody would miss the request, or which only a request can be led through.
TREES: dict[str, Callable[[], Any]] = {
    "authorize": lambda: tree(UpgradeResource([serving()], authorize=allow)),
    "onConnect": lambda: tree(UpgradeResource([serving(Asks)])),
    "compression": lambda: tree(UpgradeResource([serving(Accepts)])),
    "a limit": lambda: tree(UpgradeResource([serving(Measures, compression=True)])),
    "a guard": lambda: tree(Guard(UpgradeResource([serving()]), [allow])),
    "a subclass": lambda: tree(Below([serving()])),
    "a dynamic child": Leads,
    "a parent that looks": judging,
    "a parent made to look": lambda: put("getChildWithDefault", lambda *_: Resource(), on_root=True),
    "another's children": lambda: put("getChildWithDefault", tree(Resource()).getChildWithDefault, on_root=True),
    "a render put on it": lambda: put("render", lambda _: b"no"),
    "a way put on it": lambda: put("getChildWithDefault", lambda *_: Resource()),
    "a leaf above": lambda: put("isLeaf", True, on_root=True),  # type: ignore[arg-type]
    "an encoder": lambda: EncodingResourceWrapper(tree(UpgradeResource([serving()])), [GzipEncoderFactory()]),
    "another protocol": lambda: tree(UpgradeResource([stream("websocket", RecorderFactory())])),
    "others beside it": lambda: tree(UpgradeResource([serving(), stream("echo", RecorderFactory())])),
    "a prepare above": lambda: tree(UpgradeResource([prepares()])),
    "a prepare before": lambda: tree(UpgradeResource([Wraps(serving())])),
    "its first connection": lambda: tree(UpgradeResource([websocket(echo_factory())])),
}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The requests that are made."""
    found: list[Any] = []
    process = UpgradeRequest.process
    monkeypatch.setattr(UpgradeRequest, "process", lambda self: found.append(self) or process(self))
    return found


@pytest.mark.parametrize("name", TREES)
def test_who_would_miss_the_request_gets_it(name: str, ways: list[bool], made: list[Any]) -> None:
    """Where anybody is asked, or finds the way himself, there is a request, and an answer."""
    root = TREES[name]()
    ways.clear()
    memory = Memory(root)
    memory.send(COMPRESSED)
    assert not any(ways)
    assert len(made) == 1
    assert memory.status in {101, 200, 404, 405}


def test_the_same_tree_needs_no_request(ways: list[bool], made: list[Any]) -> None:
    """What is true of none of these goes the short way."""
    assert Memory(tree(UpgradeResource([serving()]))).send(COMPRESSED).startswith(b"HTTP/1.1 101 ")
    assert ways == [True]
    assert made == []


class OwnWay(UpgradeSite):
    """Finds resources itself."""

    def getResourceFor(self, request: Any) -> Any:
        return super().getResourceFor(request)


class OwnLog(UpgradeSite):
    """Wants to see every request."""

    def log(self, request: Any) -> None:
        super().log(request)


class AnotherSite(UpgradeSite):
    """Lets its channels belong to another site."""

    def buildProtocol(self, addr: Any) -> Any:
        channel = super().buildProtocol(addr)
        channel.site = UpgradeSite(Resource(), reactor=self.reactor)
        return channel


def hooked(name: str) -> Callable[..., UpgradeSite]:
    """Make sites on which a method was put."""

    def make(*args: Any, **kwargs: Any) -> UpgradeSite:
        site = UpgradeSite(*args, **kwargs)
        original = getattr(site, name)
        setattr(site, name, lambda request: original(request))  # noqa: PLW0108 - an object of its own
        return site

    return make


@pytest.mark.parametrize("kind", [OwnWay, OwnLog, AnotherSite, hooked("log"), hooked("getResourceFor")])
def test_a_site_of_ones_own(kind: Any, ways: list[bool], made: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A site that finds or logs in its own way sees each request."""
    root = tree(UpgradeResource([serving()]))
    monkeypatch.setattr("tests.memory.UpgradeSite", kind)
    assert Memory(root).send(handshake())[9:12] == (b"404" if kind is AnotherSite else b"101")
    assert not any(ways)
    assert len(made) == 1


def test_a_log_file(ways: list[bool], tmp_path: Path) -> None:
    """What twisted.web's own log would tell of is a request."""
    memory = Memory(tree(UpgradeResource([serving()])), logPath=str(tmp_path / "log").encode())
    assert memory.send(handshake()).startswith(b"HTTP/1.1 101 ")
    assert ways == []


def test_h2c_comes_first(ways: list[bool]) -> None:
    """Where an offer of HTTP/2 is accepted, whether it is one has to be seen before."""
    offer = upgrade_request(b"h2c", b"Connection: HTTP2-Settings", b"HTTP2-Settings: AAMAAABkAAQAAP__", path=b"/ws")
    root = tree(UpgradeResource([serving()]))
    assert b"Upgrade: h2c" in Memory(root, h2c_upgrade="always").send(offer)
    assert Memory(root, h2c_upgrade="always").send(handshake()).startswith(b"HTTP/1.1 101 ")
    assert ways == []
