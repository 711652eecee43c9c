"""The server as a process of its own: started on a free port, awaited by its ready line, stopped by its number."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Seconds for whatever a busy machine may delay; nothing waits this long when it works.
PATIENCE = 30.0

_READY = re.compile(r"upgradegw \S+ ready: (?P<urls>.*)")

#: The reactor that servers are to run on, as twistd calls it; nothing leaves the choice to the server.
REACTOR = os.environ.get("UPGRADEGW_TEST_REACTOR", "")

#: How a person may call the server in the foreground. Only twistd's own options name a reactor.
TWISTD = (
    sys.executable,
    "-c",
    "from twisted.scripts.twistd import run; run()",
    *([f"--reactor={REACTOR}"] * bool(REACTOR)),
)
IN_FOREGROUND = (*TWISTD, "-n", "--pidfile=", "upgradegw")
FOREGROUND = IN_FOREGROUND if REACTOR else (sys.executable, "-m", "upgradegw")


@dataclass
class Server:
    """A running server.

    Attributes:
        process: The process.
        output: What it has printed so far, standard error included.
        urls: The addresses of its ready line, in the order of its options.
    """

    process: subprocess.Popen[str]
    output: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    _printed: threading.Condition = field(default_factory=threading.Condition)
    _all_read: bool = False

    @property
    def port(self) -> int:
        """The first TCP port."""
        return int(next(url for url in self.urls if url.startswith("http")).rstrip("/").rpartition(":")[2])

    @property
    def text(self) -> str:
        """Everything printed so far."""
        return "".join(self.output)

    def connect(self) -> socket.socket:
        """Open a TCP connection to the first port; close it yourself."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to this process."""
        self.process.send_signal(number)

    def wait(self) -> int:
        """Wait for the end and return the exit status: negative if a signal ended it."""
        return self.process.wait(PATIENCE)

    def stop(self) -> int:
        """Ask it to end, and wait."""
        if self.process.poll() is None:
            self.send(signal.SIGTERM)
        return self.wait()

    def await_line(self, pattern: str) -> re.Match[str]:
        """Wait until a printed line matches."""
        deadline = time.monotonic() + PATIENCE
        with self._printed:
            while not (matches := [match for line in self.output if (match := re.search(pattern, line))]):
                late = self._all_read or time.monotonic() > deadline
                assert not late, f"no line {pattern!r} in:\n{self.text}"
                self._printed.wait(0.5)
        return matches[0]

    def read(self) -> None:
        """Keep what is printed; runs in a thread of its own."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._printed:
                self.output.append(line)
                self._printed.notify_all()
        with self._printed:
            self._all_read = True
            self._printed.notify_all()


def environment() -> dict[str, str]:
    """Return an environment for a process of ours: its output is not buffered, coverage of ours stays ours."""
    return {**os.environ, "PYTHONUNBUFFERED": "1"}


@contextlib.contextmanager
def serving(
    *options: str,
    folder: Path | None = None,
    command: Sequence[str] = FOREGROUND,
    listen: bool = True,
    **more: Any,
) -> Iterator[Server]:
    """Run the server for the duration of a ``with`` block.

    Args:
        options: As on the command line; without ``--port`` and ``--listen`` it gets a free TCP port.
        folder: Where it is started.
        command: How it is called.
        listen: Whether a free port is added.
        more: Arguments of ``Popen``: ``env``, ``pass_fds``, ``user`` …
    """
    arguments = list(options)
    if listen and not {"--port", "--listen"} & set(arguments):
        arguments = ["--listen", "tcp:0:interface=127.0.0.1", *arguments]
    process = subprocess.Popen(
        [*command, *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        **{"env": environment(), **more},
    )
    server = Server(process)
    reader = threading.Thread(target=server.read, daemon=True)
    reader.start()
    try:
        ready = server.await_line(_READY.pattern)
        server.urls = [word for word in ready["urls"].split() if ":" in word]
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        reader.join(PATIENCE)
        assert process.stdout is not None
        process.stdout.close()


def run(
    *options: str, folder: Path | None = None, command: Sequence[str] = FOREGROUND
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end and return what it printed."""
    return subprocess.run(
        [*command, *options],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        stdin=subprocess.DEVNULL,
    )
