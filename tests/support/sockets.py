"""A client that is nothing but a socket."""

from __future__ import annotations

import socket

from tests.memory import WEBSOCKET
from tests.support.process import Server


def ask(server: Server, path: bytes, fields: bytes = b"") -> bytes:
    """Send a GET, return the whole answer."""
    with server.connect() as client:
        client.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + fields + b"\r\n")
        return read_all(client)


def switch(client: socket.socket, path: bytes = b"/ws") -> None:
    """Open a WebSocket."""
    client.sendall(WEBSOCKET.replace(b"/ws", path, 1))
    assert read_until(client, b"\r\n\r\n").startswith(b"HTTP/1.1 101 ")


def read_until(client: socket.socket, end: bytes) -> bytes:
    """Read up to and with some bytes."""
    data = b""
    while end not in data:
        more = client.recv(65536)
        assert more, data
        data += more
    return data


def read_all(client: socket.socket) -> bytes:
    """Read until the server ends its side."""
    data = b""
    while more := client.recv(65536):
        data += more
    return data


def read_close(client: socket.socket) -> bytes:
    """Read a frame of four bytes, as a Close with a code is."""
    data = b""
    while len(data) < 4:
        more = client.recv(4 - len(data))
        assert more, data
        data += more
    return data
