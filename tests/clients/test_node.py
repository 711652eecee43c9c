"""Node.js as a client of the demonstration site: its WebSocket, and its http client's ``upgrade`` event."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import CertificateFiles
from tests.clients.support import run_tool, tool
from tests.support.process import Server

SCRIPTS = Path(__file__).with_name("node")


def node(script: str, *arguments: str, options: tuple[str, ...] = (), authority: Path | None = None) -> Any:
    """Run a script and return what it printed, which is JSON."""
    environment = {**os.environ, "NODE_NO_WARNINGS": "1"}
    if authority is not None:
        environment["NODE_EXTRA_CA_CERTS"] = str(authority)
    done = run_tool([tool("node", "nodejs"), *options, str(SCRIPTS / script), *arguments], env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def websocket_options() -> tuple[str, ...]:
    """Return what makes Node have a WebSocket: nothing as of 22, an option in 20.10 and later."""
    for options in ((), ("--experimental-websocket",)):
        done = run_tool([tool("node", "nodejs"), *options, "--print", "typeof WebSocket"])
        if done.stdout.strip() == "function":
            return options
    pytest.skip("this Node.js has no WebSocket; 20.10 is the first that has")


def check(seen: Any, *, secure: bool) -> None:
    """Check what the script saw."""
    report = seen.pop("report")
    assert (report["http_version"], report["secure"]) == ("HTTP/1.1", secure)
    assert seen.pop("extensions") in ("", "permessage-deflate")
    assert seen.pop("protocol") == "demo.upgradegw"
    assert seen.pop("received") == [5, [0, 1, 254, 255], 100000]
    assert seen["close"]["code"] == 1009


def test_the_websocket_of_node(demonstration: Server) -> None:
    """WS-10, WS-18: Node's WebSocket opens with a subprotocol, echoes, and is told 1009 for too large a message."""
    url = f"ws://127.0.0.1:{demonstration.port}/ws"
    check(node("websocket.js", url, "demo.upgradegw", options=websocket_options()), secure=False)


def test_the_websocket_of_node_over_tls(secure_demonstration: Server, certificate: CertificateFiles) -> None:
    """The same over TLS, the certificate checked."""
    url = f"wss://localhost:{secure_demonstration.port}/ws"
    seen = node("websocket.js", url, "demo.upgradegw", options=websocket_options(), authority=certificate.cert)
    check(seen, secure=True)


def test_the_upgrade_event_of_node(demonstration: Server) -> None:
    """WS-22, UP-01: bytes behind the request and bytes behind the switch come back in order over Node's socket."""
    seen = node("echo.js", f"http://127.0.0.1:{demonstration.port}/echo")
    assert seen == {"status": 101, "upgrade": "echo", "connection": "Upgrade", "received": "leading and more"}


def test_the_upgrade_event_of_node_over_tls(secure_demonstration: Server, certificate: CertificateFiles) -> None:
    """The same over TLS."""
    seen = node("echo.js", f"https://localhost:{secure_demonstration.port}/echo", authority=certificate.cert)
    assert (seen["status"], seen["received"]) == (101, "leading and more")


def test_node_sees_426_for_another_token(demonstration: Server) -> None:
    """UP-03: what is not served is an ordinary response for Node, no ``upgrade`` event."""
    assert node("echo.js", f"http://127.0.0.1:{demonstration.port}/ws") == {"status": 426}
