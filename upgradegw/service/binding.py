"""Sockets bound while options are read: before twistd becomes a daemon and sheds privileges.

A port that is taken or not allowed is then one line and exit status 1. The sockets listen at once, so that a second
server cannot bind the same port in the meantime; connections wait until the service starts.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from twisted.python.lockfile import FilesystemLock
from twisted.python.usage import UsageError

from upgradegw.service.descriptions import Inherited, Tcp, Unix

_EXPLANATIONS = {
    errno.EADDRINUSE: "port {port} is already in use",
    errno.EACCES: "this user may not open port {port} (ports below 1024 need root or CAP_NET_BIND_SERVICE)",
    errno.EADDRNOTAVAIL: "{interface} is no address of this machine",
}


@dataclass(slots=True)
class Bound:
    """A socket that listens and that no reactor knows yet.

    Attributes:
        socket: The socket, non-blocking.
        place: What it was made from.
        lock: The lock beside a UNIX socket.
        name: What ``getsockname`` says, also when the socket has been handed over.
    """

    socket: socket.socket
    place: Tcp | Unix | Inherited
    lock: FilesystemLock | None = None
    name: Any = field(init=False)

    def __post_init__(self) -> None:
        """Remember the name."""
        self.name = self.socket.getsockname()

    def url(self, secure: bool) -> str:
        """Return the address for a person: a URL for TCP, the path for a UNIX socket."""
        if isinstance(self.name, str | bytes):
            return f"unix:{os.fsdecode(self.name)}"
        host, port = self.name[:2]
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
        host = f"[{host}]" if ":" in host else host
        standard = port == (443 if secure else 80)
        return f"http{'s' * secure}://{host}{'' if standard else f':{port}'}/"

    @property
    def everywhere(self) -> bool:
        """Whether it listens on all addresses of the machine."""
        return not isinstance(self.name, str | bytes) and self.name[0] in {"0.0.0.0", "::"}  # noqa: S104

    @property
    def port(self) -> int | None:
        """The TCP port; None of a UNIX socket."""
        return None if isinstance(self.name, str | bytes) else self.name[1]

    def renew_lock(self) -> None:
        """Write the process's number into the lock: it changes when twistd becomes a daemon."""
        if self.lock is not None:
            Path(self.lock.name).unlink(missing_ok=True)
            self.lock.lock()

    def close(self) -> None:
        """Close the socket and take its files away."""
        self.socket.close()
        if isinstance(self.place, Unix):
            Path(self.place.path).unlink(missing_ok=True)
        self.unlock()

    def unlock(self) -> None:
        """Give the lock back, if this process may."""
        if self.lock is not None and self.lock.locked:
            with contextlib.suppress(OSError):
                self.lock.unlock()


def bind(place: Tcp | Unix) -> Bound:
    """Bind and listen.

    Raises:
        UsageError: It is not possible; the message says why.
    """
    return _bind_unix(place) if isinstance(place, Unix) else _bind_tcp(place)


def _bind_tcp(place: Tcp) -> Bound:
    family, address = _address(place)
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        # As Twisted does: a restart must not wait for connections in TIME_WAIT.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Every connection is to have it; in Linux each inherits it, which saves it a call of its own.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        listener.bind(address)
        listener.listen(place.backlog)
    except OSError as error:
        listener.close()
        explanation = _EXPLANATIONS.get(error.errno or 0, os.strerror(error.errno or 0).lower())
        raise UsageError(explanation.format(port=place.port, interface=place.interface)) from None
    listener.setblocking(False)
    return Bound(listener, place)


def _address(place: Tcp) -> tuple[socket.AddressFamily, tuple[str | int, ...]]:
    if not place.interface:
        family, everywhere = (socket.AF_INET6, "::") if place.ipv6 else (socket.AF_INET, "0.0.0.0")  # noqa: S104
        return family, (everywhere, place.port)
    try:
        found = socket.getaddrinfo(place.interface, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        raise UsageError(f"interface={place.interface} is no address") from None
    family, _kind, _number, _name, address = found[0]
    return family, cast("tuple[str | int, ...]", address)


def _bind_unix(place: Unix) -> Bound:
    place = Unix(str(Path(place.path).absolute()), place.mode, place.backlog, place.lockfile)
    lock = _lock(place)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_stale(place.path)
        # The mode is right from the first moment: between bind and chmod the umask lets nobody else in.
        mask = os.umask(0o177)
        try:
            listener.bind(place.path)
        finally:
            os.umask(mask)
        Path(place.path).chmod(place.mode)
        listener.listen(place.backlog)
    except (UsageError, OSError) as error:
        listener.close()
        if lock is not None:
            lock.unlock()
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"{place.path}: {(error.strerror or str(error)).lower()}") from None
    listener.setblocking(False)
    return Bound(listener, place, lock)


def _lock(place: Unix) -> FilesystemLock | None:
    if not place.lockfile:
        return None
    lock = FilesystemLock(place.path + ".lock")
    try:
        taken = lock.lock()
    except OSError as error:
        raise UsageError(f"{place.path}.lock: {(error.strerror or str(error)).lower()}") from None
    if not taken:
        raise UsageError(f"{place.path} is in use by another server (it holds {place.path}.lock)")
    return lock


def _remove_stale(path: str) -> None:
    """Remove a socket that nobody listens on any more; a server that was killed leaves one behind."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise UsageError(f"{path} exists and is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink()
            return
        except OSError:
            pass
    raise UsageError(f"{path} is in use by another server")
