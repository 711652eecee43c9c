"""Processor time of a full and of a resumed TLS handshake, ours beside aiohttp's, in one run.

    python tests/benchmarks/tls.py [--handshakes 60] [--rounds 12]

TLS 1.3, the same certificate for both: RSA with 2048 bits, then the curve P-256. The servers run on the first core, the
client on the second; a round makes some full and some resumed handshakes with each server, each on a connection of its
own that is closed behind the handshake, and medians of the rounds count. The exit status is 1 if a resumed handshake
costs more than it may. aiohttp is installed into a cache folder when it is needed.
"""

from __future__ import annotations

import argparse
import os
import socket
import ssl
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from cryptography.hazmat.primitives.asymmetric import ec, rsa

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.compare import Server, ours
from tests.benchmarks.http2 import python_with
from tests.certificates import Authority, Key

AIOHTTP = "3.14.5"

#: What a resumed handshake may cost, as a share of a full one of ours, by the kind of key.
CEILINGS = {"RSA 2048": 0.85, "P-256": 1.0}

_GET = b"GET /plain HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Client:
    """Makes handshakes, and resumes the session of the first."""

    def __init__(self, port: int, authority: str) -> None:
        self._port = port
        self._context = ssl.create_default_context(cafile=authority)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_3
        with self._connect(None) as connection:
            connection.sendall(_GET)
            while connection.recv(65536):  # the tickets come with the response
                pass
            assert connection.session is not None
            self._session = connection.session

    @contextmanager
    def _connect(self, session: ssl.SSLSession | None) -> Iterator[ssl.SSLSocket]:
        with (
            socket.create_connection(("127.0.0.1", self._port)) as plain,
            self._context.wrap_socket(plain, server_hostname="localhost", session=session) as connection,
        ):
            yield connection

    def shake(self, number: int, *, resume: bool) -> None:
        """Make some handshakes."""
        for _ in range(number):
            with self._connect(self._session if resume else None) as connection:
                assert connection.session_reused is resume


def cost(server: Server, client: Client, number: int, *, resume: bool) -> float:
    """Return the microseconds of processor time that a handshake costs the server."""
    before = settled(server)
    client.shake(number, resume=resume)
    return (settled(server) - before) / number * 1e6


def settled(server: Server) -> float:
    """Return the processor time that a server has used, once it has nothing left to do."""
    before = -1.0
    while (used := server.seconds()) != before:
        before = used
        time.sleep(0.02)
    return used


def measure(kind: str, key: Key, number: int, rounds: int) -> bool:
    """Compare with one certificate; return whether resuming is as cheap as it must be."""
    costs: dict[tuple[str, bool], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority.named("authority")
        files = authority.certify(Path(folder), "localhost", key=key)
        trusted = str(authority.write(Path(folder)))
        site = str(Path(__file__).with_name("aiohttp_site.py"))
        commands = {
            "aiohttp": [python_with("aiohttp", AIOHTTP), site, str(files.cert), str(files.key)],
            "upgradegw": ours("--tls-cert", str(files.cert), "--tls-key", str(files.key)),
        }
        servers = {name: Server(command) for name, command in commands.items()}
        try:
            clients = {name: Client(server.port, trusted) for name, server in servers.items()}
            for turn in range(rounds + 1):
                for name, server in servers.items():
                    for resume in (False, True):
                        used = cost(server, clients[name], number, resume=resume)
                        if turn:  # the first round warms up
                            costs.setdefault((name, resume), []).append(used)
        finally:
            for server in servers.values():
                server.stop()
    return report(kind, {key: median(values) for key, values in costs.items()})


def report(kind: str, costs: dict[tuple[str, bool], float]) -> bool:
    """Print a table; return whether resuming is as cheap as it must be."""
    for resume in (False, True):
        what = "resumed" if resume else "full"
        theirs = costs["aiohttp", resume]
        for name in ("aiohttp", "upgradegw"):
            used = costs[name, resume]
            print(  # noqa: T201 - the table
                f"{kind:9} {what:8} {name:10} {used:7.0f} us"
                f" ({used / costs[name, False]:.2f} of its full one, {used / theirs:.2f} of aiohttp's)"
            )
    return costs["upgradegw", True] / costs["upgradegw", False] <= CEILINGS[kind]


def main() -> int:
    """Run, and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--handshakes", type=int, default=60, help="of each kind in a round")
    parser.add_argument("--rounds", type=int, default=12)
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {1})
    keys: dict[str, Key] = {
        "RSA 2048": rsa.generate_private_key(65537, 2048),
        "P-256": ec.generate_private_key(ec.SECP256R1()),
    }
    good = [measure(kind, key, arguments.handshakes, arguments.rounds) for kind, key in keys.items()]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
