"""The ``websockets`` package as a client of the demonstration site."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import ssl

import pytest
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, ConnectionClosedOK, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.clients.support import assert_no_traceback, received_code, send_too_much
from tests.support.process import PATIENCE, Server, serving

MEBIBYTE = 1 << 20


def dial(server: Server, path: str = "/ws", **options: object) -> ClientConnection:
    """Open a WebSocket to a server of ours."""
    return connect(f"ws://127.0.0.1:{server.port}{path}", max_size=None, open_timeout=PATIENCE, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, MEBIBYTE])
def test_what_is_sent_comes_back(demonstration: Server, compression: str | None, size: int) -> None:
    """Text and binary messages of every form of length, up to the limit itself, come back as they were sent."""
    # What does not get smaller gets larger by compression; that is the next test's.
    noise = os.urandom(256)
    with dial(demonstration, compression=compression) as websocket:
        for message in ("é" * (size // 2) + "x" * (size % 2), (noise * (size // 256 + 1))[:size]):
            websocket.send(message)
            assert websocket.recv(PATIENCE) == message


def test_messages_come_back_in_order(demonstration: Server) -> None:
    """Messages that are sent without waiting for answers are answered in order, text as text, binary as binary."""
    messages = [f"message {n}" if n % 2 else f"message {n}".encode() for n in range(500)]
    with dial(demonstration) as websocket:
        for message in messages:
            websocket.send(message)
        assert [websocket.recv(PATIENCE) for _ in messages] == messages


def test_a_fragmented_message_comes_back_whole(demonstration: Server) -> None:
    """A message in many fragments is one message."""
    with dial(demonstration) as websocket:
        websocket.send(f"fragment {n} " for n in range(100))
        assert websocket.recv(PATIENCE) == "".join(f"fragment {n} " for n in range(100))


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_a_message_over_the_limit_is_answered_with_1009(demonstration: Server, compression: str | None) -> None:
    """WS-18, A-23: one byte more than 1 MiB is answered with Close 1009; what counts is the size when inflated."""
    with dial(demonstration, compression=compression) as websocket, pytest.raises(ConnectionClosedError) as closed:
        send_too_much(websocket)
    assert received_code(closed) == 1009


def test_compression_is_negotiated(demonstration: Server) -> None:
    """PD-04, WS-11: permessage-deflate is answered where it is offered, and only there."""
    with dial(demonstration, compression="deflate") as websocket:
        assert [extension.name for extension in websocket.protocol.extensions] == ["permessage-deflate"]
        assert websocket.response is not None
        assert websocket.response.headers["Sec-WebSocket-Extensions"].startswith("permessage-deflate")
    with dial(demonstration, compression=None) as websocket:
        assert websocket.protocol.extensions == []
        assert websocket.response is not None
        assert "Sec-WebSocket-Extensions" not in websocket.response.headers


def test_the_subprotocol_is_one_of_the_offered(demonstration: Server) -> None:
    """WS-10: the server picks from the client's list; with the page's own subprotocol it reports what it saw."""
    with dial(demonstration, subprotocols=["other", "demo.upgradegw"]) as websocket:
        assert websocket.subprotocol == "demo.upgradegw"
        seen = json.loads(websocket.recv(PATIENCE))
    assert seen == {
        "http_version": "HTTP/1.1",
        "client": "127.0.0.1",
        "secure": False,
        "subprotocol": "demo.upgradegw",
        "extensions": ["permessage-deflate"],
    }


def test_without_a_common_subprotocol_none_is_named(demonstration: Server) -> None:
    """WS-10: no subprotocol in common is a connection without one, never an empty field."""
    with dial(demonstration, subprotocols=["other"]) as websocket:
        assert websocket.subprotocol is None
        assert websocket.response is not None
        assert "Sec-WebSocket-Protocol" not in websocket.response.headers
        websocket.send("hello")
        assert websocket.recv(PATIENCE) == "hello"


def test_a_ping_is_answered(demonstration: Server) -> None:
    """WS-20: a ping is answered with a pong of the same content, between messages, too."""
    with dial(demonstration) as websocket:
        assert websocket.ping(b"are you there?").wait(PATIENCE)
        websocket.send("before")
        pong = websocket.ping(bytes(125))
        websocket.send("behind")
        assert [websocket.recv(PATIENCE), websocket.recv(PATIENCE)] == ["before", "behind"]
        assert pong.wait(PATIENCE)


def test_the_same_origin_passes(demonstration: Server) -> None:
    """WS-13: a page of this very server may open a connection."""
    with dial(demonstration, origin=f"http://127.0.0.1:{demonstration.port}") as websocket:
        websocket.send("hello")
        assert websocket.recv(PATIENCE) == "hello"


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1", "https://127.0.0.1:{port}", "null"])
def test_another_origin_is_refused(demonstration: Server, origin: str) -> None:
    """WS-13, A-12: another host, port or scheme, and ``null``, are 403; the log says what was compared."""
    origin = origin.format(port=demonstration.port)
    with pytest.raises(InvalidStatus) as refused, dial(demonstration, origin=origin):
        pass
    assert refused.value.response.status_code == 403
    assert origin.encode() not in refused.value.response.body or origin == "null"
    demonstration.await_line(f'reason=origin_(mismatch|null) detail="Origin: {origin}')


def test_a_path_that_is_not_there_is_not_switched(demonstration: Server) -> None:
    """WS-12: an unknown path is 404, whatever is asked of it."""
    with pytest.raises(InvalidStatus) as refused, dial(demonstration, "/nothing"):
        pass
    assert refused.value.response.status_code == 404


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1001, "going"), (3000, "library"), (4999, "ours")])
def test_a_close_is_answered_and_logged(demonstration: Server, code: int, reason: str) -> None:
    """A Close is answered with a Close, never with the client's own words, and the end is in the log."""
    with dial(demonstration) as websocket:
        websocket.close(code, reason)
        with pytest.raises(ConnectionClosed) as closed:
            websocket.recv(PATIENCE)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code in (1000, code)
    assert closed.value.rcvd.reason == ""
    demonstration.await_line(f'end path="/ws" token="websocket".* close_code={code} ')


def test_over_tls(secure_demonstration: Server, client_context: ssl.SSLContext) -> None:
    """WSS with a certificate that is really checked; the origin is then that of an https page."""
    address = f"localhost:{secure_demonstration.port}"
    context = client_context
    with connect(
        f"wss://{address}/ws", ssl=context, max_size=None, origin=f"https://{address}", subprotocols=["demo.upgradegw"]
    ) as websocket:
        assert json.loads(websocket.recv(PATIENCE))["secure"] is True
        for message in ("hello", bytes(MEBIBYTE)):
            websocket.send(message)
            assert websocket.recv(PATIENCE) == message
    foreign = f"http://{address}"
    with pytest.raises(InvalidStatus) as refused, connect(f"wss://{address}/ws", ssl=context, origin=foreign):
        pass
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_is_a_close_1001(number: signal.Signals) -> None:
    """When the server stops, every WebSocket is closed with 1001, and what had been sent before has arrived."""
    with serving() as server, contextlib.ExitStack() as stack:
        websockets = [stack.enter_context(dial(server)) for _ in range(3)]
        for websocket in websockets:
            websocket.send("last words")
            assert websocket.recv(PATIENCE) == "last words"
        server.send(number)
        for websocket in websockets:
            with pytest.raises(ConnectionClosedOK) as closed:
                websocket.recv(PATIENCE)
            assert received_code(closed) == 1001
        server.wait()
    assert_no_traceback(server)
