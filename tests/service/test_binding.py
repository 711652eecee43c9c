"""Sockets bound before there is a reactor."""

from __future__ import annotations

import errno
import os
import socket
import stat
from pathlib import Path

import pytest
from twisted.python.usage import UsageError

from upgradegw.service.binding import bind
from upgradegw.service.descriptions import Tcp, Unix


def test_a_bound_port_listens_at_once() -> None:
    """A client that comes before the service has started waits, and is not refused."""
    bound = bind(Tcp(0, "127.0.0.1"))
    with socket.create_connection(("127.0.0.1", bound.name[1]), timeout=5):
        pass
    bound.close()


def test_connections_of_a_bound_port_are_kept_alive_by_the_system() -> None:
    """A-31: they inherit it."""
    bound = bind(Tcp(0, "127.0.0.1"))
    bound.socket.setblocking(True)
    with socket.create_connection(bound.socket.getsockname(), timeout=5):
        accepted, _address = bound.socket.accept()
        with accepted:
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    bound.close()


def test_a_port_in_use_is_named() -> None:
    """The message names the port that is taken."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} is already in use"):
            bind(Tcp(port, "127.0.0.1"))


def test_a_foreign_address_is_named() -> None:
    """The message names the address that this machine does not have (192.0.2.0/24 is for documentation)."""
    with pytest.raises(UsageError, match=r"192\.0\.2\.1 is no address of this machine"):
        bind(Tcp(0, "192.0.2.1"))


def test_an_interface_that_is_no_address_is_named() -> None:
    """A name that does not resolve is no address."""
    with pytest.raises(UsageError, match="interface=no such is no address"):
        bind(Tcp(0, "no such"))


def test_a_port_that_is_not_allowed_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may not open a low port learns what it needs."""

    def denied(*_args: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", denied)
    with pytest.raises(UsageError, match=r"may not open port 80 .*below 1024"):
        bind(Tcp(80))


@pytest.mark.parametrize(
    ("place", "secure", "url"),
    [
        (Tcp(0), False, "http://127.0.0.1:{port}/"),
        (Tcp(0), True, "https://127.0.0.1:{port}/"),
        (Tcp(0, "localhost"), False, "http://127.0.0.1:{port}/"),
        (Tcp(0, "::1", ipv6=True), False, "http://[::1]:{port}/"),
        (Tcp(0, ipv6=True), False, "http://[::1]:{port}/"),
    ],
)
def test_urls_can_be_opened(place: Tcp, secure: bool, url: str) -> None:
    """The address for a person has the real port, also for port 0, and no wildcard."""
    bound = bind(place)
    assert bound.url(secure) == url.format(port=bound.name[1])
    assert bound.everywhere is (not place.interface)
    bound.close()


def test_standard_ports_are_left_out_of_urls() -> None:
    """Nobody types :80 or :443."""
    bound = bind(Tcp(0, "127.0.0.1"))
    bound.name = ("127.0.0.1", 443)
    assert (bound.url(True), bound.url(False)) == ("https://127.0.0.1/", "http://127.0.0.1:443/")
    bound.close()


def test_a_unix_socket_has_its_mode_and_goes_away(tmp_path: Path) -> None:
    """The mode is the one asked for whatever the umask, and closing leaves neither socket nor lock."""
    path = tmp_path / "x.sock"
    mask = os.umask(0o077)
    try:
        bound = bind(Unix(str(path), 0o660))
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert bound.url(False) == f"unix:{path}"
    assert not bound.everywhere
    bound.close()
    assert list(tmp_path.iterdir()) == []


def test_a_relative_unix_path_survives_a_change_of_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """twistd changes the folder when it becomes a daemon; the socket is still found and removed."""
    monkeypatch.chdir(tmp_path)
    bound = bind(Unix("x.sock"))
    monkeypatch.chdir("/")
    assert bound.url(False) == f"unix:{tmp_path}/x.sock"
    bound.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("lockfile", [True, False])
def test_two_servers_do_not_share_a_unix_socket(tmp_path: Path, lockfile: bool) -> None:
    """The second one is told, and the first one's files stay."""
    place = Unix(str(tmp_path / "x.sock"), lockfile=lockfile)
    first = bind(place)
    if first.lock is not None:
        # The lock holds the number of a process that lives; our own would be taken over.
        Path(first.lock.name).unlink()
        Path(first.lock.name).symlink_to("1")
    with pytest.raises(UsageError, match="is in use by another server"):
        bind(place)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(place.path)
    if first.lock is not None:
        first.renew_lock()
    first.close()


def test_a_stale_unix_socket_is_replaced(tmp_path: Path) -> None:
    """A server that was killed leaves its socket behind; the next one starts all the same."""
    path = str(tmp_path / "x.sock")
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(path)
    bound = bind(Unix(path))
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
    bound.close()


def test_a_file_is_not_replaced_by_a_socket(tmp_path: Path) -> None:
    """A path that is something else is left alone."""
    path = tmp_path / "x.sock"
    path.write_text("precious")
    with pytest.raises(UsageError, match="exists and is no socket"):
        bind(Unix(str(path)))
    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("lockfile", "at"), [(True, "x.sock.lock"), (False, "x.sock")])
def test_a_missing_folder_is_named(tmp_path: Path, lockfile: bool, at: str) -> None:
    """The message names the path and says what is wrong."""
    with pytest.raises(UsageError, match=f"nowhere/{at}: no such file or directory"):
        bind(Unix(str(tmp_path / "nowhere" / "x.sock"), lockfile=lockfile))


def test_the_lock_names_the_process_that_serves(tmp_path: Path) -> None:
    """twistd forks between binding and serving; the lock must name the process that stays."""
    bound = bind(Unix(str(tmp_path / "x.sock")))
    lock = tmp_path / "x.sock.lock"
    lock.unlink()
    lock.symlink_to("1")
    bound.renew_lock()
    assert str(lock.readlink()) == str(os.getpid())
    bound.close()
