"""HTTP/2 against a running process: the attacker gets nowhere, and others do not notice."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.attacks.http2_client import Attacker, another_is_served, ask, attacking
from tests.http2.client import (
    END_HEADERS,
    ENHANCE_YOUR_CALM,
    FLOW_CONTROL_ERROR,
    INITIAL_WINDOW_SIZE,
    connect_fields,
    data,
    fields,
    frame,
    ping,
    rst,
    settings,
    window_update,
)
from tests.support.process import Server, serving
from upgradegw.http2.frames import PREFACE, Kind

HERE = Path(__file__).parent
#: Bytes by which a process may have grown behind an attack: what the allocator keeps.
GROWTH = 24 << 20
#: The part of a core that a client may cost that is only held.
IDLE = 0.2


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A process that serves ``http2_site``."""
    options = ("--resource", "/=http2_site:site", "--app-dir", str(HERE), "--access-log", "off")
    with serving(*options) as running:
        yield running


def seen(server: Server) -> Any:
    """What the application has seen."""
    return json.loads(ask(server, "/seen"))


@pytest.fixture
def unharmed(server: Server) -> Iterator[None]:
    """Others are served during the attack; behind it memory is back, and nothing runs on."""
    process = psutil.Process(server.process.pid)
    ask(server, "/big")
    before = process.memory_info().rss
    with another_is_served(server):
        yield
    deadline = time.monotonic() + 10
    while seen(server)["running"] and time.monotonic() < deadline:
        time.sleep(0.1)
    assert seen(server)["running"] == 0
    assert process.memory_info().rss < before + GROWTH
    assert server.process.poll() is None


def calmed(attacker: Attacker) -> bool:
    """Whether the connection was ended with ENHANCE_YOUR_CALM, or by a close that destroyed what said so."""
    ended = attacker.read_to_the_end()
    codes = attacker.codes(Kind.GOAWAY)
    return ended and codes in ([], [ENHANCE_YOUR_CALM])


def flood(attacker: Attacker, pieces: Iterator[bytes]) -> None:
    """Send as long as the server takes it, and read nothing."""
    attacker.socket.settimeout(5)
    for piece in pieces:
        if not attacker.send(piece):
            return


@pytest.mark.usefixtures("unharmed")
def test_rapid_reset(server: Server) -> None:
    """A-14: thousands of requests that are reset at once end the connection, and their work with them."""
    before = seen(server)["asked"]
    with attacking(server) as attacker:
        flood(attacker, (attacker.head(i, b"/never") + rst(i) for i in range(1, 10_001, 2)))
        assert calmed(attacker)
    assert seen(server)["asked"] - before < 2_000 + 2_000  # the bucket, and whoever else was served


@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize("kind", ["window overflow", "data", "headers"])
def test_made_you_reset(server: Server, kind: str) -> None:
    """A-15: making the server reset its own streams is counted just so."""
    with attacking(server) as attacker:
        provoke = {
            "window overflow": lambda i: window_update(2**31 - 1, i),
            "data": lambda i: data(i, b"x"),
            "headers": attacker.head,
        }[kind]
        flood(attacker, (attacker.head(i, b"/never") + provoke(i) for i in range(1, 10_001, 2)))
        assert calmed(attacker)


@pytest.mark.usefixtures("unharmed")
def test_continuation(server: Server) -> None:
    """A-16: a header block that does not end."""
    with attacking(server) as attacker:
        attacker.send(frame(Kind.HEADERS, b"", 0, 1))
        flood(
            attacker,
            (frame(Kind.CONTINUATION, b"\x00\x01a" + b"\x7f\x80\x7f" + b"a" * 255, 0, 1) for _ in range(20_000)),
        )
        assert calmed(attacker)


