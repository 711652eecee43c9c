"""Paths that try to leave their folder or their route, against a listening process."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.clients import get, websocket_request
from tests.support.process import Server, serving

OUTSIDE = [
    b"/../secret.txt",
    b"/sub/../../secret.txt",
    b"/..%2fsecret.txt",
    b"/%2e%2e/secret.txt",
    b"/%2e%2e%2fsecret.txt",
    b"/.%2e/secret.txt",
    b"/..%252fsecret.txt",
    b"/..\\secret.txt",
    b"/..%5csecret.txt",
    b"/%c0%ae%c0%ae/secret.txt",
    b"/..;/secret.txt",
    b"/ws/../secret.txt",
    b"/files/../../secret.txt",
    b"/files/..%2f..%2fsecret.txt",
    b"//etc/passwd",
    b"/etc/passwd",
    b"/%2fetc%2fpasswd",
    b"/files//etc/passwd",
    b"/../../../../../../etc/passwd",
    b"http://a.example/../secret.txt",
    b"/outside.txt",
    b"/files/outside.txt",
    b"/up/secret.txt",
    b"/.env",
    b"/files/.env",
    b"/%2eenv",
    b"/sub/.git/config",
    b"/page.html%00.txt",
    b"/%00",
    b"/.env%00.html",
    b"/page.html/../.env",
    b"/.",
    b"/..",
]


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    """A process that serves a folder at two paths, beside a WebSocket."""
    routes = ("--static", f"/={folder}", "--static", f"/files={folder}", "--static", f"/files2={folder / 'sub'}")
    (folder.parent / "chat.py").write_text(
        "from autobahn.twisted.websocket import WebSocketServerProtocol as Chat\n", encoding="ascii"
    )
    with serving("--websocket", "/ws=chat:Chat", *routes, folder=folder.parent) as running:
        yield running


def ask(server: Server, request: bytes) -> tuple[int, bytes]:
    """Return status and content of the only answer."""
    with server.connect() as connection:
        connection.sendall(request[:-2] + b"Connection: close\r\n\r\n")
        response = b""
        while data := connection.recv(1 << 16):
            response += data
    assert len(re.findall(rb"HTTP/1\.1 [0-9]{3} ", response)) == 1
    return int(response[9:12]), response.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("target", OUTSIDE)
def test_way_out(server: Server, demonstration: Server, target: bytes) -> None:
    """A-37: no way out of the folder and to nothing hidden in it: 400, 404, or the 426 of the WebSocket's path."""
    for place in (server, demonstration):
        for line in (b"Host: a.example", b"Range: bytes=0-"):
            status, content = ask(place, get(target, line))
            # Of the demonstration site, there is only the page.
            assert status in (400, 404, 426) or (place is demonstration and b"<title>" in content)
            assert b"secret" not in content
            assert b"root:" not in content


def test_listing(server: Server) -> None:
    """A-37: a folder without an index file is not found; one with an index file shows that."""
    for target in (b"/empty/", b"/sub/", b"/sub", b"/empty", b"/files/empty/", b"/files2/"):
        status, content = ask(server, get(target))
        assert status in (302, 404)
        assert b"page.html" not in content
        assert b"config" not in content
    assert ask(server, get(b"/files/")) == (200, b"index")
    assert ask(server, get(b"/files/page.html")) == (200, b"page")


def test_border_of_a_route(server: Server) -> None:
    """A-37: routes end at whole segments, before anything is resolved: below ``/ws`` there is only the WebSocket."""
    for target in (b"/ws", b"/ws/", b"/ws/x", b"/ws/../page.html", b"/ws/..%2fpage.html", b"/%77s", b"/ws?/page.html"):
        assert ask(server, get(target))[0] == 426, target
    assert ask(server, get(b"/ws%2fx"))[0] == 400  # another reading would give it to /ws
    for target in (b"/wsx", b"/WS", b"/w%73x", b"/filesx/page.html", b"/page.htmlx"):
        assert ask(server, get(target))[0] == 404, target


@pytest.mark.parametrize("target", [b"/wsx", b"/page.html", b"/sub/../ws", b"//ws", b"/./ws", b"/x/ws"])
def test_switch_elsewhere(server: Server, target: bytes) -> None:
    """A-37: a path that only looks like the WebSocket's is not switched."""
    with server.connect() as connection:
        connection.sendall(websocket_request(path=target))
        assert not connection.recv(1 << 16).startswith(b"HTTP/1.1 101")
