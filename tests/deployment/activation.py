"""systemd's side of a start: sockets from descriptor 3 on, their number and names, and a socket for notices."""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.support.process import FOREGROUND, PATIENCE, Server, environment, serving

# Between fork and exec systemd moves the sockets to 3, 4, … and says for which process they are (sd_listen_fds(3)).
_PASS = """
import fcntl, os, sys
passed, command = sys.argv[1].split(","), sys.argv[2:]
kept = [fcntl.fcntl(int(each), fcntl.F_DUPFD, 64) for each in passed]
for number, each in enumerate(kept, 3):
    os.dup2(each, number)
os.environ["LISTEN_FDS"] = str(len(passed))
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(command[0], command)
"""


class Notices:
    """The socket that a service notifies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(PATIENCE)

    def next(self) -> dict[str, str]:
        """The next datagram."""
        return dict(line.split("=", 1) for line in self._socket.recv(4096).decode().split("\n"))

    def close(self) -> None:
        self._socket.close()


@contextlib.contextmanager
def activated(
    sockets: dict[str, socket.socket],
    *options: str,
    folder: Path,
    notices: Notices | None = None,
    command: Sequence[str] = FOREGROUND,
) -> Iterator[Server]:
    """Run the server as systemd would start it with these sockets."""
    passed = [each.fileno() for each in sockets.values()]
    whole = (sys.executable, "-c", _PASS, ",".join(map(str, passed)), *command)
    variables = {**environment(), "LISTEN_FDNAMES": ":".join(sockets)}
    if notices is not None:
        variables["NOTIFY_SOCKET"] = str(notices.path)
    with serving(*options, folder=folder, command=whole, listen=False, env=variables, pass_fds=passed) as server:
        yield server
