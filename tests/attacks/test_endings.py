"""Ends at the wrong moment: one direction only, or all at once."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from tests.attacks.clients import get, websocket_request
from tests.attacks.conftest import Serve
from tests.attacks.tree import Tree
from tests.protocols.websocket.support import BINARY, TEXT, frame
from tests.protocols_for_tests import RecorderFactory
from upgradegw.protocols.stream import stream
from upgradegw.web.resource import UpgradeResource

ECHO = get(b"/echo", b"Connection: Upgrade", b"Upgrade: echo")


def test_half_closed_websocket(anywhere: Serve) -> None:
    """A-32: a WebSocket whose client has ended its side is closed on ours, too; the application is told."""
    place = anywhere()
    for more in (b"", frame(TEXT, b"x")[:3], frame(TEXT, b"whole")):
        client = place.open_websocket()
        client.send(*filter(None, [more]))
        client.finish()
        place.until(lambda: place.open == 0)
        assert place.root.chats[-1].seen[-1][:2] == ("close", False)


def test_half_closed_stream(anywhere: Serve, clock: Any) -> None:
    """A-32: a protocol that knows of half-closes answers behind one on TCP; on TLS and others it is the end."""
    tree = Tree(clock)

    def answer(protocol: Any) -> None:
        protocol.transport.write(b"goodbye")
        protocol.transport.loseConnection()

    half = RecorderFactory(half_close=True, read_lost=answer)
    tree.putChild(b"half", UpgradeResource([stream("echo", half)]))
    place = anywhere(tree)
    for path in (b"/half", b"/echo"):
        client = place.ask(ECHO.replace(b"/echo", path), b"data")
        client.finish()
        place.until(lambda: place.open == 0)
        assert client.received.endswith(b"goodbye") == (path == b"/half" and not place.secure)
    assert half.only.events[-1] == tree.bytes.only.events[-1] == "lost"


def test_end_behind_the_request(ours: Serve) -> None:
    """A-32: an end right behind a request does not cost the answer, also where the resource takes its time."""
    place = ours()
    client = place.ask(get(b"/slow") + get(b"/"))
    if place.secure:
        client.reset()  # on TLS an end is the end; nothing may be left
        place.until(lambda: place.open == 0)
        return
    client.finish()
    place.root.slow.answer()
    place.until(lambda: client.closed)
    assert client.statuses == [200, 200]


def test_end_while_it_is_decided(anywhere: Serve, clock: Any) -> None:
    """A-32: a client that leaves while the application thinks is not switched; the answer comes to nothing."""
    thinking: list[Deferred[Any]] = []

    def authorize(_request: Any) -> Deferred[Any]:
        thinking.append(Deferred())
        return thinking[-1]

    place = anywhere(Tree(clock, authorize))
    for offer in (websocket_request(), ECHO):
        client = place.ask(offer)
        client.reset()
        place.until(lambda: place.open == 0)
        assert thinking.pop().called  # cancelled
    assert place.root.chats == place.root.bytes.built == []


def test_reset_in_mid_write(anywhere: Serve) -> None:
    """A-32: a reset amid an answer, a message or raw bytes ends that connection, and is no error in the log."""
    place = anywhere()
    other = place.open_websocket()
    for start, data in (
        (websocket_request(), frame(BINARY, bytes(900_000)) * 4),
        (ECHO, bytes(8_000_000)),
        (get(b"/"), get(b"/") * 2_000),
    ):
        client = place.ask(start)
        client.reads = False
        client.send(data)
        client.reset()
        place.until(lambda: place.open == 1)
    assert other.echoes()


def test_storm_of_resets(anywhere: Serve) -> None:
    """A-32: connections that are reset at every point of their lives leave nothing behind."""
    place = anywhere()
    whole = websocket_request() + frame(TEXT, b"hello") + frame(BINARY, bytes(1000), fin=False)
    for end in range(0, len(whole), 40):
        place.ask(*filter(None, [whole[:end]])).reset()
    place.until(lambda: place.open == 0)
    assert place.open_websocket().echoes()
