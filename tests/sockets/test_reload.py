"""The configuration exchanged under load, three times, over real sockets."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.process import PATIENCE, Server, serving
from tests.support.sockets import read_close, read_until, switch

#: Threads that each open one connection after the other.
_CLIENTS = 3
_ECHO = "upgradegw.service.demonstration.echo:websocket_echo_factory"
_ROUTES = """
[[listen]]
endpoint = "tcp:0:interface=127.0.0.1"
{more}
[[route]]
path = "/"
respond = {{ content = "{content}" }}
[[route]]
path = "/kept"
websocket = "{echo}"
[[route]]
path = "/through"
proxy = "unix:{folder}/own.sock:/kept"
strip_path = true
[[route]]
path = "/changed"
websocket = "{echo}"
max_fragments = {number}
[[listen]]
endpoint = "unix:{folder}/own.sock:lockfile=0"
"""


def write(folder: Path, number: int) -> None:
    """Write the configuration of that number; a second server reads none of it half-written."""
    more = f'[[listen]]\nendpoint = "unix:{folder}/{number}.sock:lockfile=0"' if number % 2 else ""
    text = _ROUTES.format(more=more, content=f"content {number}", echo=_ECHO, folder=folder, number=number)
    (folder / "new.toml").write_text(text)
    (folder / "new.toml").rename(folder / "gateway.toml")


class Load:
    """Clients that open connections, ask, and remember what they got."""

    def __init__(self, port: int) -> None:
        self.answers: list[bytes] = []
        self.failures: list[str] = []
        self._port = port
        self._stop = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Ask for as long as a ``with`` block lasts."""
        threads = [threading.Thread(target=self._run) for _ in range(_CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(PATIENCE)

    def await_answer(self, content: bytes) -> None:
        """Wait until somebody has got it."""
        deadline = time.monotonic() + PATIENCE
        while content not in self.answers:
            assert time.monotonic() < deadline, content
            time.sleep(0.01)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.answers.append(self._ask())
            except OSError as error:
                self.failures.append(repr(error))
            time.sleep(0.002)

    def _ask(self) -> bytes:
        with socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE) as client:
            client.sendall(b"GET /x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n")
            received = b""
            while data := client.recv(65536):
                received += data
        return received.partition(b"\r\n\r\n")[2]


def echoes(client: socket.socket, text: bytes) -> None:
    """Send a message and read it again."""
    client.sendall(b"\x81" + bytes([0x80 | len(text)]) + bytes(4) + text)
    assert read_until(client, text).endswith(b"\x81" + bytes([len(text)]) + text)


def reload(server: Server, folder: Path, number: int) -> None:
    """Exchange the configuration, and wait until it is in force."""
    write(folder, number)
    before = server.text.count("Configuration read again")
    server.send(signal.SIGHUP)
    deadline = time.monotonic() + PATIENCE
    while server.text.count("Configuration read again") == before:
        assert time.monotonic() < deadline, server.text
        time.sleep(0.01)


def test_a_reload_under_load_refuses_nobody(tmp_path: Path) -> None:
    """No connection is refused or cut off, tunnels of unchanged routes live on, those of changed ones get 1001."""
    write(tmp_path, 1)
    options = "--config=gateway.toml", "--access-log=off"
    with (
        serving(*options, folder=tmp_path, listen=False) as server,
        server.connect() as kept,
        server.connect() as through,
        server.connect() as changed,
    ):
        for client, path in ((kept, b"/kept"), (through, b"/through"), (changed, b"/changed")):
            switch(client, path)
        load = Load(server.port)
        with load.running():
            load.await_answer(b"content 1")
            for number in (2, 3, 4):
                reload(server, tmp_path, number)
                load.await_answer(b"content %d" % number)
                echoes(kept, b"still %d" % number)
                echoes(through, b"through %d" % number)
        assert read_close(changed) == b"\x88\x02\x03\xe9"  # Close 1001, RFC 6455 section 7.4.1
        assert load.failures == []
        assert set(load.answers) == {b"content %d" % number for number in (1, 2, 3, 4)}
        assert not (tmp_path / "1.sock").exists()
        (tmp_path / "gateway.toml").write_text("listen = 1")
        server.send(signal.SIGHUP)
        server.await_line("The configuration cannot be used, the one in force stays: gateway.toml: ")
        echoes(kept, b"for ever")
    assert "route /changed: changed" in server.text
    assert "Traceback" not in server.text
