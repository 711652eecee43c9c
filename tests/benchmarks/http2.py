"""Requests and WebSocket messages a second over HTTP/2, ours beside Hypercorn and twisted.web's own, in one run.

    python tests/benchmarks/http2.py [--seconds 1] [--rounds 10]

Requests are h2load's, with ten streams on each of ten connections: by prior knowledge beside Hypercorn, over TLS beside
twisted.web. Messages are echoed on fifty streams of one connection. As in ``compare.py`` the servers run on the first
core, one at a time under load, the load on the second; the best of each one's moments counts, and the exit status is 1
if a ratio is below its floor. Hypercorn is installed into a cache folder when it is needed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.compare import Server, ours, stock
from tests.benchmarks.streams import echoes
from tests.certificates import self_signed

HYPERCORN = "0.18.0"


@dataclass(frozen=True)
class Row:
    """A comparison.

    Attributes:
        what: What is counted.
        measure: Returns how many a second a port serves, for some seconds.
        ours: The server that must be fast.
        peer: The server that it is compared with.
        floor: What the comparison must show, as a multiple of the peer.
    """

    what: str
    measure: Callable[[int, float], float]
    ours: str
    peer: str
    floor: float


def h2load(scheme: str, port: int, seconds: float) -> float:
    """Requests a second, ten at a time on each of ten connections, none of which may fail."""
    program = shutil.which("h2load")
    assert program is not None, "h2load is not installed"
    command = [program, "-c", "10", "-m", "10", "-D", f"{int(seconds * 1000)}ms", f"{scheme}://127.0.0.1:{port}/plain"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60 + 2 * seconds, check=True)
    finished = re.search(r"finished in \S+, ([\d.]+) req/s", done.stdout)
    counted = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", done.stdout)
    assert finished, done.stdout
    assert counted, done.stdout
    assert int(counted[1]) > 0, done.stdout
    assert counted.groups()[1:] == ("0", "0", "0"), done.stdout
    return float(finished[1])


ROWS = (
    Row("requests", lambda port, seconds: h2load("http", port, seconds), "upgradegw", "hypercorn", 1.5),
    Row("requests over TLS", lambda port, seconds: h2load("https", port, seconds), "upgradegw-tls", "twisted", 1.5),
    Row("WebSocket echoes", echoes, "upgradegw", "hypercorn", 1.5),
)


def python_with(package: str, version: str) -> str:
    """Return the interpreter of an environment that has a package; make it first if need be."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "upgradegw"
    folder = cache / f"{package}-{version}-python{sys.version_info.major}.{sys.version_info.minor}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as fresh:
            made = Path(fresh) / "environment"
            subprocess.run([sys.executable, "-m", "venv", str(made)], check=True)
            install = [str(made / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*install, f"{package}=={version}"], check=True)
            made.rename(folder)
    return str(folder / "bin" / "python")


def hypercorn() -> list[str]:
    """Return the command that starts Hypercorn."""
    python = python_with("hypercorn", HYPERCORN)
    command = [python, "-m", "hypercorn", "--worker-class", "asyncio", "--workers", "0"]
    return [*command, "--bind", "127.0.0.1:0", "tests.benchmarks.asgi:application"]


def tls_files(folder: Path) -> tuple[str, str]:
    """Make a certificate; return where it and its key lie."""
    files = self_signed(folder)
    return str(files.cert), str(files.key)


def compare(servers: dict[str, Server], seconds: float, rounds: int) -> int:
    """Visit every server in every round, print a table, and return how many ratios are below their floor."""
    best: dict[tuple[str, str], float] = {}
    least: dict[tuple[str, str], float] = {}
    for number in range(rounds + 1):
        for row in ROWS:
            for name in (row.peer, row.ours):
                used = servers[name].seconds()
                rate = row.measure(servers[name].port, seconds)
                cost = (servers[name].seconds() - used) / (rate * seconds) * 1e6
                if number:  # the first round warms up
                    key = row.what, name
                    best[key] = max(best.get(key, 0.0), rate)
                    least[key] = min(least.get(key, cost), cost)
    failed = 0
    for row in ROWS:
        for name in (row.peer, row.ours):
            faster = best[row.what, name] / best[row.what, row.peer]
            cheaper = least[row.what, row.peer] / least[row.what, name]
            print(  # noqa: T201 - the table
                f"{row.what:17} {name:13} {best[row.what, name]:8,.0f}/s ({faster:.2f} x), "
                f"{least[row.what, name]:6.1f} us of processor time each ({cheaper:.2f} x)"
            )
        failed += faster < row.floor
    return failed


def main() -> int:
    """Run, and judge the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each row and round")
    parser.add_argument("--rounds", type=int, default=10)
    arguments = parser.parse_args()
    peer = hypercorn()
    os.sched_setaffinity(0, {1})
    servers: dict[str, Server] = {}
    with tempfile.TemporaryDirectory() as folder:
        cert, key = tls_files(Path(folder))
        commands = {
            "hypercorn": peer,
            "twisted": stock("twisted", cert, key),
            "upgradegw": ours(),
            "upgradegw-tls": ours("--tls-cert", cert, "--tls-key", key),
        }
        try:
            for name, command in commands.items():
                servers[name] = Server(command)
            failed = compare(servers, arguments.seconds, arguments.rounds)
        finally:
            for server in servers.values():
                server.stop()
    print(f"{len(ROWS) - failed} passed, {failed} failed")  # noqa: T201
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
