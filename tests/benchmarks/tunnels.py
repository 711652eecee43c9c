"""What a tunnelled WebSocket message costs a gateway, ours beside nginx, HAProxy and nghttpx, in one run.

    python tests/benchmarks/tunnels.py [--seconds 1] [--rounds 5]

The gateways run on the first core, one at a time under load; clients and upstream share the second. What is compared
is the processor time of the gateway alone for one message, there and back, and for one handshake: the median of the
rounds. How fast the clients are does not matter for that.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.echoing import Clients, handshakes

#: Row: connections, bytes of a message, messages in flight on each connection.
ROWS = {
    "32 B, 1 in flight": (64, 32, 1),
    "32 B, 16 in flight": (64, 32, 16),
    "16 KiB, 2 in flight": (16, 16 << 10, 2),
    "1 MiB, 1 in flight": (4, 1 << 20, 1),
}

_NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log /dev/null;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{upstream}; proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; proxy_set_header Host $host;
    }}
  }}
}}
"""

_HAPROXY = """
global
    nbthread 1
    maxconn 1000
defaults
    mode http
    timeout connect 10s
    timeout client 60s
    timeout server 60s
    timeout tunnel 60s
frontend in
    bind 127.0.0.1:{port}
    default_backend out
backend out
    server upstream 127.0.0.1:{upstream}
"""


def commands(folder: Path, upstream: int) -> dict[str, tuple[int, list[str]]]:
    """Return the port and the command of each gateway that is installed.

    Args:
        folder: An empty folder.
        upstream: The upstream's port.
    """
    ports = [_free_port() for _ in range(4)]
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=ports[0], upstream=upstream))
    (folder / "haproxy.cfg").write_text(_HAPROXY.format(port=ports[1], upstream=upstream))
    here = ["--listen", f"tcp:{ports[3]}:interface=127.0.0.1", "--access-log", "off"]
    nghttpx = ["nghttpx", "--conf=/dev/null", "--single-process", "-n1"]
    nghttpx += ["--errorlog-file=/dev/null", "--accesslog-file=/dev/null"]
    found = {
        "nginx": (ports[0], ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]),
        "HAProxy": (ports[1], ["haproxy", "-db", "-f", str(folder / "haproxy.cfg")]),
        "nghttpx": (
            ports[2],
            [*nghttpx, f"--frontend=127.0.0.1,{ports[2]};no-tls", f"--backend=127.0.0.1,{upstream}"],
        ),
        "upgradegw": (
            ports[3],
            [sys.executable, "-m", "upgradegw", *here, "--proxy", f"/=http://127.0.0.1:{upstream}"],
        ),
    }
    return {name: (port, command) for name, (port, command) in found.items() if shutil.which(command[0])}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


class Gateway:
    """A gateway's processes, on the first core."""

    def __init__(self, port: int, command: Sequence[str]) -> None:
        """Start it, and wait until it listens.

        Args:
            port: Where it will listen.
            command: How it is started.
        """
        self.port = port
        self._process = subprocess.Popen(
            ["taskset", "-c", "0", *command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                assert self._process.poll() is None, f"{command} has ended"
                assert time.monotonic() < deadline, f"{command} does not listen"
                time.sleep(0.05)

    def seconds(self) -> float:
        """Processor time of all its processes and threads."""
        group = self._process.pid
        used = 0
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if os.getpgid(int(folder.name)) == group:
                    used += sum(int(task.read_text().split()[0]) for task in folder.glob("task/*/schedstat"))
            except OSError:
                continue  # it has ended meanwhile
        return used / 1e9

    def stop(self) -> None:
        """End it."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def main() -> int:
    """Run, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each row and round")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {1})
    echo = str(Path(__file__).with_name("echoing.py"))
    upstream = subprocess.Popen([sys.executable, echo], stdout=subprocess.PIPE, text=True)
    assert upstream.stdout is not None
    port = int(upstream.stdout.readline())
    costs: dict[tuple[str, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        gateways = {name: Gateway(*how) for name, how in commands(Path(folder), port).items()}
        try:
            for number in range(arguments.rounds + 1):
                for name, gateway in gateways.items():
                    for row in (*ROWS, "handshake"):
                        cost = _measure(gateway, row, arguments.seconds)
                        if number:  # the first round warms up
                            costs.setdefault((row, name), []).append(cost)
        finally:
            for gateway in gateways.values():
                gateway.stop()
            upstream.kill()
            upstream.wait()
    _print(costs, list(gateways))
    return 0


def _measure(gateway: Gateway, row: str, seconds: float) -> float:
    """Return microseconds of a gateway's processor time for one message, or one handshake."""
    if row not in ROWS:
        used = gateway.seconds()
        done = handshakes(gateway.port, seconds)
        return (gateway.seconds() - used) / done * 1e6
    clients = Clients(gateway.port, *ROWS[row])
    clients.echoes(0.2)
    used = gateway.seconds()
    done = clients.echoes(seconds)
    used = gateway.seconds() - used
    clients.close()
    return used / max(done, 1) * 1e6


def _print(costs: dict[tuple[str, str], list[float]], names: list[str]) -> None:
    print(f"{'us of processor time':20}" + "".join(f"{name:>26}" for name in names))  # noqa: T201 - the table
    for row in (*ROWS, "handshake"):
        ours = median(costs[row, "upgradegw"]) if (row, "upgradegw") in costs else float("nan")
        cells = []
        for name in names:
            values = costs[row, name]
            spread = f"{min(values):.1f}-{max(values):.1f}"
            cells.append(f"{median(values):8.1f} ({spread}) {ours / median(values):5.2f}x")
        print(f"{row:20}" + "".join(f"{cell:>26}" for cell in cells))  # noqa: T201
    print("(median, range of the rounds, and how many times as much ours costs)")  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
