"""The demonstration site on a UNIX socket."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosedOK, InvalidStatus
from websockets.sync.client import unix_connect

from tests.clients.support import assert_no_traceback, received_code, run_tool, tool
from tests.support.process import PATIENCE, Server, serving


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the socket lies."""
    return tmp_path / "gateway.sock"


@pytest.fixture
def server(path: Path) -> Iterator[Server]:
    """The demonstration site on the socket."""
    with serving("--listen", f"unix:{path}", folder=path.parent) as running:
        yield running
    assert_no_traceback(running)


def test_curl(server: Server, path: Path) -> None:
    """UP-13: the page, and 426 twice on one connection."""
    command = [tool("curl"), "-q", "-sS", "--unix-socket", str(path), "-o", "/dev/null"]
    written = ["-w", "%{http_code} %{http_version} %{num_connects}\n"]
    assert run_tool([*command, *written, "http://localhost/"]).stdout == "200 1.1 1\n"
    ws = "http://localhost/ws"
    assert run_tool([*command, *written, ws, "-o", "/dev/null", ws]).stdout == "426 1.1 1\n426 1.1 0\n"
    server.await_line('- "GET /ws HTTP/1.1" 426 ')


def test_a_websocket(server: Server, path: Path) -> None:
    """What is sent comes back; the origin is compared with Host, for a socket has no address of its own."""
    with unix_connect(
        str(path), "ws://gateway.example/ws", origin="http://gateway.example", subprotocols=["demo.upgradegw"]
    ) as websocket:
        assert json.loads(websocket.recv(PATIENCE))["client"] == "a UNIX socket"
        for message in ("grüße", os.urandom(100_000)):
            websocket.send(message)
            assert websocket.recv(PATIENCE) == message
    with (
        pytest.raises(InvalidStatus) as refused,
        unix_connect(str(path), "ws://gateway.example/ws", origin="http://evil.example"),
    ):
        pass
    assert refused.value.response.status_code == 403
    server.await_line('- switch path="/ws" token="websocket" subprotocol="demo.upgradegw"')


def test_a_stop(path: Path) -> None:
    """A stop is Close 1001 here, too, and takes the socket's file away."""
    with serving("--listen", f"unix:{path}", folder=path.parent) as server:
        with unix_connect(str(path), "ws://localhost/ws") as websocket:
            server.send(signal.SIGTERM)
            with pytest.raises(ConnectionClosedOK) as closed:
                websocket.recv(PATIENCE)
            assert received_code(closed) == 1001
        server.wait()
    assert not path.exists()
    assert_no_traceback(server)
