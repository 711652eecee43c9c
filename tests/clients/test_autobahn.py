"""Autobahn's own client, and servers as its examples have them with one line changed."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.certificates import CertificateFiles
from tests.clients.support import run_tool
from tests.support.process import PATIENCE, Server, environment

PROGRAMS = Path(__file__).with_name("autobahn_programs")
MEBIBYTE = 1 << 20


def converse(*dialogues: dict[str, Any]) -> list[dict[str, Any]]:
    """Have dialogues by Autobahn's client, and return what it saw of each."""
    done = run_tool([sys.executable, str(PROGRAMS / "client.py")], input=json.dumps(dialogues), env=environment())
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_what_is_sent_comes_back(demonstration: Server) -> None:
    """Texts and binary messages up to the limit come back, with compression and without; so does a normal close."""
    url = f"ws://127.0.0.1:{demonstration.port}/ws"
    messages = ["", "grüße", "x" * 70000, 0, 1, 126, 65536, MEBIBYTE]
    plain, deflated = converse(
        {"url": url, "send": messages, "close": [1000]},
        {"url": url, "send": messages, "close": [1000, "thanks"], "compression": True},
    )
    assert plain == {"protocol": None, "extensions": [], "received": messages, "close": [1000, True]}
    assert deflated == {**plain, "extensions": ["permessage-deflate"]}


@pytest.mark.parametrize("code", [3000, 4999])
def test_an_application_s_close_code_is_logged(demonstration: Server, code: int) -> None:
    """The code that a client closes with is in the line of the connection's end."""
    (seen,) = converse({"url": f"ws://127.0.0.1:{demonstration.port}/ws", "send": ["x"], "close": [code, "done"]})
    assert seen["received"] == ["x"]
    assert seen["close"][1] is True
    demonstration.await_line(f'end path="/ws" token="websocket".* close_code={code} ')


def test_violations_are_answered_with_their_codes(demonstration: Server) -> None:
    """WS-16, WS-17, WS-18: what is wrong is answered with the Close code that says what."""
    url = f"ws://127.0.0.1:{demonstration.port}/ws"
    wrong = {
        "a reserved bit": ([1, 4, "x"], 1002),
        "a reserved opcode": ([3, 0, "x"], 1002),
        "a continuation of nothing": ([0, 0, "x"], 1002),
        "a text that is not UTF-8": ([1, 0, "\xff\xfe"], 1007),
        "a Close with half a code": ([8, 0, "\x03"], 1002),
        "a Close with a forbidden code": ([8, 0, "\x03\xed"], 1002),
        "a message over the limit": ([2, 0, "\0" * (MEBIBYTE + 1)], 1009),
    }
    seen = converse(*({"url": url, "send": ["before"], "frame": frame} for frame, _ in wrong.values()))
    for (name, (_, code)), each in zip(wrong.items(), seen, strict=True):
        assert (name, each["received"], each["close"][0]) == (name, ["before"], code)


def test_subprotocol_and_origin(demonstration: Server) -> None:
    """WS-10, WS-13: the subprotocol is one of the offered; a foreign origin is told 403."""
    url = f"ws://127.0.0.1:{demonstration.port}/ws"
    named, refused = converse(
        {"url": url, "protocols": ["other", "demo.upgradegw"], "close": [1000]},
        {"url": url, "origin": "https://evil.example"},
    )
    assert named["protocol"] == "demo.upgradegw"
    assert "protocol" not in refused
    assert "403" in refused["reason"]


def test_over_tls(secure_demonstration: Server, certificate: CertificateFiles) -> None:
    """The same over TLS, the certificate checked."""
    url = f"wss://localhost:{secure_demonstration.port}/ws"
    dialogue = {"url": url, "authority": certificate.cert.read_text(), "origin": url.replace("wss", "https")[:-3]}
    (seen,) = converse({**dialogue, "send": ["grüße", MEBIBYTE], "close": [1000]})
    assert (seen["received"], seen["close"]) == (["grüße", MEBIBYTE], [1000, True])


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """The servers, each on its port; they must not log an error."""
    folder = tmp_path_factory.mktemp("sites")
    (folder / "index.html").write_text("a page")
    logged = folder / "log"
    with logged.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, str(PROGRAMS / "sites.py"), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment(),
        )
    with process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, logged.read_text()
        yield json.loads(line)
        process.communicate(timeout=PATIENCE)
    assert "Traceback" not in logged.read_text(), logged.read_text()
    assert process.returncode == 0


def get(port: int, path: str) -> tuple[int, str]:
    """Return the status and the content of a plain request."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def assert_echoes(port: int, path: str) -> None:
    """Talk to a WebSocket by both clients, one of which sends what browsers send."""
    origin = f"http://127.0.0.1:{port}"
    url = f"ws://127.0.0.1:{port}{path}"
    (seen,) = converse({"url": url, "origin": origin, "send": ["grüße", 100_000], "close": [1000]})
    assert (seen["received"], seen["close"]) == (["grüße", 100_000], [1000, True])
    with connect(url, origin=origin) as websocket:  # type: ignore[arg-type]
        websocket.send("hello")
        assert websocket.recv(PATIENCE) == "hello"


def test_files_and_a_websocket(sites: dict[str, int]) -> None:
    """UP-07, UP-13: the echo beside files in a stock Site; a plain request to it is 426, and files are served."""
    port = sites["echo_site"]
    assert get(port, "/index.html") == (200, "a page")
    assert get(port, "/nothing")[0] == 404
    assert get(port, "/ws")[0] == 426
    assert_echoes(port, "/ws")


def test_autobahn_s_root_for_wsgi(sites: dict[str, int]) -> None:
    """UP-13: the echo as a child of Autobahn's WSGIRootResource; everything else is the application's."""
    port = sites["echo_wsgi"]
    assert get(port, "/") == (200, "|/|GET")
    assert get(port, "/a/b") == (200, "|/a/b|GET")
    assert get(port, "/ws")[0] == 426
    assert_echoes(port, "/ws")


def test_wsgi_otherwise(sites: dict[str, int]) -> None:
    """UP-07: an application and a WebSocket on the same paths, in place of a root that tells them apart by path."""
    port = sites["wsgi_otherwise"]
    assert get(port, "/") == (200, "|/|GET")
    assert get(port, "/a/b") == (200, "|/a/b|GET")
    assert get(port, "/a%20b/") == (200, "|/a b/|GET")
    assert_echoes(port, "/")
    assert_echoes(port, "/a/b")


def test_wamp(sites: dict[str, int]) -> None:
    """WS-10: a WAMP session over a WAMP factory: joins, calls, leaves; the subprotocol names the serializer."""
    port = sites["wamp"]
    (seen,) = converse({"url": f"ws://127.0.0.1:{port}/", "call": [2, 40]})
    assert seen == {"received": [], "realm": "realm1", "result": 42}


def test_wamp_by_hand(sites: dict[str, int]) -> None:
    """WS-10: HELLO and WELCOME as they are on the wire, and no session for a client without the subprotocol."""
    url = f"ws://127.0.0.1:{sites['wamp']}/"
    with connect(url, subprotocols=["other", "wamp.2.json"]) as websocket:  # type: ignore[list-item]
        assert websocket.subprotocol == "wamp.2.json"
        websocket.send(json.dumps([1, "realm1", {"roles": {"caller": {}}}]))
        assert json.loads(websocket.recv(PATIENCE))[:2] == [2, 4711]
        websocket.send(json.dumps([48, 1, {}, "com.example.add", [1, 2, 3]]))
        assert json.loads(websocket.recv(PATIENCE)) == [50, 1, {}, [6]]