@pytest.mark.usefixtures("unharmed")
def test_hpack_bomb(server: Server) -> None:
    """A-17: a small block that stands for a large head."""
    with attacking(server) as attacker:
        entry = attacker.block(1, fields(b"GET", b"/", (b"x", b"a" * 4000)))
        bomb = attacker.encoder.encode(fields(b"GET", b"/", *[(b"x", b"a" * 4000)] * 4000))
        attacker.send(entry + frame(Kind.HEADERS, bomb, END_HEADERS | 1, 3))
        assert calmed(attacker)


@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize("kind", ["ping", "settings", "many entries", "priority", "empty data", "empty headers"])
def test_floods(server: Server, kind: str) -> None:
    """A-18, A-19, A-20: frames that cost their sender nothing, and answers that nobody reads."""
    with attacking(server) as attacker:
        attacker.send(attacker.block(1, fields(b"POST", b"/"), END_HEADERS))
        piece = {
            "ping": ping() * 100,
            "settings": settings({3: 1}) * 100,
            "many entries": settings(dict.fromkeys(range(100, 2800), 0)),
            "priority": frame(Kind.PRIORITY, b"\x00\x00\x00\x07\x10", 0, 9) * 100,
            "empty data": data(1) * 100,
            "empty headers": frame(Kind.HEADERS, b"", 0, 3) + frame(Kind.CONTINUATION, b"", 0, 3) * 100,
        }[kind]
        flood(attacker, (piece for _ in range(1_000)))
        assert calmed(attacker)


def processor_time(server: Server, seconds: float) -> float:
    """The part of a core that the process uses while nothing is done but waiting."""
    process = psutil.Process(server.process.pid)
    before = sum(process.cpu_times()[:2])
    time.sleep(seconds)
    return (sum(process.cpu_times()[:2]) - before) / seconds


@pytest.mark.parametrize("kind", ["window 0", "window 1", "drip", "TCP"])
def test_slow_read(server: Server, kind: str) -> None:
    """A-21: a client that asks for much and takes nothing, or a byte now and then, costs next to nothing."""
    window = {"window 0": 0, "window 1": 1, "drip": 0}.get(kind, 1 << 30)
    with attacking(server, {INITIAL_WINDOW_SIZE: window}, receive_buffer=4096 if kind == "TCP" else 0) as attacker:
        attacker.send(b"".join(attacker.head(i, b"/big") for i in range(1, 41, 2)))
        if kind == "TCP":
            attacker.send(window_update(1 << 30))
        if kind == "drip":
            process = psutil.Process(server.process.pid)
            before, began = sum(process.cpu_times()[:2]), time.monotonic()
            while time.monotonic() < began + 10:
                assert attacker.send(window_update(1, 1))
                time.sleep(0.05)
            used = (sum(process.cpu_times()[:2]) - before) / 10
        else:
            time.sleep(0.5)
            used = processor_time(server, 10)
        assert used < IDLE
        assert ask(server) == b"ok"


def test_window_overflow(server: Server) -> None:
    """A-22: a window beyond 2^31-1 ends the connection, or its stream alone."""
    with attacking(server) as attacker:
        attacker.send(window_update(2**31 - 1))
        assert attacker.read_to_the_end()
        assert attacker.codes(Kind.GOAWAY) == [FLOW_CONTROL_ERROR]
        assert attacker.ended_after < 3
    with attacking(server) as attacker:
        attacker.send(attacker.head(1, b"/never") + window_update(2**31 - 1, 1) + attacker.head(3))
        attacker.read(0.5)
        assert attacker.codes(Kind.RST_STREAM) == [FLOW_CONTROL_ERROR]
        assert attacker.codes(Kind.GOAWAY) == []


def test_negative_window(server: Server) -> None:
    """A-22: a window that the client makes negative is waited out, and the rest is sent."""
    with attacking(server, {INITIAL_WINDOW_SIZE: 100_000}) as attacker:
        attacker.send(attacker.head(1, b"/big"))
        attacker.read(0.3)
        attacker.send(settings({INITIAL_WINDOW_SIZE: 10}) + window_update(1 << 24))
        attacker.read(0.3)
        sent = sum(len(each.data) for each in attacker.frames if each.type == Kind.DATA)
        attacker.send(window_update(100_000, 1))
        attacker.read(0.5)
        assert sum(len(each.data) for each in attacker.frames if each.type == Kind.DATA) == 100_010
        assert sent <= 100_000


