"""Certificates exchanged under open WebSockets and under load, on a running server."""

from __future__ import annotations

import contextlib
import signal
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import Authority
from tests.memory import WEBSOCKET
from tests.support.process import PATIENCE, Server, serving

#: WebSockets that are open while the files are exchanged.
OPEN = 100


def place(folder: Path, number: int, authority: Authority) -> None:
    """Let ``live`` name other files, first the certificate and then the key, as certbot does."""
    made = authority.certify(folder, "localhost", file=f"localhost{number}")
    live = folder / "live"
    live.mkdir(exist_ok=True)
    for file in (made.cert, made.key):
        link = folder / "link"
        link.symlink_to(file)
        link.replace(live / f"localhost{file.suffix}")
        time.sleep(0.05)


class Clients:
    """Open WebSockets, and handshakes without an end beside them."""

    def __init__(self, server: Server, context: ssl.SSLContext) -> None:
        self._server = server
        self._context = context
        self._ending = threading.Event()
        self.failed: list[str] = []
        self.handshakes = 0
        self.sockets = [self.open() for _ in range(OPEN)]

    def connect(self) -> ssl.SSLSocket:
        """Shake hands."""
        return self._context.wrap_socket(self._server.connect(), server_hostname="localhost")

    def open(self) -> ssl.SSLSocket:
        """Open a WebSocket."""
        connection = self.connect()
        connection.sendall(WEBSOCKET)
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(4096)
        assert received.startswith(b"HTTP/1.1 101 ")
        return connection

    def echo_all(self, text: bytes) -> int:
        """Send a message on every WebSocket; return how many came back."""
        for connection in self.sockets:
            connection.sendall(bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text)
        return sum(self._reads(connection, text) for connection in self.sockets)

    @staticmethod
    def _reads(connection: ssl.SSLSocket, text: bytes) -> bool:
        received = b""
        while text not in received:
            more = connection.recv(4096)
            if not more:
                return False
            received += more
        return True

    def serial(self) -> int:
        """Return the serial number of the certificate that a new connection is shown."""
        with self.connect() as connection:
            certificate = connection.getpeercert()
            assert certificate
            return int(str(certificate["serialNumber"]), 16)

    @contextlib.contextmanager
    def load(self) -> Iterator[None]:
        """Shake hands again and again, one after the other."""
        thread = threading.Thread(target=self._shake)
        thread.start()
        try:
            yield
        finally:
            self._ending.set()
            thread.join(PATIENCE)

    def _shake(self) -> None:
        while not self._ending.is_set():
            try:
                self.connect().close()
            except OSError as error:  # those of TLS among them
                self.failed.append(repr(error))
            self.handshakes += 1
            time.sleep(0.005)  # the server is to have other work, too


@pytest.mark.timeout(60)
def test_an_exchange_costs_nobody_a_connection(tmp_path: Path) -> None:
    """A good pair is in use soon behind the exchange, a bad one never; no WebSocket is lost, no handshake fails."""
    authority = Authority.named("authority")
    place(tmp_path, 1, authority)
    client = ssl.create_default_context(cafile=str(authority.write(tmp_path)))
    live = tmp_path / "live"
    with serving(f"--tls-cert={live}/localhost.pem", f"--tls-key={live}/localhost.key", "--access-log=off") as server:
        clients = Clients(server, client)
        first = clients.serial()
        assert clients.echo_all(b"before") == OPEN
        with clients.load():
            place(tmp_path, 2, authority)
            server.await_line(r"Certificates exchanged: localhost expires \d{4}-\d\d-\d\d \(in 89 days\)$")
            second = clients.serial()
            assert second != first
            assert clients.echo_all(b"between") == OPEN
            (live / "localhost.pem").unlink()
            (live / "localhost.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\n")
            server.send(signal.SIGHUP)
            server.await_line(
                "Certificates cannot be exchanged, the ones in use stay: --tls-cert .*localhost.pem: this"
            )
            assert clients.serial() == second
            assert clients.echo_all(b"behind") == OPEN
        assert (clients.failed, clients.handshakes > 20) == ([], True)
        assert server.text.count("Certificates") == 2
        for connection in clients.sockets:
            connection.close()
