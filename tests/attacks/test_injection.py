"""Words of a client, or of an application that repeats them, where they could do harm: responses, caches, the log."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from autobahn.websocket.types import ConnectionAccept, ConnectionDeny

from tests.attacks.clients import get, websocket_request
from tests.attacks.conftest import Serve
from tests.attacks.tree import Tree
from tests.memory import fields_of
from tests.protocols_for_tests import RecorderFactory
from tests.support.process import Server, serving
from upgradegw.interfaces import Allow, Deny
from upgradegw.protocols.stream import stream
from upgradegw.web.resource import UpgradeResource

EVIL = "x\r\nSet-Cookie: evil=1\r\n\r\nHTTP/1.1 200 OK\r\n"
NEL = "x\x85Set-Cookie: evil=1"


def _denial(code: int, reason: str, **headers: str) -> ConnectionDeny:
    denial = ConnectionDeny(code, reason)
    denial.headers = headers
    return denial


def _raise(denial: Exception) -> Any:
    raise denial


ANSWERS = {
    "subprotocol": lambda _request: "chat" + EVIL,
    "subprotocol of a pair": lambda _request: ("chat" + EVIL, {}),
    "field value": lambda _request: (None, {"X-Name": EVIL}),
    "field name": lambda _request: (None, {EVIL: "x"}),
    "one of several values": lambda _request: ConnectionAccept(headers={"X-Name": ["x", EVIL]}),
    "NUL": lambda _request: (None, {"X-Name": "a\0b"}),
    "redirect": lambda _request: _raise(ConnectionDeny(302, "https://a.example/" + EVIL)),
    "field of a denial": lambda _request: _raise(_denial(401, "", **{"WWW-Authenticate": EVIL})),
    "reserved field": lambda _request: (None, {"Sec-WebSocket-Accept": "x", "Content-Length": "5"}),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_on_connect_says(anywhere: Serve, logged: list[str], name: str) -> None:
    """A-35: line ends in what ``onConnect`` returns or raises: 500, a traceback in the log, nothing of it is sent."""
    place = anywhere()
    place.root.chat.answer = ANSWERS[name]
    client = place.ask(websocket_request(b"Sec-WebSocket-Protocol: chat"))
    assert client.statuses == [500]
    assert b"evil" not in client.received
    assert len(logged) == 1
    logged.clear()
    place.root.chat.answer = None
    place.open_websocket()


PERMISSIONS = {
    "field of a permission": Allow(fields=((b"X-Name", EVIL.encode()),)),
    "name in a permission": Allow(fields=((EVIL.encode(), b"x"),)),
    "field of a denial": Deny(403, ((b"Location", EVIL.encode()),)),
}


@pytest.mark.parametrize("name", PERMISSIONS)
def test_what_authorize_says(anywhere: Serve, clock: Any, logged: list[str], name: str) -> None:
    """A-35: the same for ``authorize``."""
    place = anywhere(Tree(clock, lambda _request: PERMISSIONS[name]))
    client = place.ask(websocket_request())
    assert client.statuses == [500]
    assert b"evil" not in client.received
    assert len(logged) == 1
    logged.clear()


def test_what_a_stream_says(anywhere: Serve, clock: Any, logged: list[str]) -> None:
    """A-35: and for fields that a stream computes; those that are given are refused where they are written."""
    tree = Tree(clock)
    upgrade = stream("evil", RecorderFactory(), fields=lambda info: [("X-Name", EVIL)])
    tree.putChild(b"evil", UpgradeResource([upgrade]))
    client = anywhere(tree).ask(get(b"/evil", b"Connection: Upgrade", b"Upgrade: evil"))
    assert client.statuses == [500]
    assert b"evil" not in client.received
    logged.clear()
    for arguments in ({"fields": [("X-Name", EVIL)]}, {"reason": EVIL}):
        with pytest.raises(ValueError, match="control characters"):
            stream("evil", RecorderFactory(), **arguments)  # type: ignore[arg-type]


CANARY = b"c4n4ry"

REFLECTED = {
    "target": (get(b"/ws?" + CANARY), 426),
    "token": (get(b"/ws", b"Connection: Upgrade", b"Upgrade: " + CANARY), 426),
    "version": (websocket_request().replace(b"Version: 13", b"Version: " + CANARY), 426),
    "key": (websocket_request().replace(b"dGhl", CANARY), 400),
    "subprotocol": (websocket_request(b"Sec-WebSocket-Protocol: " + CANARY + b"()"), 400),
    "origin": (websocket_request(b"Origin: https://" + CANARY), 403),
    "method": (get(b"/ws", method=CANARY), 405),
    "option": (websocket_request(b"Connection: x-forwarded-" + CANARY), 400),
}
#: Of the channel's own answers.
REFLECTED_BY_CHANNEL = {
    "request line": (b"GET /" + CANARY + b" evil HTTP/1.1\r\nHost: a.example\r\n\r\n", 400),
    "host": (get(b"/", b"Host: <" + CANARY + b">"), 400),
    "foreign host": (get(b"/", b"Host: " + CANARY), 421),
    "coding": (get(b"/", b"Transfer-Encoding: " + CANARY), 501),
    "HTTP version": (get(b"/" + CANARY, version=b"2.0"), 505),
    "long target": (get(b"/" + CANARY * 2000), 414),
    "large head": (get(b"/", b"X: " + CANARY * 4000), 431),
    "connect": (get(CANARY + b":443", method=b"CONNECT"), 405),
}


@pytest.mark.parametrize("name", REFLECTED)
def test_no_answer_for_a_cache(anywhere: Serve, name: str) -> None:
    """A-41: refusals say nothing that the client said, may not be stored, and name their type."""
    request, status = REFLECTED[name]
    client = anywhere().ask(request)
    assert client.statuses == [status]
    _is_fixed_text(client.received)


@pytest.mark.parametrize("name", REFLECTED_BY_CHANNEL)
def test_no_answer_of_the_channel_for_a_cache(ours: Serve, name: str) -> None:
    """A-41: the same for what is refused before there is a request."""
    request, status = REFLECTED_BY_CHANNEL[name]
    client = ours(allowed_hosts=["a.example"]).ask(request)
    client.refused(status)
    _is_fixed_text(client.received)


def _is_fixed_text(response: bytes) -> None:
    assert CANARY not in response
    fields = fields_of(response)
    assert fields[b"cache-control"] == b"no-store"
    assert fields[b"content-type"] == b"text/plain; charset=utf-8"
    assert b"location" not in fields


@pytest.mark.parametrize(
    "query", [b"redirect=https%3A%2F%2Fevil.example%2F", b"redirect=//evil.example&after=1", b"redirect=/ws"]
)
def test_no_open_redirect(anywhere: Serve, query: bytes) -> None:
    """A-42: a query cannot make a redirect, a page or a timed reload of a WebSocket's path."""
    place = anywhere()
    for request in (get(b"/ws?" + query), get(b"/ws/?" + query), get(b"/ws?" + query, b"Upgrade: websocket")):
        client = place.ask(request)
        assert client.statuses == [426]
        assert b"evil" not in client.received
        assert not {b"location", b"refresh"} & set(fields_of(client.received))


