"""Applications that fail, on purpose of a client or not: it costs this connection, and no other."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from tests.attacks.clients import get, websocket_request
from tests.attacks.conftest import Serve
from tests.attacks.tree import Tree
from tests.protocols.websocket.support import TEXT, Echo, frame
from tests.protocols_for_tests import RecorderFactory, fail
from upgradegw.protocols.stream import stream
from upgradegw.web.resource import UpgradeResource

ECHO = get(b"/echo", b"Connection: Upgrade", b"Upgrade: echo")


def _fail(*_arguments: object) -> Any:
    raise RuntimeError("the application failed")


def _never(*_arguments: object) -> Deferred[Any]:
    return Deferred()


async def _fail_later(*_arguments: object) -> Any:
    _fail()


#: What ``authorize`` and ``onConnect`` may do, the answer, whether a traceback tells of it.
ANSWERS = {
    "raises": (_fail, 500, True),
    "raises later": (_fail_later, 500, True),
    "returns something odd": (lambda _request: object(), 500, True),
    "never answers": (_never, 503, False),
}


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("where", ["authorize", "onConnect"])
def test_decision(anywhere: Serve, clock: Any, logged: list[str], name: str, where: str) -> None:
    """A-45: whatever ``authorize`` and ``onConnect`` do there is an answer, in ten seconds; the site lives on."""
    decide, status, told = ANSWERS[name]
    place = anywhere(Tree(clock, decide if where == "authorize" else None))
    if where == "onConnect":
        place.root.chat.answer = decide
    clients = [place.ask(websocket_request()) for _ in range(5)]
    place.advance(11, step=1)
    assert [client.statuses for client in clients] == [[status]] * 5
    assert len(logged) == 5 * told
    logged.clear()
    assert clients[0].send(get(b"/")).statuses == [status, 200]
    if where == "onConnect":
        place.root.chat.answer = None
        assert place.open_websocket().echoes()
        assert place.root.chat.getConnectionCount() == 1


@pytest.mark.parametrize(
    ("request_", "build", "status"),
    [
        (websocket_request(), _fail, 500),
        (websocket_request(), lambda _address: None, 503),
        (websocket_request(), lambda _address: object(), 500),
        (ECHO, _fail, 500),
        (ECHO, lambda _address: None, 503),
    ],
)
def test_no_protocol(anywhere: Serve, logged: list[str], request_: bytes, build: Any, status: int) -> None:
    """A-45: a factory that builds nothing, raises, or builds what cannot speak WebSocket, is answered for."""
    place = anywhere()
    place.root.chat.buildProtocol = place.root.bytes.buildProtocol = build
    client = place.ask(request_)
    assert client.statuses == [status]
    assert bool(logged) == (status == 500)
    logged.clear()
    assert client.send(get(b"/")).statuses == [status, 200]


@pytest.mark.parametrize("step", ["upgraded", "made", "data", "lost"])
def test_stream_that_fails(anywhere: Serve, clock: Any, logged: list[str], step: str) -> None:
    """A-45: a protocol that raises loses its connection; the factory's books are kept; others go on."""
    tree = Tree(clock)
    failing = RecorderFactory(**{step: fail})
    tree.putChild(b"failing", UpgradeResource([stream("echo", failing)]))
    place = anywhere(tree)
    other = place.open_websocket()
    for _ in range(5):
        client = place.ask(ECHO.replace(b"/echo", b"/failing") + b"leading", b"more")
        if step == "lost":
            client.reset()
        place.until(lambda: place.open == 1)
    assert failing.running == 0
    assert logged
    logged.clear()
    assert other.echoes()


@pytest.mark.parametrize("step", ["onOpen", "onMessage", "onPing", "onClose", "onMessage, later"])
def test_websocket_that_fails(anywhere: Serve, logged: list[str], step: str) -> None:
    """A-45: an application that raises: Close 1011 where there is still somebody to tell; others go on."""
    name, _, later = step.partition(", ")
    failing = type("Failing", (Echo,), {name: _fail_later if later else _fail})
    place = anywhere()
    other = place.open_websocket()
    place.root.chat.protocol = failing
    for _ in range(5):
        client = place.open_websocket()
        client.send(frame(TEXT, b"x"), frame(9, b"x"))
        if step == "onClose":
            client.send(b"\x88\x80" + bytes(4))
            place.until(lambda client=client: client.closed)
        else:
            client.failed(1011)
    assert len(logged) == 5
    logged.clear()
    assert other.echoes()
    assert place.root.chat.getConnectionCount() == 1


def test_page_that_fails(anywhere: Serve, logged: list[str]) -> None:
    """A-45: a page that raises is a 500, and the connection's next request is answered."""
    place = anywhere()
    place.root.children[b"admin"].render = _fail
    client = place.ask(get(b"/admin"), get(b"/"))
    assert client.statuses == [500, 200]
    assert b"Traceback" not in client.received
    assert len(logged) == 1
    logged.clear()
