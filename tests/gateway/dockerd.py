"""A stand-in for dockerd: one container, and what the docker command asks of it for exec and attach.

A command in it says ``hello``, then gives back what it is told, and says ``bye`` a while after its input has ended:
output after the client's half-close, as dockerd has for every command that outlives its input.
"""

from __future__ import annotations

import json
import re
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

from tests.gateway.upstream import Asked
from tests.gateway.wire import Wire

CONTAINER, EXEC = "c" * 64, "e" * 64
API_VERSION = "1.50"
STDOUT = 1

#: Seconds between the end of the input and the last output; a gateway that ends the tunnel with the input is quicker.
LATE = 0.15


def multiplexed(stream: int, data: bytes) -> bytes:
    """Return output as Docker frames it where there is no terminal: stream, three zeros, length, data."""
    return struct.pack(">BxxxI", stream, len(data)) + data


class Dockerd:
    """Answers requests as dockerd does.

    Attributes:
        refuse: Answers 409 to whoever wants to switch, as for a container that is paused.
    """

    def __init__(self) -> None:
        self.refuse = False
        self._done = threading.Event()
        self._routes: dict[str, Callable[[Wire, Asked], bool]] = {
            r"(GET|HEAD) /_ping": self._ping,
            r"GET /version": lambda wire, _: self._json(wire, {"ApiVersion": API_VERSION, "Version": "28.2.2"}),
            r"GET /containers/box/json": self._container,
            r"POST /containers/[^/]+/exec": lambda wire, _: self._json(wire, {"Id": EXEC}, status="201 Created"),
            rf"GET /exec/{EXEC}/json": lambda wire, _: self._json(wire, {"ID": EXEC, "Running": False, "ExitCode": 7}),
            rf"POST /exec/{EXEC}/start": self._stream,
            r"POST /containers/[^/]+/attach": self._stream,
            r"POST /containers/[^/]+/wait": self._wait,
        }

    def answer(self, wire: Wire, asked: Asked) -> bool:
        """Answer a request; tell whether the connection is good for another."""
        path = asked.head.target.partition("?")[0]
        line = f"{asked.head.method} {re.sub(r'^/v[0-9.]+', '', path)}"
        for pattern, route in self._routes.items():
            if re.fullmatch(pattern, line):
                return route(wire, asked)
        return self._json(wire, {"message": f"page not found: {line}"}, status="404 Not Found")

    def _json(self, wire: Wire, value: object, status: str = "200 OK") -> bool:
        content = json.dumps(value).encode() + b"\n"
        fields = f"Api-Version: {API_VERSION}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}"
        wire.send(f"HTTP/1.1 {status}\r\n{fields}\r\n\r\n".encode() + content)
        return True

    def _ping(self, wire: Wire, asked: Asked) -> bool:
        fields = f"Api-Version: {API_VERSION}\r\nOstype: linux\r\nContent-Type: text/plain\r\nContent-Length: 2"
        wire.send(f"HTTP/1.1 200 OK\r\n{fields}\r\n\r\n".encode() + b"OK" * (asked.head.method == "GET"))
        return True

    def _container(self, wire: Wire, _asked: Asked) -> bool:
        self._done.clear()
        config: dict[str, Any] = {"Tty": False, "OpenStdin": True, "AttachStdout": True, "Image": "busybox"}
        state = {"Status": "running", "Running": True, "Paused": False, "Restarting": False, "ExitCode": 0}
        host = {"NetworkMode": "default"}
        return self._json(wire, {"Id": CONTAINER, "Name": "/box", "State": state, "Config": config, "HostConfig": host})

    def _stream(self, wire: Wire, asked: Asked) -> bool:
        """Run the command: on a connection that was switched, or as Docker also has it, on one that was not."""
        if self.refuse:
            return self._json(wire, {"message": "container box is paused"}, status="409 Conflict")
        kind = "Content-Type: application/vnd.docker.multiplexed-stream"
        if asked.head.upgrades("tcp"):
            wire.send(f"HTTP/1.1 101 UPGRADED\r\n{kind}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n".encode())
        else:
            wire.send(f"HTTP/1.1 200 OK\r\n{kind}\r\n\r\n".encode())
        wire.send(multiplexed(STDOUT, b"hello\n"))
        while data := wire.piece():
            wire.send(multiplexed(STDOUT, data))
        time.sleep(LATE)
        wire.send(multiplexed(STDOUT, b"bye\n"))
        self._done.set()
        return False

    def _wait(self, wire: Wire, _asked: Asked) -> bool:
        """Answer at once with a head, and with the content when the command has ended."""
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        self._done.wait(10)
        content = b'{"StatusCode":7}\n'
        wire.send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(content), content))
        return True