def test_no_open_redirect_on_a_process(demonstration: Server, folder: Path) -> None:
    """A-42: nor does a folder's redirect lead to another host."""
    assert _ask(demonstration, get(b"/ws?redirect=https%3A%2F%2Fevil.example%2F")).startswith(b"HTTP/1.1 426 ")
    with serving("--static", f"/={folder}") as server:
        for target in (b"//evil.example/sub", b"/sub", b"//evil.example/..%2fsub", b"/\\evil.example/sub"):
            response = _ask(server, get(target, b"Host: a.example"))
            location = fields_of(response).get(b"location", b"")
            assert not location.startswith((b"//", b"/\\", b"http")), target


HOSTILE = [
    b"\x1b]0;owned\x07\x1b[2J",
    b'" 200 0 "-" "-" forged="',
    b"\x9b31m\xc2\x9b\xc2\x85\xe2\x80\xa8 forged",
    b"a\\x0d\\x0aforged",
    b"x" * 6000,
]


def _ask(server: Server, request: bytes) -> bytes:
    with server.connect() as connection:
        connection.sendall(request)
        return connection.recv(1 << 16)


@pytest.mark.parametrize("target", ["file", "standard output"])
def test_hostile_words_in_the_log(tmp_path: Path, target: str) -> None:
    """A-36: terminal controls, quotes, line ends and long values: printable lines of bounded length, one a request."""
    path = tmp_path / "access.log"
    options = ("--access-log", str(path)) if target == "file" else ()
    asked = 0
    with serving(*options, folder=tmp_path) as server:
        for word in HOSTILE:
            for request in (
                get(b"/", b"User-Agent: " + word, b"Referer: " + word),
                get(b"/ws?" + word.replace(b" ", b"+")),
                websocket_request(b"Origin: " + word),
                websocket_request(b"Sec-WebSocket-Protocol: ()" + word),
                get(b"/", b"Host: " + word),
                word + b" / HTTP/1.1\r\n\r\n",
            ):
                assert 101 not in _statuses(_ask(server, request))
                asked += 1
        server.stop()
        lines = path.read_bytes().decode("latin-1") if target == "file" else server.text
    assert re.fullmatch(r"[ -~\n]*", lines)
    access = [line for line in lines.splitlines() if " id=" in line]
    assert len(access) == asked
    assert max(map(len, access)) < 6 * 1024
    assert not any("forged=" in re.sub(r'"[^"]*"', "", line) for line in access)


def _statuses(response: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", response)]
