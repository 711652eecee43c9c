"""A client of the protocol, with nothing but the standard library."""

from __future__ import annotations

import socket
import sys

REQUEST = b"GET /talk HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: shout/1\r\n\r\n"


def shout(host, port, words):
    with socket.create_connection((host, port), timeout=10) as connection, connection.makefile("rb") as lines:
        connection.sendall(REQUEST % f"{host}:{port}".encode())
        status = lines.readline()
        if b" 101 " not in status:
            raise ConnectionError(status.decode())
        while lines.readline() != b"\r\n":
            pass  # the rest of the response head
        greeting = lines.readline()
        connection.sendall(words.encode() + b"\r\n")
        return [greeting.decode().strip(), lines.readline().decode().strip()]


if __name__ == "__main__":
    print(*shout("127.0.0.1", 8080, " ".join(sys.argv[1:]) or "anybody there?"), sep="\n")
