"""How an upgraded connection ends, on every transport: in order, half, or at once, by either side."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred

from tests.protocols_for_tests import RecorderFactory, echo
from tests.testing.applications import EchoFactory, echo_tree, ws_tree
from upgradegw import Allow
from upgradegw.testing import Client, Unanswered


def test_the_client_closes(over: Any) -> None:
    """EC-08: the closing handshake, begun by the client: the server answers, and ends."""
    factory = EchoFactory()
    with Client(ws_tree(factory), over) as client:
        socket = client.websocket("/ws")
        socket.close(3001, "enough")
        assert (socket.close_code, socket.close_reason) == (1000, "")
        assert socket.closed
        assert not socket.tunnel.aborted
        assert factory.only.seen == [(True, 3001)]


def test_the_server_closes(over: Any) -> None:
    """EC-08: the same, begun by the server: the client's answer ends it."""
    factory = EchoFactory()
    with Client(ws_tree(factory), over) as client:
        socket = client.websocket("/ws")
        factory.only.sendClose(3002, "late")
        assert (socket.close_code, socket.close_reason) == (3002, "late")
        assert socket.closed
        assert factory.only.seen == [(True, 3002)]


def test_a_close_that_is_not_answered(over: Any) -> None:
    """WS-19: after five seconds the server has waited long enough."""
    factory = EchoFactory()
    with Client(ws_tree(factory), over) as client:
        socket = client.websocket("/ws")
        socket.answers_close = False
        factory.only.sendClose(3002)
        assert (socket.close_code, socket.closed) == (3002, False)
        client.clock.advance(5.5)
        assert socket.tunnel.ended or socket.tunnel.aborted
        assert factory.only.seen[-1][0] is False


@pytest.mark.parametrize("leave", ["lose", "abort"])
def test_a_client_that_leaves_without_close(over: Any, leave: str) -> None:
    """EC-08: 1006 for the application, whether the client ended or broke off."""
    factory = EchoFactory()
    with Client(ws_tree(factory), over) as client:
        socket = client.websocket("/ws")
        getattr(socket, leave)()
        assert factory.only.seen == [(False, 1006)]
        assert (socket.close_code, socket.closed) == (1006, True)


def test_a_server_that_leaves_without_close(over: Any) -> None:
    """EC-08: 1006 for the client, and it can tell that it was broken off."""
    factory = EchoFactory()
    with Client(ws_tree(factory), over) as client:
        socket = client.websocket("/ws")
        factory.only.transport.abortConnection()
        assert (socket.close_code, socket.closed, socket.tunnel.aborted) == (1006, True, True)


def test_a_violation_is_answered_with_close(over: Any) -> None:
    """WS-15, EC-08: a frame without a mask is answered with Close 1002, and then the server ends."""
    with Client(ws_tree(), over) as client:
        socket = client.websocket("/ws")
        socket.tunnel.send(b"\x81\x03tea")
        assert (socket.close_code, socket.closed) == (1002, True)


def test_pings_are_answered_in_time_or_not(over: Any) -> None:
    """The server pings after 20 s; who does not answer within 20 more is closed."""
    factory = EchoFactory()
    with Client(ws_tree(factory), over) as client:
        socket = client.websocket("/ws")
        client.clock.advance(200)
        assert not socket.closed
        socket.answers_pings = False
        client.clock.advance(50)
        assert socket.tunnel.ended or socket.tunnel.aborted
        assert factory.only.seen[-1][0] is False


def test_the_protocol_closes(over: Any) -> None:
    """EC-08: ``loseConnection`` reaches the client behind what was written, and the client closes, too."""
    factory = RecorderFactory(data=lambda protocol: (echo(protocol), protocol.transport.loseConnection()))
    with Client(echo_tree(factory), over) as client:
        tunnel = client.upgrade("echo", "/echo")
        tunnel.send(b"bye")
        assert (tunnel.received, tunnel.ended, tunnel.closed, tunnel.aborted) == (b"bye", True, True, False)
        assert factory.only.events[-1] == "lost"


def test_the_protocol_breaks_off(over: Any) -> None:
    """EC-08: ``abortConnection`` is a reset for the client."""
    factory = RecorderFactory(data=lambda protocol: protocol.transport.abortConnection())
    with Client(echo_tree(factory), over) as client:
        tunnel = client.upgrade("echo", "/echo")
        tunnel.send(b"bye")
        assert (tunnel.closed, tunnel.aborted) == (True, True)
        assert factory.only.events[-1] == "lost"


def test_the_client_ends_its_side(over: Any) -> None:
    """EC-08: a protocol that knows half-closed connections goes on writing; over TLS there are none."""
    factory = RecorderFactory(half_close=True, data=echo, read_lost=lambda protocol: protocol.transport.write(b"!"))
    with Client(echo_tree(factory), over) as client:
        tunnel = client.upgrade("echo", "/echo", half_closeable=True)
        tunnel.send(b"tea")
        tunnel.half_close()
        if over == "tls":
            assert (tunnel.received, factory.only.events[-1]) == (b"tea", "lost")
            return
        assert (tunnel.received, tunnel.ended) == (b"tea!", False)
        assert factory.only.events[-1] == "read lost"
        factory.only.transport.loseConnection()  # type: ignore[union-attr]
        assert (tunnel.ended, tunnel.closed, factory.only.events[-1]) == (True, True, "lost")


