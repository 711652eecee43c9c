"""Many WebSockets through the gateway for a long time, while everything goes wrong that can.

    python tests/gateway/soak.py [--seconds 600] [--connections 1000]

Each connection sends messages of random sizes, which its upstream echoes, reads now and then with pauses, and ends in
one of several ways: by a closing handshake, by ending its side and reading on, by a reset. Meanwhile one upstream dies
and comes back, and the gateway is told to read its configuration again: once with a route more, which must disturb
nobody, once with one route changed, whose WebSockets must be closed with 1001, and once as it was. Every byte that
comes back is compared with the one that was sent at its place, and an end in order must bring all of them. In the end
the gateway must have no more descriptors than before, and little more memory than behind a first wave of connections.

All traffic stays on 127.0.0.1. The exit status is 1 if anything was not as it must be.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.clients.support import free_port
from tests.gateway.soak_clients import Soak
from tests.support.process import IN_FOREGROUND, Server, serving

#: RSS that may stay, of a process that has had this many connections: the allocator's affair.
SLACK = 16 << 20

_CONFIGURATION = """
stop_timeout = 5
[[listen]]
endpoint = "tcp:{port}:interface=127.0.0.1"
[limits]
max_connections = 20000
[[route]]
path = "/steady"
proxy = "http://127.0.0.1:{steady}"
upgrades = ["websocket", "raw"]
[[route]]
path = "/mortal"
proxy = "http://127.0.0.1:{mortal}"
upgrades = ["websocket", "raw"]
[[route]]
path = "/changing"
proxy = "http://127.0.0.1:{steady}"
upgrades = ["websocket"]
tunnel_idle_timeout = {idle}
{more}
"""


def _descriptors(server: Server) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def _memory(server: Server) -> int:
    return int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * resource.getpagesize()


class Upstream:
    """The upstream as a process that can die and come back."""

    def __init__(self) -> None:
        self.port = free_port()
        self._program = str(Path(__file__).with_name("soaking.py"))
        self.start()

    def start(self) -> None:
        """Come back."""
        self._process = subprocess.Popen([sys.executable, self._program, str(self.port)])

    def die(self) -> None:
        """Be gone at once."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


async def _trouble(
    soak: Soak, server: Server, mortal: Upstream, seconds: float, write: dict[str, str], file: Path
) -> None:
    """Let an upstream die three times, and the gateway read three configurations."""
    pause = seconds / 8
    for step in ("more", "changed", "first"):
        await asyncio.sleep(pause)
        soak.deaths += 1
        mortal.die()
        await asyncio.sleep(min(2.0, pause / 2))
        mortal.start()
        await asyncio.sleep(pause)
        if step != "more":
            soak.changes += 1
        file.write_text(write[step])  # noqa: ASYNC240 - a few hundred bytes
        server.send(signal.SIGHUP)
        print(f"  reload: {step}; {soak.messages} messages, {soak.carried >> 20} MiB so far", flush=True)  # noqa: T201


async def _soak(
    server: Server, mortal: Upstream, arguments: argparse.Namespace, texts: dict[str, str], file: Path
) -> Soak:
    soak = Soak(server.port)
    until = time.monotonic() + arguments.seconds
    trouble = asyncio.create_task(_trouble(soak, server, mortal, arguments.seconds, texts, file))
    await asyncio.gather(*(soak.live(until) for _ in range(arguments.connections)))
    trouble.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await trouble
    return soak


async def _wave(port: int, connections: int) -> None:
    """Open that many connections at once, and let them go: what the allocator keeps from then on is not a leak."""
    soak = Soak(port)
    until = time.monotonic() + 5
    await asyncio.gather(*(soak.live(until) for _ in range(connections)))
    assert not soak.wrong, soak.wrong


def _settled(server: Server, most: int) -> int:
    """Wait until the gateway has let go of its connections, and return how many descriptors it has.

    Connections that could be used again may wait for a minute.
    """
    deadline = time.monotonic() + 75
    while (number := _descriptors(server)) > most and time.monotonic() < deadline:
        time.sleep(0.2)
    return number


def main() -> int:
    """Run, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--connections", type=int, default=1000)
    arguments = parser.parse_args()
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of writes to a connection that has been cut
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384), hard))
    steady, mortal = Upstream(), Upstream()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "gateway.toml")
        known = {"port": free_port(), "steady": steady.port, "mortal": mortal.port}
        more = f'[[route]]\npath = "/more"\nproxy = "http://127.0.0.1:{steady.port}"\n'
        texts = {
            "first": _CONFIGURATION.format(**known, idle=3600, more=""),
            "more": _CONFIGURATION.format(**known, idle=3600, more=more),
            "changed": _CONFIGURATION.format(**known, idle=1800, more=more),
        }
        file.write_text(texts["first"])
        options = ("--config", str(file), "--access-log", "off")
        try:
            with serving(*options, command=IN_FOREGROUND, listen=False) as server:
                before = _descriptors(server)
                asyncio.run(_wave(server.port, arguments.connections))
                _settled(server, before)
                memory = _memory(server)
                soak = asyncio.run(_soak(server, mortal, arguments, texts, file))
                after = _settled(server, before)
                grown = _memory(server) - memory
        finally:
            for upstream in (steady, mortal):
                upstream.die()
    return _report(soak, (before, after), (memory, grown))


def _report(soak: Soak, descriptors: tuple[int, int], memory: tuple[int, int]) -> int:
    wrong = list(soak.wrong)
    before, after = descriptors
    if after > before:
        wrong.append(f"{after} descriptors are open, there were {before}")
    if memory[1] > SLACK:
        wrong.append(f"resident memory grew by {memory[1] >> 20} MiB")
    for line in (
        f"{soak.messages} messages and {soak.carried >> 20} MiB came back as they were sent; connections ended:",
        *(f"  {number:7} {how}" for how, number in soak.ends.most_common()),
        f"descriptors: {before} before, {after} behind",
        f"resident memory: {memory[0] >> 20} MiB behind the first wave, {memory[1] / (1 << 20):+.1f} MiB in the end",
        *wrong[:20],
        "wrong" if wrong else "all is as it must be",
    ):
        print(line)  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
