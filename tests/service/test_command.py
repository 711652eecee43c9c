"""The command as a person calls it: processes that start, fail, serve and end."""

from __future__ import annotations

import hashlib
import re
import signal
import socket
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.certificates import self_signed
from tests.support.process import FOREGROUND, IN_FOREGROUND, PATIENCE, TWISTD, run, serving
from tests.support.sockets import ask, read_all, read_until, switch
from upgradegw import __version__

#: With -n, and as what would become a daemon.
COMMANDS = {"-n": IN_FOREGROUND, "daemon": (*TWISTD, "upgradegw")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a user's modules, certificates, and files."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "app.py").write_text(
        "from twisted.web.resource import Resource\n"
        "class Root(Resource):\n"
        "    isLeaf = True\n"
        "    def render(self, request):\n"
        "        return b'user'\n"
        "root = Root()\n"
    )
    (folder / "broken.py").write_text("x = 1\nx.nothing\n")
    self_signed(folder)
    self_signed(folder, "other.example")
    return folder


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


MISTAKES = {
    "wrong option": (["--prot=1"], "option --prot not recognized"),
    "module not found": (["--resource=/=nowhere:root"], "--resource /=nowhere:root: there is no module 'nowhere'"),
    "error in the module": (
        ["--resource=/=broken:root"],
        "importing broken failed: {folder}/broken.py, line 2: A",
    ),
    "missing attribute": (["--resource=/=app:roto"], "app has no attribute 'roto'; did you mean 'root'?"),
    "port in use": (["--listen=tcp:{taken}:interface=127.0.0.1"], "port {taken} is already in use"),
    "certificate missing": (["--tls-cert=gone.pem"], "--tls-cert gone.pem: no such file or directory"),
    "certificate unreadable": (["--tls-cert=app.py"], "--tls-cert app.py: this file holds no certificate"),
    "another key": (["--tls-cert=localhost.pem", "--tls-key=other.example.key"], "is not the key of the certificate"),
    "bad proxy": (["--trusted-proxy=10.0.0.0/99"], "--trusted-proxy 10.0.0.0/99: "),
    "bad path": (["--static=x=."], "--static x=.: the path 'x' must begin with a slash"),
    "unknown endpoint": (["--listen=nope:1"], "--listen nope:1: Unknown endpoint type"),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_and_exit_status_1(
    command: tuple[str, ...], mistake: str, folder: Path, taken: int, tmp_path: Path
) -> None:
    """With and without -n: no traceback, no help text, no daemon, no pid file, no log file."""
    options, message = MISTAKES[mistake]
    arguments = [option.format(taken=taken) for option in options]
    if "port in use" not in mistake and not any("--listen" in option for option in arguments):
        arguments.append("--listen=tcp:0:interface=127.0.0.1")
    before = set(folder.iterdir())
    done = run(*arguments, folder=folder, command=command)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("upgradegw: ")
    assert message.format(taken=taken, folder=folder) in done.stderr
    assert set(folder.iterdir()) - before <= {folder / "__pycache__"}


def test_a_port_that_is_not_allowed_is_one_line(folder: Path) -> None:
    """Who may not open low ports learns about them; root is made to be such a user."""
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 1:
        pytest.skip("this machine lets everybody open low ports")
    # PR_CAPBSET_DROP, CAP_NET_BIND_SERVICE: without the capability, root is a user like any other here.
    drop = "import ctypes, os, sys; ctypes.CDLL(None).prctl(24, 10, 0, 0, 0); os.execv(sys.argv[1], sys.argv[1:])"
    command = (sys.executable, "-c", drop, *FOREGROUND)
    done = run("--listen=tcp:1:interface=127.0.0.1", folder=folder, command=command)
    assert (done.returncode, done.stdout) == (1, "")
    assert "this user may not open port 1 (ports below 1024 need" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", [FOREGROUND, IN_FOREGROUND], ids=["-m", "-n"])
def test_the_ready_line_has_the_real_url(command: tuple[str, ...], folder: Path) -> None:
    """Port 0 is shown as what it became, and a plain client is served there."""
    with serving("--resource=/=app:root", folder=folder, command=command) as server:
        assert re.search(rf"upgradegw {re.escape(__version__)} ready: http://127\.0\.0\.1:\d+/\n", server.text)
        assert ask(server, b"/").endswith(b"\r\n\r\nuser")
        assert "demonstration" not in server.text
        assert server.stop() == -signal.SIGTERM
    assert "Traceback" not in server.text


def test_the_demonstration_says_what_it_is() -> None:
    """Without a route the log says that this is a demonstration, and how to replace it."""
    with serving() as server:
        server.await_line(r"This is the demonstration site\. Serve your own instead: for example --websocket")
        assert b"<title>upgradegw" in ask(server, b"/")


def test_several_listeners(tmp_path: Path) -> None:
    """TCP over IPv4 and IPv6 and a UNIX socket, all in the ready line, gone at the end."""
    path = tmp_path / "x.sock"
    options = (
        "--listen=tcp:0:interface=127.0.0.1",
        f"--listen=unix:{path}:mode=600",
        r"--listen=tcp:0:interface=\:\:1",
    )
    with serving(*options, listen=False) as server:
        first, unix, second = server.urls
        assert (first.startswith("http://127.0.0.1:"), unix) == (True, f"unix:{path}")
        assert second.startswith("http://[::1]:")
        assert path.stat().st_mode & 0o777 == 0o600
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE)
            client.connect(str(path))
            client.sendall(b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert read_all(client).startswith(b"HTTP/1.1 426 ")
    assert list(tmp_path.iterdir()) == []


def test_tls_end_to_end(folder: Path) -> None:
    """The certificate is used on the port, HTTP/1.1 is agreed on if asked for, and a switch works behind TLS."""
    client = ssl.create_default_context(cafile=str(folder / "localhost.pem"))
    client.set_alpn_protocols(["http/1.1"])
    certificate = (f"--tls-cert={folder}/localhost.pem", f"--tls-key={folder}/localhost.key")
    with serving(*certificate) as server, server.connect() as connection:
        assert server.urls == [f"https://127.0.0.1:{server.port}/"]
        with client.wrap_socket(connection, server_hostname="127.0.0.1") as tls:
            assert tls.selected_alpn_protocol() == "http/1.1"
            tls.sendall(b"GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello")
            assert read_until(tls, b"hello").startswith(b"HTTP/1.1 101 ")


def test_a_certificate_made_at_the_start(tmp_path: Path) -> None:
    """H2-02: one word turns TLS on, HTTP/2 is agreed on, and the log tells the fingerprint of what is sent."""
    unchecked = ssl.create_default_context()
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    unchecked.set_alpn_protocols(["h2", "http/1.1"])
    with serving("--tls-cert=self-signed", folder=tmp_path) as server:
        assert server.urls == [f"https://127.0.0.1:{server.port}/"]
        told = server.await_line(r"self-signed .* browsers will warn .* SHA-256 fingerprint is ([0-9A-F:]{95})\.")[1]
        with server.connect() as connection, unchecked.wrap_socket(connection, server_hostname="localhost") as tls:
            sent = tls.getpeercert(binary_form=True)
            assert sent is not None
            assert hashlib.sha256(sent).hexdigest().upper() == told.replace(":", "")
            assert tls.selected_alpn_protocol() == "h2"
    assert list(tmp_path.iterdir()) == []


def test_a_daemon_serves_and_ends(tmp_path: Path) -> None:
    """Without -n: the socket bound beforehand is the daemon's, its lock names it, and a stop leaves no file."""
    path = tmp_path / "x.sock"
    done = run(f"--listen=unix:{path}", folder=tmp_path, command=(*TWISTD, "upgradegw"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    daemon = psutil.Process(int((tmp_path / "twistd.pid").read_text()))
    assert str((tmp_path / "x.sock.lock").readlink()) == str(daemon.pid)
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE)
        client.connect(str(path))
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert read_all(client).startswith(b"HTTP/1.1 200 ")
    daemon.terminate()
    daemon.wait(PATIENCE)
    log = (tmp_path / "twistd.log").read_text()
    assert f"upgradegw {__version__} ready: unix:{path}\n" in log
    assert "Traceback" not in log
    assert [path.name for path in tmp_path.iterdir()] == ["twistd.log"]


def test_a_terminal_sees_no_control_characters() -> None:
    """A-36: what a client sends into the log neither colours nor retitles the operator's terminal, nor adds lines."""
    with serving() as server:
        ask(server, b"/%1b%0a", b'User-Agent: \x9b31m"\\ \xc3\x85\r\nReferer: x\ty\r\n')
        line = server.await_line("GET /%1b%0a")
        assert r'"x\x09y" "\x9b31m\x22\x5c \xc3\x85"' in line.string
        assert re.fullmatch(r"[\n\x20-\x7e]*", server.text)


def test_access_lines_off_and_to_standard_output(folder: Path) -> None:
    """``off`` leaves the log to the server's own messages; ``-`` prints lines without twistd's prefix."""
    with serving("--access-log=off") as server:
        ask(server, b"/")
        with server.connect() as client:
            switch(client)
        server.stop()
    assert "GET" not in server.text
    assert "switch" not in server.text
    with serving("--access-log=-") as server:
        ask(server, b"/")
        assert server.await_line(r'^127\.0\.0\.1 - - \[.*\] "GET / HTTP/1\.1" 200 ')


def test_help_and_version() -> None:
    """Both commands answer and end with exit status 0."""
    for command in (FOREGROUND, IN_FOREGROUND):
        helped = run("--help", command=command)
        assert (helped.returncode, helped.stderr) == (0, "")
        assert helped.stdout.startswith("Usage: upgradegw [options]\n")
        version = run("--version", command=command)
        assert (version.returncode, version.stdout) == (0, f"upgradegw {__version__}\n")


def test_check_needs_no_free_port(taken: int, folder: Path) -> None:
    """--check can be run beside the server that it is to replace, and finds mistakes all the same."""
    port = f"--listen=tcp:{taken}:interface=127.0.0.1"
    done = run("--check", port, "--resource=/=app:root", folder=folder)
    assert (done.returncode, done.stderr) == (0, "")
    first, *_, last = done.stdout.splitlines()
    option = port.replace("=", " ", 1)
    assert first == f'listen address=tcp:127.0.0.1:{taken} tls=no http=1.1,2 h2c-upgrade=never option="{option}"'
    assert '\nroute path=/ resource=app:root option="--resource /=app:root"\n' in done.stdout
    assert last == "upgradegw: configuration is ok"
    assert run("--check", port, "--resource=/=app:nope", folder=folder).returncode == 1


def test_a_users_reactor_import_does_no_harm(folder: Path) -> None:
    """A module that imports the reactor, as many do, is resolved before twistd runs it; both agree on one reactor."""
    (folder / "with_reactor.py").write_text("from twisted.internet import reactor\nfrom app import root\n")
    with serving("--resource=/=with_reactor:root", folder=folder) as server:
        assert ask(server, b"/").endswith(b"user")
