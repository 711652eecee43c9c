"""A message to a thousand connections: what it costs, and what becomes of ten clients that do not read.

``python tests/benchmarks/broadcast.py [--connections 1000] [--slow-only]`` ends with status 1 if a reader misses a
message, a slow client is not closed with 1008 behind what was queued for it, memory grows beyond its bound, or
``broadcast`` costs more than a loop over ``sendMessage``. Rounds of both alternate in one run, because a machine is not
the same from minute to minute; what is compared is processor time of this process, from the call until every client
has every message. A broadcast sends in the call, the loop mostly behind it.
"""

from __future__ import annotations

import argparse
import gc
import os
import resource
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import react

from upgradegw import UpgradeResource, UpgradeSite, websocket

KIB = 1 << 10
reactor: Any = installed_reactor

#: Clients that do not read, and what is kept for each of them.
SLOW = 10
MAX_UNSENT = 256 * KIB
#: A message to them, and to the others meanwhile.
SIZE = 16 * KIB
#: What the kernel keeps for a connection.
SEND_BUFFER = 64 * KIB
#: A slow client's share of memory: what is kept for it may be there twice while it is put together; and what a reader's
#: message takes until it is written.
PER_SLOW = 2 * (MAX_UNSENT + SIZE)
PER_READER = 2 * SIZE
#: What an interpreter needs for this and that.
SLACK = 16 << 20

ROUNDS = 7
MESSAGES = 5


class Audience(ProcessProtocol):
    """The process with the clients: what it says, line by line."""

    def __init__(self) -> None:
        self._text = ""
        self._waiting: tuple[str, Deferred[None]] | None = None
        self.lines: list[str] = []
        self.ended: Deferred[None] = Deferred()

    def outReceived(self, data: bytes) -> None:
        *lines, self._text = (self._text + data.decode()).split("\n")
        self.lines += lines
        self._look()

    def errReceived(self, data: bytes) -> None:
        sys.stderr.write(data.decode())

    def processEnded(self, reason: Any) -> None:
        if self._waiting is not None:
            self._waiting[1].errback(reason)
        self.ended.callback(None)

    def until(self, line: str) -> Deferred[None]:
        """Wait for a line."""
        self._waiting = line, Deferred()
        waiting = self._waiting[1]
        self._look()
        return waiting

    def _look(self) -> None:
        if self._waiting is not None and self._waiting[0] in self.lines:
            waiting, self._waiting = self._waiting[1], None
            waiting.callback(None)


