"""Options in this process: what they mean, and that every mistake is one line and exit status 1."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from twisted.internet.testing import MemoryReactorClock

from tests.certificates import self_signed
from upgradegw import __version__
from upgradegw.service.descriptions import Tcp
from upgradegw.service.gateway.gateway import Gateway
from upgradegw.service.listening import Listener
from upgradegw.service.options import Options
from upgradegw.service.self_signed import SelfSigned
from upgradegw.service.tap import makeService


@pytest.fixture(autouse=True)
def import_path() -> Iterator[None]:
    """Options make folders importable; leave no trace of that."""
    path, modules = sys.path[:], set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if name.startswith("optional_"):
            del sys.modules[name]


def parsed(*arguments: str) -> Options:
    """Parse options that are right; sockets are closed again."""
    options = Options()
    options.parseOptions([*arguments])
    for listener in options.listeners:
        if listener.bound is not None:
            listener.bound.close()
    return options


def started(*arguments: str) -> Gateway:
    """Make what options that are right describe."""
    options = parsed(*arguments)
    return Gateway(MemoryReactorClock(), options.config, options.listeners)


def mistake(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Parse options that are wrong, or name what is; return the one line that says so."""
    options = Options()
    with pytest.raises(SystemExit) as caught:  # noqa: PT012 - which of the two finds it is not the user's concern
        options.parseOptions([*arguments])
        makeService(options)
    assert caught.value.code == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    return printed.err.removeprefix("upgradegw: ").rstrip("\n")


FREE = "--listen=tcp:0:interface=127.0.0.1"


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an option it is port 8080, the demonstration, twistd's log and ten seconds for a stop."""
    bound: list[Listener] = []
    monkeypatch.setattr("upgradegw.service.options.bind_all", bound.extend)
    options = parsed()
    assert [listener.description.place for listener in options.listeners] == [Tcp(8080)]
    assert bound == options.listeners
    config = options.config
    assert (config.route, config.trusted_proxies, options.access_file) == ((), (), None)
    assert (config.listen[0].tls, config.listen[0].h2c_upgrade, config.stop_timeout) == (None, "direct", 10.0)


def test_places_to_listen_add_up(tmp_path: Path) -> None:
    """--port N is --listen tcp:N, and both can be repeated."""
    options = parsed("--port", "0", "-p", "0", FREE, f"--listen=unix:{tmp_path}/x.sock")
    assert [listener.option for listener in options.listeners] == [
        "--port 0",
        "--port 0",
        "--listen tcp:0:interface=127.0.0.1",
        f"--listen unix:{tmp_path}/x.sock",
    ]
    assert all(listener.bound is not None for listener in options.listeners)


def test_proxies_add_up() -> None:
    """--trusted-proxy can be repeated."""
    options = parsed(FREE, "--trusted-proxy", "10.0.0.0/8", "--trusted-proxy", "unix")
    assert options.config.trusted_proxies == ("10.0.0.0/8", "unix")


def test_the_current_folder_is_importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with ``python -m``."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "optional_here.py").write_text("from twisted.web.resource import Resource\nroot = Resource()\n")
    assert started(FREE, "--resource", "/=optional_here:root").route("/") is not None


def test_another_folder_can_be_importable(tmp_path: Path) -> None:
    """--app-dir names it, and it comes before all others."""
    (tmp_path / "optional_there.py").write_text("from twisted.web.resource import Resource\nroot = Resource()\n")
    assert started(FREE, "--app-dir", str(tmp_path), "--resource", "/w=optional_there:root").route("/w") is not None
    assert sys.path[0] == str(tmp_path)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """--version is ours, not Twisted's."""
    with pytest.raises(SystemExit) as caught:
        Options().parseOptions(["--version"])
    assert (caught.value.code, capsys.readouterr().out) == (0, f"upgradegw {__version__}\n")


def test_the_access_log_may_be_a_file(tmp_path: Path) -> None:
    """It is opened at once, so that a mistake is found before the server runs."""
    options = parsed(FREE, "--access-log", str(tmp_path / "access.log"))
    assert options.access_file is not None
    options.access_file.close()
    assert (tmp_path / "access.log").exists()
    assert parsed(FREE, "--access-log", "off").access_file is None


