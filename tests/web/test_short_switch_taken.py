"""The short way to a switch is taken only where nobody would see a request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.logger import globalLogPublisher
from twisted.web.resource import Resource

from tests.memory import Memory, upgrade_request
from tests.web.short import Echo, echo_factory, handshake, tree
from upgradegw.interfaces import Allow
from upgradegw.protocols.stream import stream
from upgradegw.protocols.websocket import websocket
from upgradegw.web.drain import Drain
from upgradegw.web.guarding import Guard
from upgradegw.web.request import UpgradeRequest
from upgradegw.web.resource import UpgradeResource
from upgradegw.web.site import UpgradeSite


class Asks(Echo):
    """Wants to know who comes."""

    def onConnect(self, request: Any) -> None:
        self.factory.opened.append(request.path)


class Below(UpgradeResource):
    """A class of somebody's own."""


class Leads(Resource):
    """Finds its children itself."""

    def getChild(self, path: bytes, request: Any) -> Any:
        return UpgradeResource([websocket(echo_factory())])


class Judges(Resource):
    """Looks at each request before its children do."""

    def getChildWithDefault(self, path: bytes, request: Any) -> Any:
        return Resource.getChildWithDefault(self, path, request)


class OwnWay(UpgradeSite):
    """Finds resources itself."""

    def getResourceFor(self, request: Any) -> Any:
        return super().getResourceFor(request)


class OwnLog(UpgradeSite):
    """Wants to see every request."""

    def log(self, request: Any) -> None:
        super().log(request)


def allow(_request: Any) -> Allow:
    """Everybody may."""
    return Allow()


def _judging() -> Resource:
    root = Judges()
    root.putChild(b"ws", UpgradeResource([websocket(echo_factory())]))
    return root


def _overridden() -> Resource:
    root = tree(UpgradeResource([websocket(echo_factory())]))
    root.getChildWithDefault = Judges.getChildWithDefault.__get__(root)  # type: ignore[method-assign]
    return root


def _leaf() -> Resource:
    root = tree(UpgradeResource([websocket(echo_factory())]))
    root.isLeaf = True
    root.render = lambda request: b"a leaf"  # type: ignore[method-assign]
    return root


#: Trees in which somebody would miss the request.
TREES: dict[str, Callable[[], Any]] = {
    "authorize": lambda: tree(UpgradeResource([websocket(echo_factory())], authorize=allow)),
    "onConnect": lambda: tree(UpgradeResource([websocket(echo_factory(Asks))])),
    "a guard": lambda: tree(Guard(UpgradeResource([websocket(echo_factory())]), [allow])),
    "a subclass": lambda: tree(Below([websocket(echo_factory())])),
    "a dynamic child": Leads,
    "a parent that looks": _judging,
    "a parent made to look": _overridden,
    "a leaf above": _leaf,
    "another protocol": lambda: tree(UpgradeResource([stream("websocket", echo_factory())])),
}


@pytest.mark.parametrize("name", TREES)
def test_who_would_miss_the_request_gets_it(name: str, ways: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where anybody is asked, or finds the way himself, there is a request."""
    made: list[Any] = []
    process = UpgradeRequest.process
    monkeypatch.setattr(UpgradeRequest, "process", lambda self: made.append(self) or process(self))
    Memory(TREES[name]()).send(handshake())
    assert not any(ways)
    assert len(made) == 1


@pytest.mark.parametrize("kind", [OwnWay, OwnLog])
def test_a_site_of_ones_own(kind: Any, ways: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    """A site that finds or logs in its own way sees each request, and the client notices nothing."""
    monkeypatch.setattr("tests.memory.UpgradeSite", kind)
    memory = Memory(tree(UpgradeResource([websocket(echo_factory())])))
    assert memory.send(handshake()).startswith(b"HTTP/1.1 101 ")
    assert not any(ways)


def test_a_log_file(ways: list[bool], tmp_path: Path) -> None:
    """What twisted.web's own log would tell of is a request."""
    memory = Memory(tree(UpgradeResource([websocket(echo_factory())])), logPath=str(tmp_path / "log").encode())
    assert memory.send(handshake()).startswith(b"HTTP/1.1 101 ")
    assert ways == []


def test_h2c_comes_first(ways: list[bool]) -> None:
    """Where an offer of HTTP/2 is accepted, whether it is one has to be seen before."""
    offer = upgrade_request(b"h2c", b"Connection: HTTP2-Settings", b"HTTP2-Settings: AAMAAABkAAQAAP__", path=b"/ws")
    root = tree(UpgradeResource([websocket(echo_factory())]))
    assert b"Upgrade: h2c" in Memory(root, h2c_upgrade="always").send(offer)
    assert Memory(root, h2c_upgrade="always").send(handshake()).startswith(b"HTTP/1.1 101 ")
    assert ways == []


class FailsError(RuntimeError):
    """What an application raises."""


def test_what_fails_is_answered_and_told_once(ways: list[bool]) -> None:
    """A-45: a factory that cannot start costs a 500 and one traceback, and nobody stays counted."""
    factory, logged = echo_factory(), []
    factory.startFactory = lambda: (_ for _ in ()).throw(FailsError())
    resource = UpgradeResource([websocket(factory)], max_connections=1)
    globalLogPublisher.addObserver(logged.append)
    try:
        memory = Memory(tree(resource))
        assert memory.send(handshake()).startswith(b"HTTP/1.1 500 ")
    finally:
        globalLogPublisher.removeObserver(logged.append)
    assert ways == [False]
    assert len([event for event in logged if "log_failure" in event]) == 1
    assert (len(resource.admission.route), factory.countConnections) == (0, 0)


def test_a_full_or_draining_resource(ways: list[bool]) -> None:
    """Who is refused hears why, and is not counted."""
    factory = echo_factory()
    factory.maxConnections = 1
    drain = Drain()
    root = tree(UpgradeResource([websocket(factory)], drain=drain))
    memory = Memory(root)
    memory.send(handshake())
    assert Memory(root).send(handshake()).startswith(b"HTTP/1.1 503 ")
    factory.maxConnections = 2
    drain(1)
    assert Memory(root).send(handshake()).startswith(b"HTTP/1.1 503 ")
    assert ways == [True, False, False]
    assert factory.countConnections == 1
