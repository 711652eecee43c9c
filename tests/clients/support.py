"""What the tests with real clients share: the tools that may be absent, free ports, and a connection read by hand."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from tests.support.process import PATIENCE, Server

ROOT = Path(__file__).resolve().parent.parent.parent


def tool(*names: str) -> str:
    """Return the path of the first of some programs that is installed; skip the test if none is."""
    # Servers lie where only root's search path leads.
    for name in names:
        found = shutil.which(name) or shutil.which(name, path="/usr/local/sbin:/usr/sbin:/sbin")
        if found:
            return found
    pytest.skip(f"{names[0]} is not installed")


def run_tool(command: Sequence[str], **options: object) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; its standard input is empty unless ``input`` is given."""
    options = {"stdin": subprocess.DEVNULL, "timeout": PATIENCE, "text": True, "errors": "replace", **options}
    if "input" in options:
        del options["stdin"]
    return subprocess.run(command, capture_output=True, check=False, **options)  # type: ignore[call-overload]


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that is free now, for programs that cannot be told to choose one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> bool:
    """Wait until somebody listens on a port; False if the process that should has ended instead."""
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), PATIENCE):
            return True
        time.sleep(0.02)
    return False


@contextlib.contextmanager
def process(command: Sequence[str], port: int, log: Path) -> Iterator[int]:
    """Run a server of others for the duration of a ``with`` block; it is stopped by its process number, the value.

    Args:
        command: The server, in the foreground.
        port: Where it will listen.
        log: Gets its output.
    """
    with log.open("wb") as output:
        started = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    try:
        assert wait_for_port(port, started), f"{command[0]} does not listen:\n{log.read_text()}"
        yield started.pid
    finally:
        started.terminate()
        try:
            started.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


class Connection:
    """A connection over which bytes are written and read as they are."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._received = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_why: object) -> None:
        self._socket.close()

    @classmethod
    def to(cls, port: int, source: str = "127.0.0.1") -> Connection:
        """Connect to a port of 127.0.0.1, from an address of this machine."""
        return cls(socket.create_connection(("127.0.0.1", port), PATIENCE, (source, 0)))

    def over_tls(self, context: ssl.SSLContext, name: str) -> Connection:
        """Return the same connection with TLS on it."""
        return Connection(context.wrap_socket(self._socket, server_hostname=name))

    def send(self, data: bytes) -> None:
        """Send bytes, in one segment if they are few."""
        self._socket.sendall(data)

    def end(self) -> None:
        """Send FIN."""
        self._socket.shutdown(socket.SHUT_WR)

    def _more(self) -> None:
        data = self._socket.recv(65536)
        assert data, f"the connection ended behind {self._received!r}"
        self._received += data

    def exactly(self, count: int) -> bytes:
        """Return the next bytes."""
        while len(self._received) < count:
            self._more()
        data, self._received = self._received[:count], self._received[count:]
        return data

    def until(self, mark: bytes) -> bytes:
        """Return what comes up to a mark, mark included."""
        while mark not in self._received:
            self._more()
        data, self._received = (part := self._received.partition(mark))[0] + mark, part[2]
        return data

    def head(self) -> tuple[int, dict[str, str]]:
        """Read a response head; return the status and the fields with lower-case names."""
        status, *lines = self.until(b"\r\n\r\n").decode("latin-1").rstrip("\r\n").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        return int(status.split()[1]), {name.lower(): value.strip() for name, _, value in pairs}

    def response(self) -> tuple[int, dict[str, str], bytes]:
        """Read a response with its content, which must say how long it is."""
        status, fields = self.head()
        return status, fields, self.exactly(int(fields["content-length"]))

    def to_the_end(self) -> bytes:
        """Return everything up to the other side's FIN."""
        with contextlib.suppress(ConnectionResetError):
            while data := self._socket.recv(65536):
                self._received += data
        data, self._received = self._received, b""
        return data


def asks_for(token: str, path: str, host: str, *more: str) -> bytes:
    """Return a request that asks to switch."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: Upgrade", f"Upgrade: {token}", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


#: What a WebSocket handshake has besides ``Upgrade``; the key is the one of RFC 6455 section 1.3.
WEBSOCKET_FIELDS = ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13")


def send_too_much(websocket: ClientConnection) -> None:
    """Send a message over the default limit and wait for an answer; raises ConnectionClosed."""
    websocket.send(bytes((1 << 20) + 1))
    websocket.recv(PATIENCE)


def received_code(closed: pytest.ExceptionInfo[ConnectionClosed]) -> int | None:
    """Return the code of the Close that came, None if none came."""
    return None if closed.value.rcvd is None else int(closed.value.rcvd.code)


def assert_no_traceback(server: Server) -> None:
    """Fail if the server has logged an error of its own."""
    assert "Traceback" not in server.text, server.text
    assert "Unhandled" not in server.text, server.text