class Stage:
    """A site, and an audience connected to it."""

    def __init__(self, readers: int, slow: int = 0, *, deflate: bool = False) -> None:
        self._wanted = readers + slow
        factory = WebSocketServerFactory(reactor=reactor)
        factory.protocol = WebSocketServerProtocol
        self.upgrade = websocket(factory, max_unsent=MAX_UNSENT, compression=deflate, ping_interval=None)
        self._port = reactor.listenTCP(0, UpgradeSite(UpgradeResource([self.upgrade])), interface="127.0.0.1")
        # Else the kernel alone would keep megabytes for each client that does not read.
        self._port.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self.audience = Audience()
        program = str(Path(__file__).with_name("audience.py"))
        arguments = [sys.executable, program, *map(str, (self._port.getHost().port, readers, slow, int(deflate)))]
        self._process = reactor.spawnProcess(self.audience, sys.executable, arguments, env=os.environ)
        self.sent = 0

    async def open(self) -> None:
        """Wait until all are connected."""
        await self.audience.until("open")
        assert len(self.upgrade.connections) == self._wanted
        gc.collect()

    def message(self, size: int) -> bytes:
        """Make the next message."""
        number, self.sent = b"%08d" % self.sent, self.sent + 1
        return number + os.urandom(16) * ((size - len(number)) // 16)

    async def heard(self) -> None:
        """Wait until every reader has everything."""
        await self.audience.until(str(self.sent))

    def say(self, word: bytes) -> None:
        """Tell the audience something."""
        self._process.write(word + b"\n")

    async def close(self) -> None:
        """End the audience, and the site."""
        self.say(b"stop")
        await self.audience.ended
        await self._port.stopListening()


def say(line: str) -> None:
    """Write a line of the report."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def resident() -> int:
    """Return how many bytes of this process are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


async def show_slow(connections: int) -> bool:
    """Send until the slow clients are over their limit; tell whether all is as it should be."""
    readers = connections - SLOW
    stage = Stage(readers, SLOW)
    await stage.open()
    before = most = resident()
    bound = SLOW * PER_SLOW + readers * PER_READER + SLACK
    counts = []
    while len(counts) < 10 or counts[-10] > readers:
        counts.append(stage.upgrade.broadcast(stage.message(SIZE)))
        most = max(most, resident())
        await stage.heard()
        assert len(counts) < 1000, "the slow clients are never slow"
    open_now = sum(protocol.state == protocol.STATE_OPEN for protocol in stage.upgrade.connections)
    stage.say(b"read")
    closed = "slow True 1008"
    await stage.audience.until(closed)
    while sum(line.startswith("slow ") for line in stage.audience.lines) < SLOW:
        await _pause()
    codes = [line for line in stage.audience.lines if line.startswith("slow ")]
    say(f"{connections} connections, {SLOW} of which do not read; {len(counts)} messages of {SIZE} bytes")
    say(f"  sent to {counts[0]} at first, to {counts[-1]} in the end; every reader has every message in order")
    say(f"  the {SLOW} then read what was queued for them, and behind it: {sorted(set(codes))}")
    say(f"  resident memory: {before >> 20} MiB before, at most {most >> 20} MiB; the bound is {bound >> 20} MiB more")
    await stage.close()
    return open_now == readers and codes == [closed] * SLOW and most - before <= bound


def _pause() -> Deferred[None]:
    waiting: Deferred[None] = Deferred()
    reactor.callLater(0.05, waiting.callback, None)
    return waiting


async def compare(connections: int, size: int, *, deflate: bool, rounds: int = ROUNDS) -> bool:
    """Compare with a loop over ``sendMessage``; tell whether that is no better."""
    stage = Stage(connections, deflate=deflate)
    await stage.open()

    def loop(message: bytes) -> None:
        for protocol in stage.upgrade.connections:
            protocol.sendMessage(message, isBinary=True)

    ways: dict[str, Callable[[bytes], object]] = {"broadcast": stage.upgrade.broadcast, "sendMessage": loop}
    calls: dict[str, list[float]] = {name: [] for name in ways}
    totals: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, send in ways.items():
            call, began = 0.0, time.process_time()
            for _ in range(MESSAGES):
                message, calling = stage.message(size), time.process_time()
                send(message)
                call += time.process_time() - calling
                await stage.heard()
            calls[name].append(call / MESSAGES)
            totals[name].append((time.process_time() - began) / MESSAGES)
    say(f"{connections} connections, {size} bytes, {'permessage-deflate' if deflate else 'no compression'}:")
    for name in ways:
        say(
            f"  {name:11}: {1e3 * median(calls[name]):6.2f} ms in the call, {1e3 * median(totals[name]):6.2f} ms in all"
        )
    ratios = [median(kind["sendMessage"]) / median(kind["broadcast"]) for kind in (calls, totals)]
    say(f"  a loop over sendMessage costs {ratios[0]:.2f} times as much in the call, {ratios[1]:.2f} times in all")
    await stage.close()
    return ratios[1] > 1


async def main(connections: int, slow_only: bool) -> None:
    """Show all of it."""
    well = await show_slow(connections)
    if slow_only:
        raise SystemExit(not well)
    well &= await compare(connections, 128, deflate=False)
    well &= await compare(connections, 4 * KIB, deflate=False)
    well &= await compare(connections, 4 * KIB, deflate=True, rounds=4)
    if not well:
        raise SystemExit(1)


if __name__ == "__main__":
    from audience import raise_limit

    parser = argparse.ArgumentParser(description="A message to many connections.")
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--slow-only", action="store_true", help="do not measure time")
    given = parser.parse_args()
    raise_limit(given.connections + 200)
    react(lambda _reactor: Deferred.fromCoroutine(main(given.connections, given.slow_only)))
