"""The table of upgraded connections: who is in it, what it says of them, and how they are ended from it."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.web.resource import Resource

from tests.protocols_for_tests import RecorderFactory, echo
from tests.testing.applications import EchoFactory
from tests.web.support import SITES, open_client
from upgradegw.protocols.stream import stream
from upgradegw.protocols.websocket import websocket
from upgradegw.testing import Client, Unanswered
from upgradegw.web.live import LOOK_SECONDS, Live
from upgradegw.web.resource import UpgradeResource


def tree() -> Resource:
    """A WebSocket, and a protocol whose bytes are counted by us."""
    root = Resource()
    root.putChild(b"ws", UpgradeResource([websocket(EchoFactory())]))
    root.putChild(b"echo", UpgradeResource([stream("echo", RecorderFactory(data=echo))]))
    return root


def watched(client: Any) -> Live:
    """Let the site of a client keep a table."""
    client.site.live = Live(client.clock)
    return client.site.live  # type: ignore[no-any-return]


@pytest.mark.parametrize(("over", "stock"), SITES)
def test_who_is_connected(over: Any, stock: bool) -> None:
    """Each switch is in the table until its end, in their order, with what its event says, on both kinds of site."""
    with open_client(tree(), over, stock) as client:
        live = watched(client)
        socket, tunnel = client.websocket("/ws"), client.upgrade("echo", "/echo")
        assert [(each.number, each.about["token"], each.about["path"]) for each in live] == [
            (1, "websocket", "/ws"),
            (2, "echo", "/echo"),
        ]
        socket.close()
        assert [each.number for each in live] == [2]
        tunnel.lose()
        client.upgrade("echo", "/echo")
        assert [each.number for each in live] == [3]
        assert live.get(2) is None


def test_bytes_so_far() -> None:
    """The counts are those of this moment, whether we count or the protocol does."""
    with Client(tree()) as client:
        live = watched(client)
        socket, tunnel = client.websocket("/ws"), client.upgrade("echo", "/echo")
        assert [each.counts() for each in live] == [(0, 0), (0, 0)]
        socket.send("tea")
        tunnel.send(b"coffee")
        assert [each.counts() for each in live] == [(2 + 4 + 3, 2 + 3), (6, 6)]


def test_age_and_idle_time() -> None:
    """Idle time begins anew with each byte, and is too short by one look at most."""
    with Client(tree()) as client:
        live = watched(client)
        tunnel = client.upgrade("echo", "/echo")
        (connection,) = live
        client.clock.advance(100)
        assert (connection.age(), connection.idle()) == (100, 100)
        tunnel.send(b"tea")
        client.clock.advance(LOOK_SECONDS)
        assert connection.age() == 100 + LOOK_SECONDS
        assert connection.idle() <= LOOK_SECONDS
        for _ in range(20):
            client.clock.advance(1)
        assert 20 - LOOK_SECONDS <= connection.idle() <= 20 + LOOK_SECONDS


def test_how_many_since_when() -> None:
    """Those that have ended count, too, from the time at which the table was made."""
    with Client(tree()) as client:
        live = watched(client)
        client.clock.advance(7)
        client.upgrade("echo", "/echo").lose()
        client.upgrade("echo", "/echo")
        assert (live.switched, len(live), live.age()) == (2, 1, 7)


def test_nothing_is_looked_at_when_nobody_is_connected() -> None:
    """The last end leaves no delayed call behind."""
    with Client(tree()) as client:
        live = watched(client)
        before = len(client.clock.getDelayedCalls())
        tunnel = client.upgrade("echo", "/echo")
        tunnel.lose()
        assert len(live) == 0
        assert len(client.clock.getDelayedCalls()) == before


def test_one_is_drained_or_ended() -> None:
    """A WebSocket gets Close with the code, or is cut; the others stay."""
    with Client(tree()) as client:
        live = watched(client)
        sockets = [client.websocket("/ws") for _ in range(3)]
        first, second, third = live
        first.drain()
        second.end()
        assert [each.draining for each in (first, second, third)] == [True, False, False]
        assert (sockets[0].close_code, sockets[0].closed) == (1001, True)
        assert (sockets[1].close_code, sockets[1].closed) == (1006, True)
        assert list(live) == [third]


def test_a_protocol_that_fails_at_the_switch_leaves_nothing() -> None:
    """Who is gone before the switch is complete is not in the table, and cannot be ended any more."""

    class Fails(RecorderFactory):
        def buildProtocol(self, addr: Any) -> Any:
            protocol = super().buildProtocol(addr)
            protocol.makeConnection = lambda transport: 1 / 0
            return protocol

    with Client(UpgradeResource([stream("echo", Fails())])) as client:
        live = watched(client)
        with pytest.raises(Unanswered):
            client.upgrade("echo", "/")
        assert len(live) == 0
