"""More connections than there is room for, in numbers and in descriptors."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from tests.attacks.clients import get, websocket_request
from tests.attacks.conftest import Serve
from tests.certificates import CertificateFiles
from tests.memory import fields_of
from tests.protocols.websocket.support import TEXT, frame
from tests.support.process import Server, serving

#: Descriptors of the server with few of them, and connections that want one.
FEW = 64
MANY = 200


def test_connection_too_many(ours: Serve) -> None:
    """A-40: beyond ``max_connections``: 503 with Retry-After, and the end; as soon as there is room, service."""
    place = ours(max_connections=3)
    chats = [place.open_websocket(), place.open_websocket()]
    third = place.connect()
    for _ in range(20):
        client = place.ask(websocket_request())
        client.refused(503)
        assert int(fields_of(client.received)[b"retry-after"]) > 0
    assert all(chat.echoes() for chat in chats)
    third.reset()
    place.advance(4)
    assert place.ask(get(b"/")).statuses == [200]
    assert len(place.root.chats) == 2


def test_silent_connection_too_many(ours: Serve) -> None:
    """A-40: one too many that says nothing does not stay longer than a head may take."""
    place = ours(max_connections=1)
    place.open_websocket()
    for _ in range(20):
        place.connect()
    place.advance(11)
    assert place.open == 1


def test_client_with_too_many(ours: Serve) -> None:
    """A-40: beyond ``max_connections_per_client`` the same, for a switched connection as for an idle one."""
    place = ours(max_connections_per_client=2)
    place.open_websocket()
    second = place.connect()
    place.ask(get(b"/")).refused(503)
    second.reset()
    assert place.ask(get(b"/")).statuses == [200]


def test_burst(anywhere: Serve) -> None:
    """A-40: a burst of connections at once, half of them reset: all that stay are served, none is left behind."""
    place = anywhere()
    burst = [socket.create_connection(place.address) for _ in range(45)]
    for connection in burst[::2]:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    place.settle()
    assert place.open_websocket().echoes()
    for connection in burst[1::2]:
        connection.close()
    place.until(lambda: place.open == 1)


@pytest.fixture(params=["tcp", "tls"])
def server_with_few(request: pytest.FixtureRequest, certificate: CertificateFiles) -> Iterator[Server]:
    """The demonstration site, with few descriptors."""
    limited = (
        f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({FEW}, {FEW}));"
        " from upgradegw.__main__ import main; main()"
    )
    options = ("--tls-cert", str(certificate.cert), "--tls-key", str(certificate.key)) if request.param == "tls" else ()
    with serving(*options, command=(sys.executable, "-c", limited)) as server:
        yield server


def test_no_descriptors_left(server_with_few: Server) -> None:
    """A-40: no descriptor left: connections that were there go on, others end, and then it is as before."""
    server = server_with_few
    process = psutil.Process(server.process.pid)
    secure = server.urls[0].startswith("https")
    before = process.num_fds()
    with contextlib.ExitStack() as stack:
        held = stack.enter_context(server.connect())
        if not secure:
            held.sendall(websocket_request())
            assert held.recv(1 << 16).startswith(b"HTTP/1.1 101 ")
        burst = [stack.enter_context(server.connect()) for _ in range(MANY)]
        _wait_until(lambda: sum(_has_ended(connection) for connection in burst) > MANY - FEW)
        assert process.num_fds() <= FEW
        busy = sum(process.cpu_times()[:2])
        time.sleep(0.5)
        assert sum(process.cpu_times()[:2]) - busy < 0.25  # it does not spin
        if not secure:
            held.sendall(frame(TEXT, b"still there?"))
            assert held.recv(1 << 16).endswith(b"still there?")
    _wait_until(lambda: process.num_fds() <= before)
    if not secure:
        with server.connect() as connection:
            connection.sendall(get(b"/"))
            assert connection.recv(1 << 16).startswith(b"HTTP/1.1 200 OK")
    server.stop()
    assert "Traceback" not in server.text


def _has_ended(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _wait_until(condition: object) -> None:
    deadline = time.monotonic() + 10
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)
