"""Clients that take their time: with the TLS handshake, the head, the content, a message, or for ever."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tests.attacks.clients import Client, any_server, get, websocket_request
from tests.attacks.conftest import Serve
from tests.attacks.tree import Tree
from tests.protocols.websocket.support import BINARY, PING, PONG, TEXT, frame

ATTACKERS = 20


def drip(client: Client, data: bytes, seconds: float, every: float, most: float) -> float:
    """Send a byte now and then until the server ends the connection; return how long that took."""
    since = client.place.reactor.seconds()
    for byte in data * 1000:
        client.send(bytes([byte]))
        client.place.advance(every)
        if client.closed:
            break
        assert client.place.reactor.seconds() - since <= most
    assert client.place.reactor.seconds() - since >= seconds
    return client.place.reactor.seconds() - since


@pytest.mark.parametrize("start", [b"", b"G", get(b"/")[:-2], websocket_request()[:-3], b"\r\n"])
def test_dripping_head(ours: Serve, start: bytes) -> None:
    """A-25: a byte every two seconds does not keep a head alive: 408 at ten seconds, whatever had come at once."""
    place = ours()
    clients = [place.connect() for _ in range(ATTACKERS)]
    for client in clients:
        client.send(*filter(None, [start]))
    for step in range(20):
        for client in clients:
            client.send(b"GET / HTTP/1.1\r\nHost: a.example\r\nX-a: aaaaaa"[len(start) :][step : step + 1] or b"a")
        place.advance(2)
    for client in clients:
        client.refused(408)
    assert place.open == 0
    assert place.root.rendered == []


def test_head_without_end(ours: Serve) -> None:
    """A-25: field after field, each complete, each in time: the deadline is for the whole."""
    client = ours().ask(b"GET / HTTP/1.1\r\nHost: a.example\r\n")
    drip(client, b"a: b\r\n", 9, 0.5, 13)
    client.refused(408)


def test_second_head(ours: Serve) -> None:
    """A-25: each head of a connection has its deadline, also one that is begun behind an answer."""
    client = ours().ask(get(b"/") + b"GET")
    assert client.statuses == [200]
    drip(client, b"/", 9, 1, 14)
    assert client.statuses == [200, 408]


def test_silent_client(ours: Serve) -> None:
    """A-25: a client that says nothing is gone after a minute, without an answer; one that has switched is not idle."""
    place = ours()
    kept = place.open_websocket()
    for _ in range(ATTACKERS):
        place.connect()
    answered, empty = place.ask(get(b"/")), place.connect()
    for _ in range(13):
        place.advance(5)
        empty.send(b"\r\n")  # empty lines are no head
        kept.send(frame(TEXT, b"x"))
    assert place.open == 1
    assert answered.statuses == [200]
    assert all(client.received == b"" for client in place.clients if client not in (kept, answered))
    assert kept.echoes()


@pytest.mark.parametrize("sent", ["nothing", "half a hello", "hello only"])
def test_tls_handshake_without_end(tls: Serve, sent: str) -> None:
    """A-25, A-33: a TLS handshake that is not finished in ten seconds ends, silent or dripping."""
    place = tls()
    clients = [place.raw() for _ in range(ATTACKERS)]
    for client in clients:
        client.start_tls(any_server())
        hello = bytes(client._out)
        client._out.clear()
        client.reads = False
        half = hello[: len(hello) // 2]
        client.tls = None
        client.send({"nothing": b"", "half a hello": half, "hello only": hello}[sent])
    for step in range(12):
        assert place.open == ATTACKERS or step >= 10
        place.advance(1)
        for client in clients:
            client.send(b"\x01" * (sent == "half a hello"))
    assert place.open == 0


@pytest.mark.parametrize("every", [1, 10, 60])
def test_dripping_frame(anywhere: Serve, every: int) -> None:
    """A-26: a frame's header at once and then a byte now and then: the connection ends within a minute or so."""
    place = anywhere()
    client = place.open_websocket()
    begun = frame(BINARY, bytes(100_000))
    client.send(begun[:14])
    took = 0
    while not client.closed:
        client.send(begun[20:21])
        place.advance(every, step=1)
        took += every
        assert took <= 120
    assert place.root.chats[0].seen == ["open", place.root.chats[0].seen[-1]]
    assert place.open == 0


def test_dripping_fragments(anywhere: Serve) -> None:
    """A-26: a fragment a second, with every ping answered: 1008 after a minute."""
    place = anywhere()
    client = place.open_websocket()
    client.send(frame(TEXT, b"x", fin=False))
    for _ in range(58):
        place.advance(1)
        client.send(frame(0, b"x", fin=False), *(frame(PONG, ping) for op, ping in client.frames[-1:] if op == PING))
    assert client.close_code is None
    place.advance(3)
    client.failed(1008)


def test_endless_fragments(anywhere: Serve) -> None:
    """A-26: fragments without end, empty ones too, at full speed: 1008 at the 1,025th; nothing is kept of them."""
    for content in (b"", b"x"):
        place = anywhere()
        client = place.open_websocket()
        client.send(frame(TEXT, content, fin=False) + frame(0, content, fin=False) * 20_000)
        client.failed(1008)
        assert len(place.root.chats[0].seen) == 2


def test_dripping_content(ours: Serve) -> None:
    """A-27: content that stops arriving: 408 after a minute without any; its temporary file is gone."""
    place = ours()
    head = b"POST / HTTP/1.1\r\nHost: a.example\r\n"
    for announced in (b"Content-Length: 900000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n8000\r\n"):
        client = place.ask(head + announced + bytes(2_000))
        place.advance(59, step=1)
        assert client.received == b""
        client.send(b"x")
        place.advance(59, step=1)
        assert client.received == b""
        place.advance(2)
        client.refused(408)
    assert place.root.rendered == []


def test_vanished_client(anywhere: Serve) -> None:
    """A-31: a client that answers no ping is dropped 20 seconds behind it, also one that cannot be written to."""
    place = anywhere()
    clients = [place.open_websocket() for _ in range(5)]
    clients[0].reads = False
    lively = place.open_websocket()
    for _ in range(8):
        place.advance(5)
        lively.send(*(frame(PONG, ping) for opcode, ping in lively.frames[-1:] if opcode == PING))
    place.advance(3)
    assert place.open == 1
    assert [protocol.seen[-1][1] for protocol in place.root.chats[:5]] == [False] * 5
    assert lively.echoes()


def test_keep_alive(ours: Serve) -> None:
    """A-31: the kernel looks after connections of protocols that have no ping of their own."""
    place = ours()
    place.ask(get(b"/echo", b"Connection: Upgrade", b"Upgrade: echo"))
    (transport,) = place.transports
    assert transport.socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1


def test_reader_that_stopped(anywhere: Serve, clock: Any) -> None:
    """A-29, A-31: a client that asks and does not read: the server stops reading, and ends it after a minute."""
    place = anywhere(Tree(clock))
    client = place.open_websocket()
    client.reads = False
    client.send(frame(BINARY, bytes(60_000)) * 400)
    assert client.unsent > 0
    (transport,) = place.transports
    assert len(transport.dataBuffer) + transport._tempDataLen < 4 << 20
    place.advance(130, step=1)
    assert place.open == 0
