"""--check: what the options came to, in lines that can be searched; nothing is bound, nothing is written."""

from __future__ import annotations

import datetime as dt
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.python.usage import UsageError

from tests.certificates import self_signed
from tests.service.formats.reading import read
from upgradegw.http.limits import Limits
from upgradegw.http2.limits import Http2Limits
from upgradegw.service.check import report
from upgradegw.service.config.model import Config, Route
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
    """``ssl:`` names its certificate itself, also behind a PROXY header; what only Twisted knows is Twisted's."""
    files = self_signed(folder)
    pair = f"privateKey={files.key}:certKey={files.cert}"
    endpoints = [f"ssl:8443:{pair}", f"haproxy:ssl:8444:{pair}", f"ssl:8445:{pair}:extraCertChain={files.cert}"]
    lines = check(capsys, *(f"--listen={endpoint}" for endpoint in endpoints))
    listening = of("listen", lines)
    shown = [(each["tls"], each.get("proxy-header")) for each in listening]
    assert shown == [("yes", None), ("yes", "yes"), ("yes", None)]
    assert [each["file"] for each in of("certificate", lines)] == [str(files.cert)]


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
        ("/a", "websocket", "same-origin"),
        ("/a", "feed/2", None),
        ("/b c", "websocket", "https://two.example,null"),
        ("/d", "websocket", "https://one.example:443"),
        ("/é", "websocket", "none"),
    ]
    assert found[2]["option"] == "--upgrade /a=feed/2=checked_app:Feed"
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
        "allowed-hosts": "all",
        "extended-connect": "yes",
        "access-log": "twistd's log",
        "access-log-format": "combined",
        "stop-timeout": "10",
    }
    assert [each["h2c-upgrade"] for each in of("listen", check(capsys))] == ["direct"]
    assert [each["h2c-upgrade"] for each in of("listen", check(capsys, "--static=/=."))] == ["never"]


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
        "allowed-hosts": "all",
        "extended-connect": "no",
        "access-log": str(folder / "access.log"),
        "access-log-format": "json",
        "stop-timeout": "2.5",
    }
    assert [each["h2c-upgrade"] for each in of("listen", lines)] == ["always"]


@pytest.mark.parametrize(("target", "shown"), [("-", "standard output"), ("off", "off")])
def test_the_access_log_may_be_no_file(capsys: pytest.CaptureFixture[str], target: str, shown: str) -> None:
    """The words of the option that name no file are told apart from files."""
    assert {"access-log": shown} in of("setting", check(capsys, f"--access-log={target}"))


def test_limits(capsys: pytest.CaptureFixture[str]) -> None:
    """Every limit of the site, with its value."""
    limits = {name: value for each in of("limit", check(capsys)) for name, value in each.items()}
    assert list(limits) == ["timeout", *Limits.__slots__, *Http2Limits.__slots__]
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


def test_a_file(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """Tables take the place of options; what may be secret is not told."""
    (folder / "x.toml").write_text(
        'allowed_hosts = ["a.example"]\n[[listen]]\nendpoint = "tcp:81"\nhttp2 = false\n[admin]\nendpoint = "tcp:82"\n'
        '[[route]]\npath = "/d"\nhost = ["b.example", "a.example"]\nproxy = ["http://h:1", "http://i"]\n'
        "upgrades = ['tcp']\ntunnel_idle_timeout = 2.5\nlenient = []\nhealth = { path = '/h' }\n"
        '[[route]]\npath = "/e"\nexact = true\nredirect = { to = "/d", status = 308 }\n'
        '[[route]]\npath = "/g"\nwebsocket = "checked_app:two"\nallow = ["::1"]\n'
        '[[route]]\npath = "/f"\nrespond = { status = 503 }\nheaders = { "X-Secret" = "hidden" }\n'
    )
    lines = check(capsys, "--config=x.toml")
    table = 'x.toml: [[listen]] 1 (endpoint "tcp:81")'
    assert of("listen", lines) == [
        {"address": "tcp:0.0.0.0:81", "tls": "no", "http": "1.1", "h2c-upgrade": "never", "table": table}
    ]
    proxied, redirect, respond, guarded = of("route", lines)
    assert (guarded["origins"], guarded["allow"]) == ("https://two.example,null", "::1")
    assert (proxied["path"], proxied["host"], proxied["proxy"]) == ("/d", "b.example,a.example", "http://h:1,http://i")
    assert (proxied["upgrades"], proxied["tunnel_idle_timeout"], proxied["lenient"]) == ("tcp", "2.5", "none")
    assert (proxied["connect_timeout"], proxied["health"]) == ("5", "path")
    assert (redirect["exact"], redirect["redirect"]) == ("yes", "308 /d")
    assert (respond["respond"], respond["headers"]) == ("503", "X-Secret")
    assert "hidden" not in "\n".join(lines)
    assert of("admin", lines) == [{"address": "tcp:82", "allow": "127.0.0.0/8,::1,unix"}]
    assert [each["place"] for each in of("warning", lines)] == ['x.toml: [[route]] 1 (path "/d"): key "upgrades"']
    settings = {name: value for each in of("setting", lines) for name, value in each.items()}
    assert (settings["config"], settings["allowed-hosts"]) == (str(folder / "x.toml"), "a.example")


class Refusing(MemoryReactorClock):
    """A reactor on which every connection is refused, or that a signal stops before that."""

    def __init__(self, *, stopped: bool) -> None:
        super().__init__()
        self._stopped = stopped

    def run(self) -> None:
        super().run()
        for client in () if self._stopped else self.tcpClients:
            client[2].clientConnectionFailed(None, Failure(Refused()))
            self.advance(1)


def asked(*proxies: str, stopped: bool = False) -> Iterator[str]:
    """Report with --check=connect, in memory."""
    config = Config(route=tuple(Route(path=f"/{number}", proxy=each) for number, each in enumerate(proxies)))
    return report(config, [], Refusing(stopped=stopped), connect=True)


def test_upstreams_that_are_asked() -> None:
    """Behind all other lines there is one for each answer; one that cannot be used is an error in the end."""
    told = []
    with pytest.raises(UsageError, match=r"^1 of 1 answers of upstreams cannot be used: see error= above$"):  # noqa: PT012
        for line in asked("http://192.0.2.1"):
            told.append(line)  # noqa: PERF402 - what came before the error is what counts
    assert [each["error"] for each in of("connect", told)] == ["upstream_unreachable"]
    assert list(asked())[-1] == "upgradegw: configuration is ok"


def test_asking_that_is_interrupted() -> None:
    """Whoever sends a signal wants no answer any more."""
    with pytest.raises(UsageError, match="--check=connect: interrupted"):
        list(asked("http://192.0.2.1", stopped=True))


def test_a_reader_that_has_read_enough(tmp_path: Path) -> None:
    """``--check | head`` ends without a traceback."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        command = [sys.executable, "-m", "upgradegw", "--check", "--static", f"/={tmp_path}"]
        done = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (1, "")
