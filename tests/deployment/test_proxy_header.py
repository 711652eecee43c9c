"""The PROXY protocol outside TLS, on every kind of endpoint: the header first, then the handshake."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clients.test_proxy_protocol import HEADER, HEADER_2
from tests.deployment.activation import activated
from tests.support.process import PATIENCE, Server, serving
from tests.support.sockets import read_all, read_until

KINDS = ("tcp", "unix", "systemd")
HEADERS = {"v1": (HEADER, "192.0.2.99"), "v2": (HEADER_2, "192.0.2.98")}


@dataclass
class Listening:
    """A server that expects PROXY headers, and where it is."""

    server: Server
    family: socket.AddressFamily
    address: str | tuple[str, int]

    @contextlib.contextmanager
    def connected(self, context: ssl.SSLContext, header: bytes) -> Iterator[ssl.SSLSocket]:
        """Send the header, and speak TLS behind it."""
        with socket.socket(self.family) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(self.address)
            connection.sendall(header)
            with context.wrap_socket(connection, server_hostname="localhost") as tls:
                yield tls


@contextlib.contextmanager
def listening(kind: str, folder: Path, *options: str) -> Iterator[Listening]:
    """Run a server on an endpoint of some kind."""
    if kind == "tcp":
        with serving("--listen", "haproxy:tcp:0:interface=127.0.0.1", *options, folder=folder) as server:
            yield Listening(server, socket.AF_INET, ("127.0.0.1", server.port))
    elif kind == "unix":
        with serving("--listen", f"haproxy:unix:{folder}/x.sock", *options, folder=folder) as server:
            yield Listening(server, socket.AF_UNIX, f"{folder}/x.sock")
    else:
        with (
            socket.create_server(("127.0.0.1", 0)) as made,
            activated({"web": made}, "--listen", "haproxy:systemd:index=0", *options, folder=folder) as server,
        ):
            yield Listening(server, socket.AF_INET, made.getsockname())


@pytest.mark.parametrize("kind", KINDS)
def test_the_header_comes_before_tls(
    kind: str, tmp_path: Path, tls_options: tuple[str, ...], context: ssl.SSLContext
) -> None:
    """A-34: from a trusted peer the header names the client: in the log, for a request and for a switch."""
    trusted = "unix" if kind == "unix" else "127.0.0.1"
    with listening(kind, tmp_path, *tls_options, "--trusted-proxy", trusted) as running:
        for version, (header, source) in HEADERS.items():
            with running.connected(context, header) as tls:
                tls.sendall(f"GET /{version} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
                assert read_all(tls).startswith(b"HTTP/1.1 404 ")
            running.server.await_line(rf'\b{source} .*"GET /{version} HTTP/1.1" 404 ')
        with running.connected(context, HEADER) as tls:
            tls.sendall(b"GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nlead")
            assert read_until(tls, b"lead").startswith(b"HTTP/1.1 101 ")
        running.server.await_line(r'\b192\.0\.2\.99 switch path="/echo" token="echo"')
    assert "Traceback" not in running.server.text


@pytest.mark.parametrize("kind", KINDS)
def test_from_anybody_else_it_is_hearsay(
    kind: str, tmp_path: Path, tls_options: tuple[str, ...], context: ssl.SSLContext
) -> None:
    """A-34: from a peer that is not trusted the header is read, and not believed; without one nothing is served."""
    with listening(kind, tmp_path, *tls_options) as running:
        with running.connected(context, HEADER) as tls:
            tls.sendall(b"GET /doubted HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert read_all(tls).startswith(b"HTTP/1.1 404 ")
        peer = "-" if kind == "unix" else r"127\.0\.0\.1"
        running.server.await_line(rf'(^|\s){peer} .*"GET /doubted HTTP/1.1" 404 ')
        with pytest.raises((ssl.SSLError, OSError)), running.connected(context, b""):
            pass
    assert "192.0.2.99" not in running.server.text


def test_the_redirect_takes_the_header_too(tmp_path: Path, tls_options: tuple[str, ...]) -> None:
    """A proxy that passes TCP on does so for both ports."""
    options = "--redirect", "haproxy:tcp:0:interface=127.0.0.1", "--trusted-proxy", "127.0.0.1", *tls_options
    with listening("tcp", tmp_path, *options) as running:
        port = int(running.server.urls[1].rstrip("/").rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
            client.sendall(HEADER + b"GET /x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n")
            assert f"Location: https://a.example:{running.server.port}/x\r\n".encode() in read_all(client)
        running.server.await_line(r'\b192\.0\.2\.99 .*"GET /x HTTP/1.1" 308 ')