_SMUGGLING = {
    "content-length too large": (fields(b"POST", b"/smuggled", (b"content-length", b"5")), b"ab"),
    "content-length too small": (fields(b"POST", b"/smuggled", (b"content-length", b"1")), b"ab"),
    "content-length twice": (
        fields(b"POST", b"/smuggled", (b"content-length", b"2"), (b"content-length", b"2")),
        b"ab",
    ),
    "transfer-encoding": (fields(b"POST", b"/smuggled", (b"transfer-encoding", b"chunked")), b"0\r\n\r\n"),
    "connection": (fields(b"GET", b"/smuggled", (b"connection", b"close")), b""),
    "upgrade": (fields(b"GET", b"/smuggled", (b"upgrade", b"websocket")), b""),
    "line ends in a value": (fields(b"GET", b"/smuggled", (b"x", b"a\r\nhost: evil")), b""),
    "a space in the method": (fields(b"GET /smuggled HTTP/1.1\r\nx:", b"/smuggled"), b""),
    "a space in the path": (fields(b"GET", b"/smuggled HTTP/1.1\r\nx: "), b""),
    "absolute path": (fields(b"GET", b"http://evil.example/smuggled"), b""),
    "capital letters": (fields(b"GET", b"/smuggled", (b"X-A", b"1")), b""),
    "another host": (fields(b"GET", b"/smuggled", (b"host", b"evil.example")), b""),
    "no path": ([each for each in fields(b"GET", b"/smuggled") if each[0] != b":path"], b""),
    "path twice": ([*fields(b"GET", b"/smuggled")[:3], (b":path", b"/smuggled"), (b":authority", b"a.example")], b""),
}


@pytest.mark.parametrize("name", _SMUGGLING)
def test_smuggling(server: Server, name: str) -> None:
    """A-09: what would be another request on HTTP/1.1 resets its stream and reaches no resource; others go on."""
    block, content = _SMUGGLING[name]
    with attacking(server) as attacker:
        head = attacker.block(1, block, END_HEADERS | (0 if content else 1))
        attacker.send(head + (data(1, content, end=True) if content else b"") + attacker.head(3))
        attacker.read(0.3)
        assert attacker.codes(Kind.RST_STREAM) == [1]
        assert attacker.codes(Kind.GOAWAY) == []
        assert any(each.type == Kind.DATA and each.stream_id == 3 for each in attacker.frames)
    assert not [target for target in seen(server)["targets"] if "smuggled" in target]


def test_alias_protocols(server: Server) -> None:
    """A-44: extended CONNECT to a resource that does not know it, and plain CONNECT, are refused without asking it."""
    before = seen(server)["asked"]
    with attacking(server) as attacker:
        for number, block in enumerate(
            [
                connect_fields(b"websocket", b"/"),
                connect_fields(b"connect-udp", b"/"),
                [(b":method", b"CONNECT"), (b":authority", b"169.254.169.254:80")],
            ]
        ):
            attacker.send(attacker.block(1 + 2 * number, block, END_HEADERS))
        attacker.read(0.3)
        assert attacker.codes(Kind.GOAWAY) == []
        assert {each.stream_id for each in attacker.frames if each.type == Kind.HEADERS} == {1, 3, 5}
    assert seen(server)["asked"] == before


def test_offers_of_h2c(server: Server) -> None:
    """A-01: an offer that some proxy passed on gets the plain answer, and what comes behind it is no HTTP/2."""
    offer = (
        b"GET / HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        b"HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
    )
    with server.connect() as connection:
        connection.sendall(offer + PREFACE + settings())
        received = b""
        while piece := connection.recv(1 << 16):
            received += piece
    assert received.startswith(b"HTTP/1.1 200 ")
    assert b" 101 " not in received
    assert b"\r\n\r\nokHTTP/1.1 " in received
