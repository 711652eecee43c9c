"""Little that becomes much: what a message inflates to, and what compression costs each connection."""

from __future__ import annotations

import tracemalloc
import zlib
from typing import Any

import psutil

from tests.attacks.clients import websocket_request
from tests.attacks.conftest import Serve
from tests.attacks.tree import Tree
from tests.protocols.websocket.support import BINARY, PING, close, frame
from tests.support.process import Server

OFFER = b"Sec-WebSocket-Extensions: permessage-deflate"


def deflated(content: bytes, window: int = 12) -> bytes:
    """A compressed message."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -window)
    return frame(BINARY, (compressor.compress(content) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4], rsv=4)


BOMB = deflated(bytes(200_000_000), 15)


def test_bomb(anywhere: Serve, clock: Any) -> None:
    """A-23: 200 MB in 200 KB: 1009 as soon as a megabyte is inflated, with little more memory than that."""
    assert len(BOMB) < 210_000
    place = anywhere(Tree(clock, compression=True))
    client = place.open_websocket(OFFER)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    client.send(BOMB)
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert peak < 6 << 20
    client.failed(1009)
    assert len(place.root.chats[0].seen) == 2


def _converse(server: Server, *segments: bytes) -> bytes:
    with server.connect() as connection:
        connection.sendall(websocket_request(OFFER))
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 101 ")
        for segment in segments:
            connection.sendall(segment)
        received = b""
        while data := connection.recv(1 << 16):
            received += data
    return received


def test_bomb_on_a_process(demonstration: Server) -> None:
    """A-23: the same on the demonstration site: ten bombs, and the process has hardly grown."""
    process = psutil.Process(demonstration.process.pid)
    _converse(demonstration, BOMB, close(1009))
    before = process.memory_info().rss
    for _ in range(10):
        assert _converse(demonstration, BOMB, close(1009))[2:4] == (1009).to_bytes(2, "big")
    assert process.memory_info().rss - before < 8 << 20


def test_many_small_bombs(anywhere: Serve, clock: Any) -> None:
    """A-23: message after message just below the limit costs the memory of one."""
    place = anywhere(Tree(clock, compression=True))
    client = place.open_websocket(OFFER)
    small = deflated(bytes(1_000_000))
    assert len(small) < 4_000
    client.send(small)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(30):
        client.send(small)
    current, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The test's own protocol notes each message; without these a megabyte or two is in flight.
    kept = sum(len(message) for message in place.root.chats[0].seen if isinstance(message, bytes))
    assert peak - before < kept + (8 << 20)
    assert current - before < kept + (2 << 20)


def test_cost_of_a_connection(anywhere: Serve, clock: Any) -> None:
    """A-24: off by default; where it is on, the windows are small: 128 KiB for each connection that used it."""
    place = anywhere()
    assert b"permessage-deflate" not in place.open_websocket(OFFER).received
    place = anywhere(Tree(clock, compression=True))
    message = deflated(bytes(range(256)) * 40)
    place.open_websocket(OFFER + b"; client_max_window_bits").send(message)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    clients = [place.open_websocket(OFFER + b"; client_max_window_bits") for _ in range(20)]
    for client in clients:
        assert b"client_max_window_bits=12" in client.received
        client.send(message)
    idle = sum(len(client.received) for client in clients)
    growth = tracemalloc.get_traced_memory()[0] - before - idle
    tracemalloc.stop()
    assert growth / len(clients) < 128 * 1024


def test_compressed_control_frame(anywhere: Serve, clock: Any) -> None:
    """A-23, A-29: a control frame is never compressed (1002), and what is no deflate stream is 1007."""
    place = anywhere(Tree(clock, compression=True))
    for wrong, code in ((frame(PING, b"x", rsv=4), 1002), (frame(BINARY, b"\xff\xff\xff", rsv=4), 1007)):
        client = place.open_websocket(OFFER)
        client.send(wrong)
        client.failed(code)
