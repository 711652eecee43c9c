"""Handshakes and GETs a second, ours beside Autobahn's resource in a stock Site, in one run.

    python tests/benchmarks/compare.py [--seconds 0.5] [--rounds 20]

All servers run on the first core, one at a time under load, the load on the second; a round visits every server for a
moment, and the best moment of each counts. The exit status is 1 if a ratio is below its floor.
"""

from __future__ import annotations

import argparse
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

_HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_GET = (
    b"GET /plain HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: */*\r\n"
    b"Accept-Encoding: gzip\r\nConnection: keep-alive\r\n\r\n"
)
_CONNECTIONS = 32
#: What the comparison must show, as a multiple of Autobahn's resource in a stock Site.
FLOORS = {"handshakes": 1.8, "GETs": 1.5}


_HERE = Path(__file__).parent
#: How a server says where it is: ours is ready, Hypercorn runs, and the stock sites print a number.
_PORT = re.compile(r"^(\d+)$|(?:ready: |Running on )https?://127\.0\.0\.1:(\d+)")


def stock(name: str, *arguments: str) -> list[str]:
    """Return the command that starts one of the stock sites."""
    return [sys.executable, str(_HERE / "servers.py"), name, *arguments]


def ours(*options: str) -> list[str]:
    """Return the command that starts our server with the same resources."""
    command = [sys.executable, "-m", "upgradegw", "--listen", "tcp:0:interface=127.0.0.1", "--access-log", "off"]
    command += ["--app-dir", str(_HERE), "--websocket", "/ws=servers:echo_factory"]
    return [*command, "--resource", "/plain=servers:Plain", *options]


class Server:
    """One server process on the first core."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=_HERE.parents[1]
        )
        self.port = self._read_port()
        os.sched_setaffinity(self._process.pid, {0})

    def _read_port(self) -> int:
        """Wait until the server has said where it is."""
        assert self._process.stdout is not None
        said = []
        for line in self._process.stdout:
            said.append(line)
            found = _PORT.search(line)
            if found:
                threading.Thread(target=self._process.stdout.read, daemon=True).start()
                return int(found[1] or found[2])
        raise RuntimeError(f"the server did not start:\n{''.join(said)}")

    def seconds(self) -> float:
        """Processor time that it has used."""
        return int(Path(f"/proc/{self._process.pid}/schedstat").read_text().split()[0]) / 1e9

    def stop(self) -> None:
        """End it."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def handshakes(port: int, seconds: float) -> float:
    """Handshakes a second, each on a new connection that is reset behind the 101."""
    selector = selectors.DefaultSelector()

    def start() -> None:
        connection = _connect(port)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.sendall(_HANDSHAKE)
        selector.register(connection, selectors.EVENT_READ)

    for _ in range(_CONNECTIONS):
        start()
    done, began = 0, time.perf_counter()
    while (passed := time.perf_counter() - began) < seconds:
        for key, _ in selector.select(1):
            answer = key.fileobj.recv(4096)  # type: ignore[union-attr]
            assert answer.startswith(b"HTTP/1.1 101"), answer
            selector.unregister(key.fileobj)
            key.fileobj.close()  # type: ignore[union-attr]
            done += 1
            start()
    for key in list(selector.get_map().values()):
        key.fileobj.close()  # type: ignore[union-attr]
    return done / passed


def gets(port: int, seconds: float) -> float:
    """Requests a second on connections that are kept alive, one in flight on each."""
    selector = selectors.DefaultSelector()
    for _ in range(_CONNECTIONS):
        connection = _connect(port)
        connection.sendall(_GET)
        selector.register(connection, selectors.EVENT_READ)
    done, began = 0, time.perf_counter()
    while (passed := time.perf_counter() - began) < seconds:
        for key, _ in selector.select(1):
            answer = key.fileobj.recv(4096)  # type: ignore[union-attr]
            assert answer.endswith(b"hello, world"), answer
            done += 1
            key.fileobj.sendall(_GET)  # type: ignore[union-attr]
    for key in list(selector.get_map().values()):
        key.fileobj.close()  # type: ignore[union-attr]
    return done / passed


def main() -> int:
    """Run, print a table, and judge the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=0.5, help="for each row and round")
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {1})
    commands = {"autobahn": stock("autobahn"), "stock": stock("stock"), "upgradegw": ours()}
    best = {(name, row): 0.0 for name in commands for row in FLOORS}
    least = {(name, row): float("inf") for name in commands for row in FLOORS}
    servers = {name: Server(command) for name, command in commands.items()}
    try:
        for number in range(arguments.rounds + 1):
            for row, measure in (("handshakes", handshakes), ("GETs", gets)):
                for name, server in servers.items():
                    used = server.seconds()
                    rate = measure(server.port, arguments.seconds)
                    cost = (server.seconds() - used) / (rate * arguments.seconds) * 1e6
                    if number:  # the first round warms up
                        best[name, row] = max(best[name, row], rate)
                        least[name, row] = min(least[name, row], cost)
    finally:
        for server in servers.values():
            server.stop()
    failed = 0
    for row, floor in FLOORS.items():
        base = best["autobahn", row]
        ratios = {name: best[name, row] / base for name in commands}
        cheaper = {name: least["autobahn", row] / least[name, row] for name in commands}
        for name in commands:
            print(  # noqa: T201 - the table
                f"{row:10} {name:9} {best[name, row]:8,.0f}/s ({ratios[name]:.2f} x), "
                f"{least[name, row]:6.1f} us of processor time each ({cheaper[name]:.2f} x)"
            )
        failed += ratios["upgradegw"] < floor
    print(f"{len(FLOORS) - failed} passed, {failed} failed")  # noqa: T201
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
