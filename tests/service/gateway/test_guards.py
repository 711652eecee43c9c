"""Who may use a route."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from twisted.python.usage import UsageError

from tests.memory import WEBSOCKET, Memory
from tests.service.gateway.support import Reactor, Running, ask, placed, says, served
from upgradegw.interfaces import Allow, Deny
from upgradegw.service.config.model import BasicAuth, ForwardAuth
from upgradegw.service.gateway.building import build_routes
from upgradegw.service.gateway.table import RouteTable
from upgradegw.web.passwords import hash_password

HASH = hash_password("secret", log2_n=4)


def authorization(name: str, password: str) -> str:
    """The field that a browser sends."""
    return "Authorization: Basic " + b64encode(f"{name}:{password}".encode()).decode()


def status(memory: Any, target: str, *lines: str) -> int:
    """The status of an answer."""
    return int(ask(memory, target, "a.example", *lines)[9:12])


def test_networks() -> None:
    """Clients of other networks get 403, for all below the path."""
    memory = served(says("/a", "a", allow=("192.0.2.0/24",)), says("/b", "b", allow=("10.0.0.0/8",)), says("/", "c"))
    assert [status(memory, target) for target in ("/a", "/b/x", "/bc")] == [200, 403, 200]


def test_what_authorize_says_reaches_plain_requests_and_protocols(app: Any) -> None:
    """One function for both; its context is the protocol's."""
    app.check = lambda request: Allow(context="ann") if request.getHeader("x-key") else Deny(401)
    memory = served(
        says("/a", "a", authorize="routed_app:check"),
        placed(path="/ws", websocket="routed_app:ws", authorize="routed_app:check"),
    )
    assert [status(memory, "/a"), status(memory, "/a", "X-Key: 1"), status(memory, "/ws")] == [401, 200, 401]
    assert memory.send(WEBSOCKET.replace(b"\r\n\r\n", b"\r\nX-Key: 1\r\n\r\n")).startswith(b"HTTP/1.1 101 ")


def test_a_file_of_names_is_read_again_while_the_route_stays(tmp_path: Path) -> None:
    """Who is taken out of the file cannot come in any more after a reload, and tunnels stay."""
    file = tmp_path / "users"
    file.write_text(f"ann:{HASH}\n")
    table = says("/a", "a", basic_auth=BasicAuth(file=str(file)))
    chat = placed(path="/chat", websocket="routed_app:ws", basic_auth=BasicAuth(users={"bob": HASH}))
    running = Running(tmp_path, table, chat)
    route = running.gateway.routes[0]

    def asked(name: str) -> bytes:
        return ask(running, "/a", "a.example", authorization(name, "secret"))[9:12]

    assert [asked("ann"), asked("bob")] == [b"200", b"401"]
    file.write_text(f"bob:{HASH}\n")
    assert [asked("ann"), asked("bob")] == [b"200", b"401"]
    assert running.change(table, chat) == []
    assert running.gateway.routes[0] is route
    assert [asked("ann"), asked("bob")] == [b"401", b"200"]
    file.write_text("nonsense\n")
    with pytest.raises(UsageError, match=r'\[\[route\]\] \(/a\): key "basic_auth": .*users, line 1'):
        running.change(table, chat)
    assert asked("bob") == b"200"
    running.close()


def test_limits_are_found_behind_a_guard() -> None:
    """A-27: who may not pass cannot send more than who may."""
    memory = served(says("/a", "a", allow=("10.0.0.0/8",), max_content=3))
    post = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n1234"
    assert memory.send(post).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"allow": ("nobody",)}, 'key "allow": '),
        ({"basic_auth": BasicAuth()}, 'key "basic_auth": write either'),
        ({"basic_auth": BasicAuth(users={"a": HASH}, file="/x")}, 'key "basic_auth": write either'),
        ({"basic_auth": BasicAuth(file="/nowhere/at/all")}, 'key "basic_auth": .*nowhere'),
        ({"basic_auth": BasicAuth(users={"a": "plain"})}, 'key "basic_auth": '),
        ({"forward_auth": "ftp://x"}, 'key "forward_auth": '),
        ({"forward_auth": ForwardAuth(url="http://a/x", fields=("a b",))}, 'key "forward_auth": '),
        ({"authorize": "routed_app:number"}, 'key "authorize": routed_app:number cannot be called'),
        ({"authorize": "routed_app:nope"}, 'key "authorize": .* no attribute'),
    ],
)
def test_mistakes_name_table_and_key(keys: dict[str, Any], message: str) -> None:
    """A guard that would let pass the wrong, or nobody, is not made."""
    with pytest.raises(UsageError, match=message):
        build_routes([says("/a", "a", **keys)], Reactor())


def test_another_server_is_asked_first() -> None:
    """``forward_auth`` connects where it says, before anything is answered."""
    reactor = Reactor()
    for table in ("http://127.0.0.1:9/verify", ForwardAuth(url="http://127.0.0.1:9/verify", fields=("X-User",))):
        routes = build_routes([says("/a", "a", forward_auth=table)], reactor)
        assert ask(Memory(RouteTable(routes), clock=reactor), "/a") == b""
    assert [each[1] for each in reactor.tcpClients] == [9, 9]
