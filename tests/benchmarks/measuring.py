"""One measurement: a server on one core, the load on another, and what the load's report says."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.benchmarks.contenders import CONTENDERS, FILES
from tests.benchmarks.environments import HERE, load_generator, program, python_with
from tests.certificates import Authority, Key

#: What a report says: figures by name.
Report = dict[str, Any]

#: Seconds until a server must listen.
_START = 60


class MissingError(Exception):
    """A contender is not there."""


class Yard:
    """The folder, the certificates and the cores that all measurements of a run have in common."""

    def __init__(self, folder: Path, cores: tuple[int, int]) -> None:
        """Start the upstream of the gateways, too.

        Args:
            folder: Where files may be written.
            cores: Of the servers, and of the load.
        """
        self.folder = folder
        self.cores = cores
        self.load = load_generator()
        self.files = {"load": self.load, "served": str(HERE / "served")}
        authority = Authority.named("authority")
        keys: dict[str, Key] = {
            "tls": rsa.generate_private_key(65537, 2048),
            "tls-p256": ec.generate_private_key(ec.SECP256R1()),
        }
        made = {mode: authority.certify(folder, "localhost", file=mode, key=key) for mode, key in keys.items()}
        self.certificates = {mode: {"cert": str(files.cert), "key": str(files.key)} for mode, files in made.items()}
        self._upstream = subprocess.Popen(
            ["taskset", "-c", str(cores[1]), self.load, "serve", "--port", "0"], stdout=subprocess.PIPE, text=True
        )
        assert self._upstream.stdout is not None
        self.files["upstream"] = self._upstream.stdout.readline().strip()

    def close(self) -> None:
        """End the upstream."""
        self._upstream.kill()
        self._upstream.communicate()


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


class Server:
    """A contender's processes, on one core."""

    def __init__(self, yard: Yard, name: str, mode: str, twistd: tuple[str, ...] = ()) -> None:
        """Start it, and wait until it listens.

        Args:
            yard: What it runs in.
            name: The contender's.
            mode: The row's.
            twistd: Options for twistd, where ours is meant.

        Raises:
            MissingError: It is not installed, or cannot do that.
        """
        contender = CONTENDERS[name]
        line: str = getattr(contender, mode.removesuffix("-p256"))
        self.port = free_port()
        folder = Path(tempfile.mkdtemp(dir=yard.folder))
        places = {**yard.files, **yard.certificates.get(mode, {}), "port": str(self.port), "folder": str(folder)}
        places["python"] = python_with(contender.requirements)
        places["bin"] = str(Path(places["python"]).parent)
        for place, text in FILES.items():
            (folder / place).write_text(text.format(**places))
            places[place] = str(folder / place)
        command = shlex.split(line.format(**places))
        command[1:1] = twistd
        found = program(command[0]) if command else None
        if found is None:
            raise MissingError(contender.label)
        variables = {key: value.format(**places) for key, value in contender.variables.items()}
        self._said = folder / "said"
        with self._said.open("w") as said:
            self._process = subprocess.Popen(
                ["taskset", "-c", str(yard.cores[0]), found, *command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                cwd=folder,
                env={**os.environ, **variables},
                start_new_session=True,
            )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + _START
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except ConnectionRefusedError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise RuntimeError(f"does not listen: {self.said()}") from None
                time.sleep(0.05)
        time.sleep(0.2)  # the first connection has ended everywhere, and workers have forked

    def pids(self) -> list[int]:
        """Return its processes."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if os.getsid(int(folder.name)) == self._process.pid:
                    found.append(int(folder.name))
            except OSError:
                continue  # it has ended meanwhile
        return found

    def seconds(self) -> float:
        """Return the processor time that it has used."""
        return sum(time.clock_gettime(~pid << 3 | 2) for pid in self.pids())  # what clock_getcpuclockid() makes of it

    def said(self) -> str:
        """Return how it was started, and the end of what it has written."""
        return f"{self._process.args!r}\n{self._said.read_text(errors='replace')[-2000:]}"

    def leave(self) -> None:
        """Ask it to end, and wait for that."""
        self._process.terminate()
        self._process.wait(60)

    def stop(self) -> None:
        """End it."""
        for pid in self.pids():
            os.kill(pid, signal.SIGKILL)
        self._process.wait()


def run_load(yard: Yard, server: Server, load: tuple[str, ...], seconds: float) -> Report:
    """Put load on a server, and return the report.

    Args:
        yard: What it runs in.
        server: A server that listens.
        load: A row's words.
        seconds: How long it counts.

    Raises:
        RuntimeError: The load was not served as it must be.
    """
    if load[0] == "h2load":
        return _h2load(yard, server, load[1], seconds)
    pids = ",".join(map(str, server.pids()))
    command = ["taskset", "-c", str(yard.cores[1]), yard.load, *load, "--port", str(server.port), "--pid", pids]
    done = subprocess.run(
        [*command, "--seconds", str(seconds)], capture_output=True, text=True, timeout=300 + seconds, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}\n{server.said()}")
    report: Report = json.loads(done.stdout)
    return _idle(report) if load[0] == "idle" else report


def _idle(report: Report) -> Report:
    """Reduce the steps: bytes for each connection beyond the first 100, and how much dearer the last thousand were."""
    steps = report["steps"]
    first, last = steps[0], steps[-1]
    more = last["connections"] - first["connections"]
    return {
        "bytes": (last["idle"]["server_rss"] - first["idle"]["server_rss"]) / more,
        "growth": last["opening"]["server_us"] / steps[1]["opening"]["server_us"],
        "server_us": last["opening"]["server_us"],
        "idle_share": last["idle"]["server_share"],
        "own_share": last["opening"]["own_share"],
    }


def _h2load(yard: Yard, server: Server, scheme: str, seconds: float) -> Report:
    """Ten requests at a time on each of ten connections, none of which may fail."""
    if program("h2load") is None:
        raise MissingError("h2load")
    # Its connections and their handshakes count, too, so that less than a second says little of requests.
    lasts = f"{max(1000, int(seconds * 1000))}ms"
    command = ["taskset", "-c", str(yard.cores[1]), "h2load", "-c", "10", "-m", "10", "-D", lasts]
    used, own, began = server.seconds(), os.times(), time.monotonic()
    url = f"{scheme}://127.0.0.1:{server.port}/plain"
    done = subprocess.run([*command, url], capture_output=True, text=True, timeout=60 + 2 * seconds, check=True)
    passed, used = time.monotonic() - began, server.seconds() - used
    spent = os.times()
    finished = re.search(r"finished in \S+, ([\d.]+) req/s", done.stdout)
    counted = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", done.stdout)
    if not finished or not counted or counted.groups()[1:] != ("0", "0", "0") or not int(counted[1]):
        raise RuntimeError(f"h2load {url}: {done.stdout[-2000:]}\n{server.said()}")
    own_seconds = spent.children_user + spent.children_system - own.children_user - own.children_system
    return {
        "count": int(counted[1]),
        "per_second": float(finished[1]),
        "server_us": used / int(counted[1]) * 1e6,
        "server_share": used / passed,
        "own_share": own_seconds / passed,
    }


def run_alone(yard: Yard, seconds: float) -> Report:
    """Return what ``h2`` does without a server round it."""
    python = python_with(CONTENDERS["h2-alone"].requirements)
    command = ["taskset", "-c", str(yard.cores[0]), python, str(HERE / "served" / "h2_alone.py"), str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60 + 10 * seconds, check=True)
    report: Report = json.loads(done.stdout)
    return report
