"""What the process tells the service manager that started it: ready, reloading, stopping, alive (sd_notify(3)).

The protocol is a datagram of ``NAME=value`` lines to a UNIX socket. Nobody answers, and nobody may be there; so nothing
here ever fails for the server.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import MutableMapping
from typing import Any

from twisted.logger import Logger

#: The variables that sd_notify(3) and sd_watchdog_enabled(3) read; children of ours are not to speak for us.
_VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class Notifier:
    """Speaks to the service manager, or to nobody."""

    log = Logger()

    def __init__(self, path: str | None, watchdog: float | None = None) -> None:
        """Say nothing yet.

        Args:
            path: The manager's socket; ``@`` at its start stands for the abstract namespace. None for nobody.
            watchdog: Seconds after which the manager takes silence for a fault; None if it does not watch.
        """
        self._path = path
        self._watchdog = watchdog if path is not None else None
        self._call: Any = None

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str]) -> Notifier:
        """Read the variables that the manager has set, and take them away, so that no child of ours inherits them.

        Args:
            environment: Where they are: ``os.environ``.
        """
        path, interval, process = (environment.pop(name, "") for name in _VARIABLES)
        if path[:1] not in {"/", "@"}:  # other kinds of sockets are for virtual machines
            return cls(None)
        ours = process in {"", str(os.getpid())}
        return cls(path, int(interval) / 1_000_000 if ours and interval.isdecimal() and int(interval) else None)

    def ready(self, status: str) -> None:
        """Say that the server serves, at the start and behind ``reloading``.

        Args:
            status: One line for ``systemctl status``.
        """
        self._send("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """Say that files are read anew; ``ready`` must follow."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self, status: str) -> None:
        """Say that the server ends."""
        self._send("STOPPING=1", f"STATUS={status}")

    def watch(self, reactor: Any) -> None:
        """Show from now on that the reactor turns, twice in the time that the manager allows (sd_notify(3) advises)."""
        if self._watchdog is not None:
            self._send("WATCHDOG=1")
            self._call = reactor.callLater(self._watchdog / 2, self.watch, reactor)

    def unwatch(self) -> None:
        """Show it no more."""
        if self._call is not None and self._call.active():
            self._call.cancel()

    def _send(self, *lines: str) -> None:
        if self._path is None:
            return
        address = "\0" + self._path[1:] if self._path.startswith("@") else self._path
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.setblocking(False)  # a manager that does not read must not hold us up
                sender.sendto("\n".join(lines).encode(), address)
        except OSError as error:
            self.log.error("the service manager cannot be told {line}: {error}", line=lines[0], error=error.strerror)  # noqa: TRY400 - no traceback
