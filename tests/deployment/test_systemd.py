"""The units of the documentation, and a start as systemd does it."""

from __future__ import annotations

import re
import shlex
import signal
import socket
import ssl
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import CertificateFiles
from tests.clients.support import run_tool, tool
from tests.deployment.activation import Notices, activated
from tests.deployment.conftest import DEPLOY
from tests.support.process import IN_FOREGROUND, PATIENCE, run
from tests.support.sockets import read_all, switch

#: What ``systemd-analyze security`` may find at most, of 10, as the page says. Its own word for this is OK.
EXPOSURE = 2.0

GET = b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units, with a program that is there."""
    program = Path(sys.executable).with_name("upgradegw")
    for name in ("upgradegw.service", "upgradegw.socket"):
        text = (DEPLOY / name).read_text().replace("/opt/upgradegw/bin/upgradegw", str(program))
        (tmp_path / name).write_text(text)
    return tmp_path


def settings() -> dict[str, list[str]]:
    """The settings of the service's unit."""
    text = re.sub(r"\\\n\s*", "", (DEPLOY / "upgradegw.service").read_text())
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


def test_systemd_finds_no_fault_in_the_units(units: Path) -> None:
    """``systemd-analyze verify`` knows every setting and every value."""
    done = run_tool([tool("systemd-analyze"), "verify", f"{units}/upgradegw.service", f"{units}/upgradegw.socket"])
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_little_is_exposed(units: Path) -> None:
    """``systemd-analyze security`` finds less than 2 of 10; a service without hardening has 9.6."""
    command = [tool("systemd-analyze"), "security", "--offline=true", "--no-pager", f"{units}/upgradegw.service"]
    told = re.search(r"Overall exposure level for \S+: ([0-9.]+)", run_tool(command).stdout)
    assert told is not None
    assert float(told[1]) < EXPOSURE


def test_the_command_of_the_unit_is_one_of_ours(tmp_path: Path, certificate: CertificateFiles) -> None:
    """Its options exist and fit together, and its connections have the time that TimeoutStopSec= leaves them."""
    found = settings()
    for folder in ("webroot", "public"):
        (tmp_path / folder).mkdir()
    (tmp_path / "chat.py").write_text((DEPLOY.parent / "chat.py").read_text())
    (command,) = found["ExecStart"]
    places = {
        "${CREDENTIALS_DIRECTORY}/fullchain.pem": str(certificate.cert),
        "${CREDENTIALS_DIRECTORY}/privkey.pem": str(certificate.key),
        "/var/lib/acme-webroot": f"{tmp_path}/webroot",
        "/srv/app": str(tmp_path),
    }
    for place, here in places.items():
        assert place in command
        command = command.replace(place, here)
    options = shlex.split(command)[1:]
    done = run(*options, "--check", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert float(found["TimeoutStopSec"][0]) > float(options[options.index("--stop-timeout") + 1]) + 1


@pytest.fixture
def notices(tmp_path: Path) -> Iterator[Notices]:
    """Where the service says how it is."""
    made = Notices(tmp_path / "notify")
    yield made
    made.close()


def https(port: int, context: ssl.SSLContext, before: bytes = b"") -> bytes:
    """Ask for ``/ws`` over TLS."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(before)
        with context.wrap_socket(connection, server_hostname="localhost") as tls:
            tls.sendall(GET)
            return read_all(tls)


def test_a_life_under_systemd(
    tmp_path: Path, tls_options: tuple[str, ...], context: ssl.SSLContext, notices: Notices
) -> None:
    """READY=1 when the sockets passed on are served, RELOADING=1 at SIGHUP, STOPPING=1 at the end."""
    with (
        socket.create_server(("127.0.0.1", 0)) as secure,
        socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as plain,
    ):
        port, plain_port = secure.getsockname()[1], plain.getsockname()[1]
        options = "--listen", "systemd:index=0", "--redirect", "systemd:domain=INET6:name=http", *tls_options
        sockets = {"https": secure, "http": plain}
        with activated(sockets, *options, "--access-log", "-", folder=tmp_path, notices=notices) as server:
            urls = f"https://127.0.0.1:{port}/ http://[::1]:{plain_port}/ (all addresses)"
            assert notices.next() == {"READY": "1", "STATUS": f"serving {urls}"}
            assert https(port, context).startswith(b"HTTP/1.1 426 ")
            with socket.create_connection(("127.0.0.1", plain_port), timeout=PATIENCE) as client:
                client.sendall(GET)
                assert f"Location: https://localhost:{port}/ws\r\n".encode() in read_all(client)
            # The client of a socket for both families is one of IPv4.
            server.await_line(r'^127\.0\.0\.1 .*"GET /ws HTTP/1.1" 308 ')
            server.send(signal.SIGHUP)
            assert notices.next().keys() == {"RELOADING", "MONOTONIC_USEC"}
            assert notices.next()["READY"] == "1"
            assert server.stop() == -signal.SIGTERM
            assert notices.next() == {"STOPPING": "1", "STATUS": "ending 0 connections"}
        # systemd still listens: clients wait for the next start and are not refused.
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()


def test_connections_end_in_order_under_systemd(tmp_path: Path, notices: Notices) -> None:
    """STATUS= tells how many connections there are to end."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        activated({"http": listening}, "--listen", "systemd:index=0", folder=tmp_path, notices=notices) as server,
    ):
        assert notices.next()["READY"] == "1"
        with socket.create_connection(listening.getsockname(), timeout=PATIENCE) as client:
            switch(client)
            server.send(signal.SIGTERM)
            assert notices.next()["STATUS"] == "ending 1 connections"
            client.recv(4096)
        server.wait()


def test_a_unix_socket_of_systemd_s_stays_as_it_is(tmp_path: Path) -> None:
    """Its mode is that of SocketMode=, and its file is there for the next start; the console script, then twistd."""
    path = tmp_path / "x.sock"
    with socket.create_server(str(path), family=socket.AF_UNIX) as listening:
        path.chmod(0o660)
        script = (str(Path(sys.executable).with_name("upgradegw")),)
        for command in (script, IN_FOREGROUND):
            options = "--listen", "systemd:domain=UNIX:index=0", "--trusted-proxy", "unix"
            with activated({"http": listening}, *options, folder=tmp_path, command=command) as server:
                assert server.urls == [f"unix:{path}"]
                assert stat.S_IMODE(path.stat().st_mode) == 0o660
                with socket.socket(socket.AF_UNIX) as client:
                    client.settimeout(PATIENCE)
                    client.connect(str(path))
                    client.sendall(GET.replace(b"Connection", b"X-Forwarded-For: 192.0.2.9\r\nConnection"))
                    assert read_all(client).startswith(b"HTTP/1.1 426 ")
                server.await_line(r"\b192\.0\.2\.9 ")
                assert server.stop() == -signal.SIGTERM
                assert "Traceback" not in server.text
    assert stat.S_ISSOCK(path.stat().st_mode)


def test_without_systemd_there_is_no_socket(tmp_path: Path) -> None:
    """One line and exit status 1; but the syntax can be checked anywhere."""
    done = run("--listen", "systemd:domain=INET:index=0", folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "systemd has passed no socket to this process" in done.stderr
    checked = run("--listen", "systemd:domain=INET:index=0", "--check", folder=tmp_path)
    assert (checked.returncode, checked.stderr) == (0, "")