def test_the_access_log_may_be_standard_output(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It is the real one, also when twistd has put its log in the place of ``sys.stdout``."""
    options = parsed(FREE, "--access-log", "-")
    assert options.access_file is not None
    options.access_file.write(b"line\n")
    options.access_file.close()
    assert capfd.readouterr().out == "line\n"


def test_tls_covers_every_listener(tmp_path: Path) -> None:
    """The certificate is read at the start."""
    files = self_signed(tmp_path)
    (secured,) = started(FREE, FREE, "--tls-cert", str(files.cert), "--tls-key", str(files.key)).entrances.certificates
    assert secured.tls.material.pairs[0].file == str(files.cert)


def test_a_certificate_can_be_made_on_the_spot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """self-signed needs no file and leaves none; the log will tell its fingerprint."""
    monkeypatch.chdir(tmp_path)
    gateway = started(FREE, "--tls-cert", "self-signed")
    (pair,) = gateway.entrances.certificates[0].tls.material.pairs
    assert isinstance(pair.key, EllipticCurvePrivateKey)
    assert gateway.notices[0] == SelfSigned(pair.certificate, pair.key).notice
    assert list(tmp_path.iterdir()) == []
    assert len(started(FREE).notices) == len(gateway.notices) - 1


def test_a_file_may_be_called_self_signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its folder in front it is a file."""
    files = self_signed(tmp_path)
    files.cert.rename(tmp_path / "self-signed")
    monkeypatch.chdir(tmp_path)
    gateway = started(FREE, "--tls-cert", "./self-signed", "--tls-key", str(files.key))
    assert [each.notice for each in gateway.entrances.certificates] == [None]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--prot", "1"], "option --prot not recognized"),
        (["--port"], "option --port requires argument"),
        (["8080"], "'8080' belongs to no option; see --help"),
        (["--port", "http"], "--port http: 'http' is no port: write a number from 0 to 65535"),
        (["--listen", "8080"], "--listen 8080: write tcp:8080 for a TCP port"),
        (["--listen", "unix:/x", "--listen", "unix:/x"], "--listen unix:/x: --listen unix:/x is the same place"),
        (["--port", "81", "--check", "--listen", "tcp:81"], "--listen tcp:81: --port 81 is the same place"),
        (["--trusted-proxy", "10.0.0.0/99"], "--trusted-proxy 10.0.0.0/99: "),
        (["--h2c-upgrade", "sometimes"], "--h2c-upgrade sometimes: write one of never, direct, always"),
        (["--tls-key", "k.pem"], "--tls-key is of use only together with --tls-cert"),
        (
            ["--tls-cert", "self-signed", "--tls-key", "k.pem"],
            "--tls-cert self-signed: the key is made, too; leave --tls-key out",
        ),
        (["--tls-cert", "/nowhere.pem"], "--tls-cert /nowhere.pem: no such file or directory"),
        (["--stop-timeout", "soon"], "--stop-timeout soon: write a number of seconds, at most a day"),
        (["--stop-timeout", "-1"], "--stop-timeout -1: "),
        (["--stop-timeout", "nan"], "--stop-timeout nan: "),
        (["--app-dir", "/nowhere"], "--app-dir /nowhere: there is no such folder"),
        (["--access-log", "/nowhere/a.log"], "--access-log /nowhere/a.log: no such file or directory"),
        (["--websocket", "chat=a:b"], "--websocket chat=a:b: the path 'chat' must begin with a slash"),
        (["--websocket", "/chat=optional_nowhere:x"], "--websocket /chat=optional_nowhere:x: there is no module"),
        (["--listen", "tcp:0:interface=192.0.2.1"], "--listen tcp:0:interface=192.0.2.1: 192.0.2.1 is no address"),
    ],
)
def test_mistakes_are_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str], line: str) -> None:
    """A clear line on standard error, exit status 1, no help text around it, no traceback."""
    assert mistake(capsys, *arguments).startswith(line)


def test_a_port_in_use_leaves_nothing_bound(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """If the last of three places is taken, the sockets of the first two are closed and their files gone."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        taken = f"tcp:{port}:interface=127.0.0.1"
        line = mistake(capsys, f"--listen=unix:{tmp_path}/x.sock", FREE, "--listen", taken)
    assert line == f"--listen {taken}: port {port} is already in use"
    assert list(tmp_path.iterdir()) == []


def test_a_daemon_has_no_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """--access-log - asks for what a daemon does not have."""
    options = Options()
    options.parent = {"nodaemon": False}
    with pytest.raises(SystemExit):
        options.parseOptions(["--access-log", "-"])
    assert capsys.readouterr().err.startswith("upgradegw: --access-log -: a daemon has no standard output")


def test_help_names_every_option() -> None:
    """Both ways to call the command are shown, and each option is explained."""
    text = str(Options())
    assert text.startswith("Usage: upgradegw [options]\n   or: twistd [twistd's options] upgradegw [options]\n")
    names = {word.rstrip("=") for word in text.split() if word.startswith("--")}
    assert names >= {"--port", "--listen", "--tls-cert", "--tls-key", "--trusted-proxy", "--websocket", "--upgrade"}
    assert names >= {"--static", "--wsgi", "--resource", "--app-dir", "--access-log", "--stop-timeout", "--check"}
    assert names >= {"--version", "--help"}
