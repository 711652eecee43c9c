"""Of a short way that comes to nothing, nothing is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from autobahn.twisted.websocket import WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny
from twisted.logger import globalLogPublisher

from tests.memory import Memory
from tests.protocols_for_tests import RecorderFactory
from tests.web.short import echo_factory, handshake, serving, tree
from upgradegw.interfaces import Accept
from upgradegw.protocols.websocket import WebSocketUpgrade, websocket
from upgradegw.web.drain import Drain
from upgradegw.web.resource import UpgradeResource


class FailsError(RuntimeError):
    """What an application raises."""


def test_a_factory_is_started_by_a_request(ways: list[bool]) -> None:
    """A-45: a factory that cannot start is asked once, costs a 500 and one traceback, and nobody stays counted."""
    factory, logged, asked = echo_factory(), [], []

    def start() -> None:
        asked.append(1)
        raise FailsError

    factory.startFactory = start
    resource = UpgradeResource([websocket(factory)], max_connections=1)
    globalLogPublisher.addObserver(logged.append)
    try:
        assert Memory(tree(resource)).send(handshake()).startswith(b"HTTP/1.1 500 ")
    finally:
        globalLogPublisher.removeObserver(logged.append)
    assert (ways, asked) == ([False], [1])
    assert len([event for event in logged if "log_failure" in event]) == 1
    assert (len(resource.admission.route), factory.countConnections) == (0, 0)


def test_a_full_or_draining_resource(ways: list[bool]) -> None:
    """Who is refused hears why, and is not counted."""
    upgrade, drain = serving(), Drain()
    upgrade.factory.maxConnections = 2  # one is there already
    root = tree(UpgradeResource([upgrade], drain=drain))
    Memory(root).send(handshake())
    assert Memory(root).send(handshake()).startswith(b"HTTP/1.1 503 ")
    upgrade.factory.maxConnections = 3
    drain(1)
    assert Memory(root).send(handshake()).startswith(b"HTTP/1.1 503 ")
    assert ways == [True, False, False]
    assert upgrade.factory.countConnections == 2


class ReadOnly(WebSocketServerProtocol):
    """Has no room for what it is told about the request."""

    @property
    def upgrade_info(self) -> None:
        return None


def test_a_protocol_that_cannot_be_told_of_its_request(ways: list[bool]) -> None:
    """Each of them costs a 500, and neither the factory nor the resource counts it from then on."""
    upgrade = websocket(echo_factory(ReadOnly))
    resource = UpgradeResource([upgrade], max_connections=1)
    for _ in range(3):
        assert Memory(tree(resource)).send(handshake()).startswith(b"HTTP/1.1 500 ")
        assert (upgrade.factory.countConnections, len(resource.admission.route)) == (0, 0)
    assert True not in ways


def test_an_offer_that_the_application_denies() -> None:
    """A ConnectionDeny that is raised where compression is decided is as good as one of ``onConnect``."""

    def deny(_offers: Any) -> Any:
        raise ConnectionDeny(403)

    upgrade = serving()
    before = upgrade.factory.countConnections
    upgrade.factory.setProtocolOptions(perMessageCompressionAccept=deny)
    resource = UpgradeResource([upgrade], max_connections=1)
    for _ in range(2):
        offer = handshake(b"Sec-WebSocket-Extensions: permessage-deflate")
        assert Memory(tree(resource)).send(offer).startswith(b"HTTP/1.1 403 ")
        assert (upgrade.factory.countConnections, len(resource.admission.route)) == (before, 0)


def test_a_certificate_that_cannot_be_read(ways: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    """The request is asked in the ordinary way, which knows what to do, and is counted once."""

    def fail(_channel: Any) -> Any:
        raise FailsError

    resource = UpgradeResource([serving()], max_connections=1)
    memory = Memory(tree(resource))
    memory.transport.protocol._in_tls = True
    monkeypatch.setattr("upgradegw.web.short_switch.connection_subject", fail)
    assert memory.send(handshake()).startswith(b"HTTP/1.1 101 ")
    assert (ways, len(resource.admission.route)) == ([False], 1)


class Odd:
    """An upgrade that does something odd at once, and is right when it is asked in the ordinary way."""

    protocol = WebSocketUpgrade.protocol
    methods = (b"GET",)
    content = False

    def __init__(self, do: Callable[[Odd], Any]) -> None:
        self.do, self.released, self.drain = do, 0, Drain()
        self.asked = 0

    def check(self, head: Any) -> object:
        self.asked += 1
        if self.do is fail_check and self.asked == 1:
            raise FailsError
        return None

    def accept(self, **more: Any) -> Accept:
        return Accept(RecorderFactory().buildProtocol(None), release=self.release, **more)

    def release(self) -> None:
        self.released += 1

    def accept_at_once(self, info: Any, transport: Any) -> Any:
        return self.do(self)

    def prepare(self, info: Any, transport: Any) -> Any:
        return self.accept()


def fail(_: Odd) -> None:
    """Raise."""
    raise FailsError


def fail_check(_: Odd) -> None:
    """Raise when the rules are applied for the first time."""


def drains(odd: Odd) -> Accept:
    """End the resource meanwhile."""
    odd.drain(1)
    return odd.accept()


def test_a_connection_that_ends_meanwhile(ways: list[bool]) -> None:
    """A stop that comes while an upgrade is asked ends the connection, and counts nobody."""

    def stop(odd: Odd) -> Accept:
        memory.site.stop()
        return odd.accept()

    odd = Odd(stop)
    resource = UpgradeResource([odd], max_connections=5)  # type: ignore[list-item]
    memory = Memory(tree(resource))
    memory.send(handshake())
    assert ways == [False]
    assert odd.released == 1
    assert len(resource.admission.route) == 0
    assert memory.transport.disconnecting


@pytest.mark.parametrize(
    ("do", "released", "status"),
    [
        (fail, 0, 101),
        (fail_check, 0, 101),
        (lambda _: None, 0, 101),
        (lambda odd: odd.accept(fields=((b"X", b"a\r\nY: b"),)), 1, 101),
        (lambda odd: odd.accept(phrase=b"a\r\nY: b"), 1, 101),
        (drains, 1, 503),
    ],
)
def test_nothing_is_left_of_what_was_tried(do: Any, released: int, status: int, ways: list[bool]) -> None:
    """A-45: whatever an upgrade does, the request goes the ordinary way, and is counted once or not at all."""
    odd = Odd(do)
    resource = UpgradeResource([odd], max_connections=5, drain=odd.drain)  # type: ignore[list-item]
    memory = Memory(tree(resource))
    memory.send(handshake())
    assert ways == [False]
    assert (memory.status, odd.released) == (status, released)
    assert b"\r\nY: b" not in memory.received
    assert len(resource.admission.route) == (status == 101)
    memory.transport.lose()
    assert (len(resource.admission.route), odd.released) == (0, released + (status == 101))
