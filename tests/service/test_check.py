"""--check: what the options came to, in lines that can be searched; nothing is bound, nothing is written."""

from __future__ import annotations

import datetime as dt
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import self_signed
from tests.service.formats.reading import read
from upgradegw.http.limits import Limits
from upgradegw.http2.limits import Http2Limits
from upgradegw.service.options import Options

APPLICATION = """
from autobahn.twisted.websocket import WebSocketServerFactory
from twisted.internet.protocol import Protocol
from upgradegw import websocket
factory = WebSocketServerFactory
def listed():
    made = WebSocketServerFactory()
    made.setProtocolOptions(allowedOrigins=["https://one.example:443"], allowNullOrigin=False)
    return made
two = lambda: websocket(WebSocketServerFactory(), origins=["https://two.example", "null"])
nobody = lambda: websocket(WebSocketServerFactory(), origins=[])
class Feed(Protocol):
    pass
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user's folder; what options do to the interpreter is undone."""
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "checked_app.py").write_text(APPLICATION)
    yield tmp_path
    sys.modules.pop("checked_app", None)


def check(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """Return the lines for options that are right."""
    with pytest.raises(SystemExit) as caught:
        Options().parseOptions(["--check", *arguments])
    printed = capsys.readouterr()
    assert (caught.value.code, printed.err) == (0, "")
    return printed.out.splitlines()


def of(word: str, lines: list[str]) -> list[dict[str, str]]:
    """Return the pairs of the lines of one word."""
    return [read(line.partition(" ")[2]) for line in lines if line.startswith(f"{word} ")]


def test_every_line_is_a_word_and_pairs(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines come by word, each with pairs, and the last one says that all is right."""
    *lines, last = check(capsys)
    assert last == "upgradegw: configuration is ok"
    words = [line.partition(" ")[0] for line in lines]
    assert list(dict.fromkeys(words)) == ["listen", "route", "setting", "limit"]
    assert words == sorted(words, key=["listen", "route", "setting", "limit"].index)
    assert all(read(line.partition(" ")[2]) for line in lines)


def test_listeners(capsys: pytest.CaptureFixture[str]) -> None:
    """Address, encryption and HTTP versions of each kind of listener."""
    endpoints = [
        "unix:/run/x.sock:mode=660",
        r"tcp:0:interface=\:\:1",
        "haproxy:tcp:8443",
        "tcp6:80",
        "stdio:",
    ]
    lines = check(capsys, "--port=80", *(f"--listen={each}" for each in endpoints))
    found = of("listen", lines)
    assert [each["address"] for each in found] == [
        *("tcp:0.0.0.0:80", "unix:/run/x.sock", "tcp:[::1]:0", "tcp:0.0.0.0:8443", "tcp:[::]:80", "stdio:")
    ]
    assert [each.get("mode") for each in found] == [None, "660", None, None, None, None]
    assert [each.get("proxy-header") for each in found] == [None, None, None, "yes", None, None]
    assert {(each["tls"], each["http"]) for each in found} == {("no", "1.1,2")}
    assert [each["option"] for each in found] == ["--port 80", *(f"--listen {each}" for each in endpoints)]


def test_tls_of_every_listener(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """With a certificate every listener speaks TLS, and the certificate's names and expiry are told."""
    files = self_signed(folder)
    lines = check(capsys, f"--tls-cert={files.cert}", f"--tls-key={files.key}")
    assert [each["tls"] for each in of("listen", lines)] == ["yes"]
    (certificate,) = of("certificate", lines)
    assert (certificate["file"], certificate["names"]) == (str(files.cert), "localhost,127.0.0.1")
    expiry = dt.datetime.strptime(certificate["not-after"], "%Y-%m-%dT%H:%M:%S%z")
    assert dt.timedelta(hours=23) < expiry - dt.datetime.now(dt.UTC) <= dt.timedelta(days=1)
    assert certificate["days-left"] == "0"


def test_an_endpoint_with_its_own_tls(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """Twisted's ``ssl:`` speaks TLS by itself, also behind a PROXY header."""
    files = self_signed(folder)
    endpoint = f"ssl:8443:privateKey={files.key}:certKey={files.cert}"
    lines = check(capsys, f"--listen={endpoint}", f"--listen=haproxy:{endpoint}")
    listening = of("listen", lines)
    assert [(each["tls"], each.get("proxy-header")) for each in listening] == [("yes", None), ("yes", "yes")]
    assert of("certificate", lines) == []


def test_routes(capsys: pytest.CaptureFixture[str]) -> None:
    """By path, with token and origins of each upgrade, beside the option that it came from."""
    lines = check(
        capsys,
        "--static=/=.",
        "--upgrade=/a=feed/2=checked_app:Feed",
        "--websocket=/a=checked_app:factory",
        "--websocket=/b c=checked_app:two",
        "--websocket=/d=checked_app:listed",
        "--websocket=/é=checked_app:nobody",
    )
    found = of("route", lines)
    assert [(each["path"], each.get("token"), each.get("origins")) for each in found] == [
        ("/", None, None),
        ("/a", "feed/2", None),
        ("/a", "websocket", "same-origin"),
        ("/b c", "websocket", "https://two.example,null"),
        ("/d", "websocket", "https://one.example:443"),
        ("/é", "websocket", "none"),
    ]
    assert found[1]["option"] == "--upgrade /a=feed/2=checked_app:Feed"
    assert all(" " <= character < "\x7f" for line in lines for character in line)


def test_the_demonstration(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a route, the paths of the demonstration site, and that it is one."""
    found = of("route", check(capsys))
    assert [(each["path"], each.get("token")) for each in found] == [
        ("/", None),
        ("/echo", "echo"),
        ("/ws", "websocket"),
    ]
    assert {each["option"] for each in found} == {"demonstration site"}


def test_settings_that_nobody_gave(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """Each has the value that is in force; the Upgrade form of HTTP/2 is for the demonstration alone."""
    settings = {name: value for each in of("setting", check(capsys)) for name, value in each.items()}
    assert settings == {
        "app-dir": str(folder),
        "trusted-proxy": "none",
        "h2c-upgrade": "direct",
        "extended-connect": "yes",
        "access-log": "twistd's log",
        "access-log-format": "combined",
        "stop-timeout": "10",
    }
    assert {"h2c-upgrade": "never"} in of("setting", check(capsys, "--static=/=."))


def test_settings_that_were_given(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """What the options say, as it was understood."""
    lines = check(
        capsys,
        *("--trusted-proxy=10.0.0.0/8", "--trusted-proxy=unix", "--h2c-upgrade=always", "--no-extended-connect"),
        *("--access-log=access.log", "--access-log-format=json", "--stop-timeout=2.5"),
    )
    settings = {name: value for each in of("setting", lines) for name, value in each.items()}
    assert settings == {
        "app-dir": str(folder),
        "trusted-proxy": "10.0.0.0/8,unix",
        "h2c-upgrade": "always",
        "extended-connect": "no",
        "access-log": str(folder / "access.log"),
        "access-log-format": "json",
        "stop-timeout": "2.5",
    }


@pytest.mark.parametrize(("target", "shown"), [("-", "standard output"), ("off", "off")])
def test_the_access_log_may_be_no_file(capsys: pytest.CaptureFixture[str], target: str, shown: str) -> None:
    """The words of the option that name no file are told apart from files."""
    assert {"access-log": shown} in of("setting", check(capsys, f"--access-log={target}"))


def test_limits(capsys: pytest.CaptureFixture[str]) -> None:
    """Every limit of the site, with its value."""
    limits = {name: value for each in of("limit", check(capsys)) for name, value in each.items()}
    assert list(limits) == [*Limits.__slots__, *Http2Limits.__slots__]
    assert (limits["max_head"], limits["head_timeout"], limits["max_connections_per_client"]) == ("16384", "10", "none")


def test_nothing_is_bound_or_written(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """No socket, lock, log or bytecode; a port that is in use, by the server itself perhaps, is no mistake."""
    before = set(folder.iterdir())
    with socket.create_server(("127.0.0.1", 0)) as other:
        check(
            capsys,
            f"--listen=tcp:{other.getsockname()[1]}:interface=127.0.0.1",
            f"--listen=unix:{folder}/x.sock",
            "--websocket=/=checked_app:factory",
            "--access-log=access.log",
        )
    assert set(folder.iterdir()) == before
