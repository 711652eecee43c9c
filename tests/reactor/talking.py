"""Clients with sockets of their own, for connections that go on talking."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from typing import Any

from tests.reactor.protocols import Remembering

#: Closes with a reset (SO_LINGER with no time).
RESET = struct.pack("ii", 1, 0)


class Echo(Remembering):
    """Sends back what it gets, and does something before."""

    def __init__(self, do: Callable[[Any, bytes], Any] = lambda echo, data: echo.transport.write(data)) -> None:
        super().__init__()
        self.do = do

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        self.do(self, data)


CLIENTS: list[socket.socket] = []


def connect(port: int) -> socket.socket:
    """Return a socket that is closed behind the test."""
    client = socket.create_connection(("127.0.0.1", port), 10)
    CLIENTS.append(client)
    return client


def until(condition: Callable[[], bool]) -> None:
    """Wait, in a thread, while the reactor runs."""
    for _ in range(5000):
        if condition():
            return
        time.sleep(0.002)
    raise AssertionError("this did not happen")


def say(client: socket.socket, *messages: bytes) -> None:
    """Send and get back, message by message."""
    for message in messages:
        client.sendall(message)
        assert read(client, len(message)) == message


def read(client: socket.socket, size: int) -> bytes:
    """Read so many octets, or as many as there are before the end."""
    found = b""
    while len(found) < size and (more := client.recv(size - len(found))):
        found += more
    return found
