"""``twistd --uid --gid``: ports below 1024 and a root-only key are root's, and the rest is done as somebody else."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.certificates import CertificateFiles
from tests.support.process import PATIENCE, TWISTD, Server, serving
from tests.support.sockets import ask, read_all

NOBODY = 65534
COMMAND = (*TWISTD, "-n", "--pidfile=", f"--uid={NOBODY}", f"--gid={NOBODY}", "upgradegw")

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of root's into which everybody can look; pytest's own are closed to others."""
    made = Path(tempfile.mkdtemp(prefix="upgradegw-"))
    made.chmod(0o755)
    (made / "logs").mkdir()
    os.chown(made / "logs", NOBODY, NOBODY)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def low_port() -> int:
    """A port below 1024 that nobody uses."""
    for port in range(1023, 600, -1):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    pytest.skip("every port below 1024 is in use, or not ours to use")


def is_nobody(server: Server) -> bool:
    """Whether every right of root's is gone: real, effective and saved numbers of user and group, and other groups."""
    process = psutil.Process(server.process.pid)
    ids = {*process.uids(), *process.gids()}
    groups = Path(f"/proc/{process.pid}/status").read_text().partition("\nGroups:")[2].partition("\n")[0].split()
    return ids == {NOBODY} and set(groups) <= {str(NOBODY)}


def test_a_low_port_and_a_key_of_root_s(
    folder: Path, low_port: int, certificate: CertificateFiles, context: ssl.SSLContext
) -> None:
    """The port is bound and the key is read before the rights are given up; TLS and the redirect work behind that."""
    assert stat.S_IMODE(certificate.key.stat().st_mode) == 0o600
    tls = f"--tls-cert={certificate.cert}", f"--tls-key={certificate.key}"
    listen = f"--listen=tcp:{low_port}:interface=127.0.0.1", "--redirect=tcp:0:interface=127.0.0.1"
    (folder / ".well-known" / "acme-challenge").mkdir(parents=True)
    (folder / ".well-known" / "acme-challenge" / "token").write_text("token.thumbprint")
    with serving(*tls, *listen, f"--acme-webroot={folder}", command=COMMAND, folder=folder, listen=False) as server:
        assert is_nobody(server)
        with server.connect() as connection, context.wrap_socket(connection, server_hostname="localhost") as tls_socket:
            tls_socket.sendall(b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert read_all(tls_socket).startswith(b"HTTP/1.1 426 ")
        plain = Server(server.process, urls=[server.urls[1]])
        assert f"Location: https://a:{low_port}/x?y".encode() in ask(plain, b"/x?y")
        assert ask(plain, b"/.well-known/acme-challenge/token").endswith(b"\r\n\r\ntoken.thumbprint")
        server.stop()
    assert "Traceback" not in server.text


def test_the_access_log_is_opened_anew(folder: Path) -> None:
    """SIGHUP after a rotation: in a folder of the new user's the file is made again."""
    log = folder / "logs" / "access"
    with serving(f"--access-log={log}", command=COMMAND, folder=folder) as server:
        assert (is_nobody(server), log.stat().st_uid) == (True, 0)
        log.rename(folder / "logs" / "access.1")
        server.send(signal.SIGHUP)
        _wait_for(log)
        ask(server, b"/after")
        server.stop()
    assert log.stat().st_uid == NOBODY
    assert "GET /after" in log.read_text()


def test_an_access_log_that_cannot_be_opened_anew(folder: Path) -> None:
    """In a folder of root's it cannot: one line says so, and nothing is lost, for the old file is still written."""
    log = folder / "access"
    with serving(f"--access-log={log}", command=COMMAND, folder=folder) as server:
        log.rename(folder / "access.1")
        server.send(signal.SIGHUP)
        server.await_line(r"/access cannot be opened anew: Permission denied")
        ask(server, b"/after")
        server.stop()
    assert "GET /after" in (folder / "access.1").read_text()
    assert not log.exists()


def test_a_unix_socket_stays_root_s(folder: Path) -> None:
    """Made by root, with the mode asked for; in a folder of root's the file stays, and the next start takes it."""
    path = folder / "x.sock"
    for _start in range(2):
        with serving(f"--listen=unix:{path}:mode=600", command=COMMAND, folder=folder) as server:
            assert is_nobody(server)
            about = path.stat()
            assert (about.st_uid, stat.S_IMODE(about.st_mode)) == (0, 0o600)
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(PATIENCE)
                client.connect(str(path))
                client.sendall(b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                assert read_all(client).startswith(b"HTTP/1.1 426 ")
            server.stop()
        assert "Traceback" not in server.text
    assert stat.S_ISSOCK(path.stat().st_mode)


def _wait_for(path: Path) -> None:
    """Wait until a file is there."""
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