def test_the_client_ends_its_side_before_it_is_answered(over: Any) -> None:
    """EC-08: who has said all may wait for the answer, and for what the protocol says; over TLS it cannot."""
    permission: Deferred[Any] = Deferred()
    factory = RecorderFactory(half_close=True, data=echo, read_lost=lambda protocol: protocol.transport.write(b"!"))
    with Client(echo_tree(factory, authorize=lambda _request: permission), over) as client:
        pending = client.start_upgrade("echo", "/echo", leading=b"tea")
        pending.half_close()
        assert pending.closed is (over == "tls")
        permission.callback(Allow())
        if over != "tls":
            assert pending.result().received == b"tea!"
            assert factory.only.events[-1] == "read lost"


@pytest.mark.parametrize("over", ["http/1.1", "http/2", "http/2+tls"])
def test_the_protocol_ends_its_side(over: Any) -> None:
    """EC-08: the client hears of it and may go on writing."""
    factory = RecorderFactory(half_close=True, made=lambda protocol: protocol.transport.loseWriteConnection())
    with Client(echo_tree(factory), over) as client:
        tunnel = client.upgrade("echo", "/echo", half_closeable=True)
        assert (tunnel.ended, tunnel.closed) == (True, False)
        tunnel.send(b"tea")
        assert factory.only.data == b"tea"
        tunnel.lose()
        assert tunnel.closed
        assert {"read lost", "lost"} & {*factory.only.events}


def test_a_protocol_that_fails(over: Any, faults: list[Any]) -> None:
    """An application's fault is logged and costs the client its tunnel, and nobody else anything."""

    def fail(protocol: Any) -> None:
        if protocol.data.endswith(b"!"):
            raise RuntimeError("the application failed")
        echo(protocol)

    with Client(echo_tree(RecorderFactory(data=fail)), over) as client:
        tunnel = client.upgrade("echo", "/echo")
        tunnel.send(b"tea")
        tunnel.send(b"!")
        assert (tunnel.received, tunnel.closed) == (b"tea", True)
        assert client.get("/plain").content == b"plain"
    assert {str(failure.value) for failure in faults} == {"the application failed"}
    faults.clear()


@pytest.mark.parametrize("leave", ["lose", "abort"])
def test_a_client_that_leaves_while_the_application_thinks(over: Any, leave: str) -> None:
    """A-14: ``authorize`` is cancelled, nothing is built, and nothing is written to who has gone."""
    waiting: Deferred[Any] = Deferred()
    cancelled: list[Any] = []
    waiting.addErrback(cancelled.append)
    factory = RecorderFactory()
    with Client(echo_tree(factory, authorize=lambda _request: waiting), over) as client:
        pending = client.start_upgrade("echo", "/echo")
        getattr(pending, leave)()
        client.clock.advance(0)
        if leave == "abort":
            assert [failure.type for failure in cancelled] == [CancelledError]
            with pytest.raises(Unanswered, match=r"the (client left|stream ended) before"):
                pending.result()
        client.clock.advance(20)
        assert factory.built == []


def test_a_client_that_leaves_while_onconnect_waits(over: Any) -> None:
    """The same while the WebSocket application thinks."""
    waiting: Deferred[Any] = Deferred()
    cancelled: list[Any] = []
    waiting.addErrback(cancelled.append)
    factory = EchoFactory(lambda _request: waiting)
    with Client(ws_tree(factory), over) as client:
        client.start_websocket("/ws").abort()
        client.clock.advance(0)
        assert [failure.type for failure in cancelled] == [CancelledError]
        assert factory.opened == []


def test_a_stop_ends_everything_in_order(over: Any) -> None:
    """An orderly stop: Close 1001 for WebSockets, the end for tunnels, the answer for requests."""
    tree = ws_tree()
    tree.putChild(b"echo", echo_tree().children[b"echo"])
    with Client(tree, over) as client:
        client.get("/plain")
        socket, tunnel = client.websocket("/ws"), client.upgrade("echo", "/echo")
        stopped = client.site.stop()
        assert socket.close_code == 1001
        assert (socket.closed, tunnel.closed) == (True, True)
        client.clock.advance(5)
        assert stopped.called
        assert client.site.connections == set()


def test_one_that_ends_leaves_the_others(over: Any) -> None:
    """EC-08: whoever breaks off, on whatever they share, the others go on."""
    with Client(ws_tree(), over) as client:
        sockets = [client.websocket("/ws") for _ in range(4)]
        sockets[0].abort()
        sockets[1].lose()
        sockets[2].tunnel.send(b"\x81\x03tea")
        sockets[3].send("still here")
        assert sockets[3].messages == ["still here"]
        assert len(client.connections) == (1 if client.http2 else 4)
