"""``upgradegw probe`` as a person calls it, against our demonstration: HTTP/1.1, TLS, HTTP/2, and nginx in front."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.certificates import CertificateFiles
from tests.clients.nginx import COMMON, nginx
from tests.support.process import PATIENCE, Server, run

#: twistd, which tests may be told to use for servers, has no probe.
PROBE = (sys.executable, "-m", "upgradegw", "probe")

REPORTING = ("--subprotocol", "demo.upgradegw")


def probe(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return run(*arguments, command=PROBE)


@pytest.mark.parametrize(("options", "version"), [((), "HTTP/1.1"), (("--http2",), "HTTP/2")])
def test_cleartext(demonstration: Server, options: tuple[str, ...], version: str) -> None:
    """CL-09: both sides of the handshake, what the server saw of it, and a close in order."""
    done = probe(f"ws://127.0.0.1:{demonstration.port}/ws", *REPORTING, *options)
    assert (done.returncode, done.stderr) == (0, "")
    *_, saw, closed, verdict = done.stdout.splitlines()
    assert saw.startswith(f'* the server saw http_version: "{version}", client: "127.0.0.1", secure: false, ')
    assert closed == "* closed: 1000 sent, 1000 received"
    assert verdict.startswith("ok: switched to websocket (subprotocol demo.upgradegw, permessage-deflate) after ")


@pytest.mark.parametrize(("options", "version"), [((), "HTTP/1.1"), (("--http2",), "HTTP/2")])
def test_tls(
    secure_demonstration: Server, certificate: CertificateFiles, options: tuple[str, ...], version: str
) -> None:
    """The same over TLS, the certificate checked, HTTP/2 agreed on by ALPN."""
    url = f"wss://localhost:{secure_demonstration.port}/ws"
    done = probe(url, "--cacert", str(certificate.cert), *REPORTING, *options)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"ALPN agreed on {'h2' if options else 'http/1.1'}\n" in done.stdout
    assert f'* the server saw http_version: "{version}", client: "127.0.0.1", secure: true, ' in done.stdout


@pytest.mark.parametrize("options", [(), ("--http2",)])
def test_another_token(demonstration: Server, options: tuple[str, ...]) -> None:
    """A token of one's own is switched to, over both versions; nothing is sent to it."""
    done = probe(f"http://127.0.0.1:{demonstration.port}/echo", "--token", "echo", *options)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith("ok: switched to echo after ")


@pytest.mark.parametrize(
    ("path", "options", "words"),
    [
        (
            "/echo",
            (),
            "not switched: 426 Upgrade Required: the server serves echo here, not websocket: try --token echo",
        ),
        ("/ws", ("-H", "Sec-WebSocket-Version: 8"), "the server speaks WebSocket version 13, and saw another one"),
        ("/ws", ("-H", "Sec-WebSocket-Key: short"), "not switched: 400 Bad Request: the server holds the request for"),
        ("/ws", ("--origin", "https://evil.example"), "not switched: 403 Forbidden: the Origin may not be acceptable"),
        ("/ws", ("--method", "POST"), "not switched: 405 Method Not Allowed: the method POST"),
        ("/ws", ("--method", "HEAD"), "the offer did not reach it"),
        ("/", (), "not switched: 200 OK: a plain answer"),
        ("/none", (), "not switched: 404 Not Found: the server has nothing at /none"),
        ("/echo", ("--http2",), "not switched: 501: the server, or a proxy in front, does not know websocket"),
        (
            "/ws",
            ("--http2", "-H", "Sec-WebSocket-Version: 8"),
            "not switched: 400: the server speaks WebSocket version 13",
        ),
        ("/", ("--http2",), "not switched: 405: what stands at this path knows no extended CONNECT"),
        ("/none", ("--http2",), "not switched: 404: "),
    ],
)
def test_refusals(demonstration: Server, path: str, options: tuple[str, ...], words: str) -> None:
    """What the demonstration refuses is told in words on standard error, with exit status 1."""
    done = probe(f"http://127.0.0.1:{demonstration.port}{path}", *options)
    assert done.returncode == 1
    assert done.stderr.startswith("upgradegw probe: not switched: ")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_tls_and_cleartext(demonstration: Server, secure_demonstration: Server) -> None:
    """Each taken for the other is found out."""
    plain = probe(f"ws://127.0.0.1:{secure_demonstration.port}/ws")
    assert plain.stderr == "upgradegw probe: the server speaks TLS here: use https:// or wss://\n"
    secure = probe(f"wss://127.0.0.1:{demonstration.port}/ws")
    assert "does not speak TLS here: use http:// or ws://" in secure.stderr


def test_wrong_use() -> None:
    """A command that is written wrongly has exit status 2 and one line; ``twistd`` is not asked."""
    done = probe("--port", "8080")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("upgradegw probe: ")
    assert "usage: upgradegw probe" in probe("--help").stdout


def test_a_reader_that_leaves(demonstration: Server) -> None:
    """``upgradegw probe … | head -1`` ends without a word."""
    command = [*PROBE, f"ws://127.0.0.1:{demonstration.port}/ws"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(PATIENCE) == 1


def test_the_probe_needs_no_reactor() -> None:
    """The command starts without Twisted's reactor and twistd, which a probe has no use for."""
    code = "import sys, upgradegw.probe.command; print('twisted.internet.reactor' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "False\n"


def test_behind_nginx(demonstration: Server, certificate: CertificateFiles, tmp_path: Path) -> None:
    """Through a right configuration it switches; through one that drops the fields the verdict names the proxy."""
    upstream = f"127.0.0.1:{demonstration.port}"
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.mkdir()
    wrong.mkdir()
    with nginx(right, COMMON, upstream, certificate) as port:
        assert probe(f"ws://localhost:{port}/ws").returncode == 0
    lost = {"proxy_set_header Upgrade $http_upgrade;": "", "proxy_set_header Connection $connection_upgrade;": ""}
    with nginx(wrong, COMMON, upstream, certificate, changes=lost) as port:
        done = probe(f"ws://localhost:{port}/ws")
    assert done.returncode == 1
    assert "the server serves websocket here, but the offer did not reach it: a proxy in front" in done.stderr
