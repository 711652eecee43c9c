"""The operator's pages: who may ask, what they say, and how a connection is ended from them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.service.admin.support import State, pages, tree
from upgradegw.testing import Client

HERE = [("Host", "127.0.0.1:9090")]


@pytest.fixture
def gateway() -> Iterator[Client]:
    """The server that the pages are about."""
    with Client(tree()) as client:
        yield client


def act(admin: Client, number: object, action: str, secret: str, fields: list[tuple[str, str]] | None = None) -> int:
    """Send the form of a line; return the status."""
    fields = [*(fields or HERE), ("Content-Type", "application/x-www-form-urlencoded")]
    content = urlencode({"action": action, "secret": secret}).encode()
    return admin.request("POST", f"/connections/{number}", fields, content).status


def secret_of(admin: Client) -> str:
    """What the page's forms send back."""
    found = re.search(r'name=secret value="([^"]+)"', admin.get("/", HERE).content.decode())
    assert found is not None
    return found[1]


def test_alive_and_ready(gateway: Client) -> None:
    """/healthz is 200 as long as the process answers; /readyz is 503 from the stop on."""
    state = State(gateway)
    with pages(state) as admin:
        assert (admin.get("/healthz").status, admin.get("/readyz").status) == (200, 200)
        state.ready = False
        assert (admin.get("/healthz").status, admin.get("/readyz").status) == (200, 503)
        assert "stopping" in admin.get("/", HERE).content.decode()


@pytest.mark.parametrize("path", ["/", "/connections.json", "/metrics", "/healthz", "/readyz", "/connections/1"])
def test_strangers_get_nothing(gateway: Client, path: str) -> None:
    """Whoever is not in an allowed network gets 403, whatever is asked and whatever X-Forwarded-For says."""
    with pages(State(gateway), allow=("127.0.0.0/8",)) as admin:
        assert admin.get(path, [*HERE, ("X-Forwarded-For", "127.0.0.1")]).status == 403


@pytest.mark.parametrize("path", ["/", "/connections.json", "/connections/1"])
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example"])
def test_a_strangers_name_shows_no_page(gateway: Client, path: str, host: str) -> None:
    """A page of another site whose name was made to lead here (DNS rebinding) reads no table and ends nobody."""
    with pages(State(gateway)) as admin:
        assert admin.get(path, [("Host", host)]).status == 421
        assert admin.request("POST", path, [("Host", host)]).status in (405, 421)


@pytest.mark.parametrize("host", ["127.0.0.1:9090", "[::1]:9090", "localhost", "10.1.2.3"])
def test_addresses_and_localhost_show_it(gateway: Client, host: str) -> None:
    """Under an address or localhost the page is there."""
    with pages(State(gateway)) as admin:
        assert admin.get("/", [("Host", host)]).status == 200


def test_metrics_and_probes_are_asked_under_any_name(gateway: Client) -> None:
    """Prometheus and load balancers ask by names of services."""
    with pages(State(gateway)) as admin:
        for path in ("/metrics", "/healthz", "/readyz"):
            assert admin.get(path, [("Host", "gateway.internal:9090")]).status == 200


def test_the_table(gateway: Client) -> None:
    """The JSON has a line for each connection, with what it is and what went through."""
    state = State(gateway)
    socket = gateway.websocket("/ws")
    gateway.upgrade("echo", "/echo")
    socket.send("tea")
    gateway.clock.advance(3)
    with pages(state) as admin:
        table = json.loads(admin.get("/connections.json", HERE).content)
    assert [(row["number"], row["route"], row["token"]) for row in table] == [
        (1, "/ws", "websocket"),
        (2, "/echo", "echo"),
    ]
    assert table[0] | {"age": 3.0, "bytes_in": 9, "bytes_out": 5, "http_version": "HTTP/1.1"} == table[0]


def test_the_table_is_sorted_as_asked(gateway: Client) -> None:
    """By any column; by what is no column, by number."""
    state = State(gateway)
    gateway.upgrade("echo", "/echo")
    gateway.clock.advance(5)
    gateway.websocket("/ws").send("tea")
    with pages(state) as admin:
        for order, numbers in {"age": [1, 2], "bytes_in": [2, 1], "token": [1, 2], "nonsense": [1, 2]}.items():
            table = json.loads(admin.get(f"/connections.json?sort={order}", HERE).content)
            assert [row["number"] for row in table] == numbers, order


def test_one_is_drained_and_one_is_ended(gateway: Client) -> None:
    """The forms of the page end one connection each, in order or at once, and lead back to the page."""
    state = State(gateway)
    sockets = [gateway.websocket("/ws") for _ in range(3)]
    with pages(state) as admin:
        secret = secret_of(admin)
        assert act(admin, 1, "drain", secret) == 303
        assert act(admin, 2, "end", secret) == 303
        assert [socket.close_code for socket in sockets] == [1001, 1006, None]
        assert act(admin, 2, "end", secret) == 303


@pytest.mark.parametrize(
    ("number", "action", "secret", "status"),
    [
        *((1, "drain", "", 403), (1, "drain", "wrong", 403), (1, "", None, 400), (1, "explode", None, 400)),
        *(("x", "end", None, 303), (9, "end", None, 303), ("9" * 400, "end", None, 303)),
    ],
)
def test_other_forms_end_nobody(gateway: Client, number: object, action: str, secret: str | None, status: int) -> None:
    """Without the page's secret, another action, or for a connection that is not there: nothing happens."""
    state = State(gateway)
    socket = gateway.websocket("/ws")
    with pages(state) as admin:
        known = secret_of(admin)
        assert act(admin, number, action, known if secret is None else secret) == status
    assert not socket.closed


@pytest.mark.parametrize(
    "content", [b"&".join(b"a=1" for _ in range(9)), b"secret=\xff", b"action=%FF&secret=%FF", b""]
)
def test_what_is_no_form_ends_nobody(gateway: Client, content: bytes) -> None:
    """Too many fields, and bytes that are no text, are refused as what they are."""
    state = State(gateway)
    socket = gateway.websocket("/ws")
    fields = [*HERE, ("Content-Type", "application/x-www-form-urlencoded")]
    with pages(state) as admin:
        assert admin.request("POST", "/connections/1", fields, content).status in (400, 403)
    assert not socket.closed


def test_methods(gateway: Client) -> None:
    """Pages are read, connections are ended by POST, and nothing else is there."""
    with pages(State(gateway)) as admin:
        assert admin.request("POST", "/", HERE).status == 405
        assert admin.get("/connections/1", HERE).status == 405
        assert admin.get("/nothing", HERE).status == 404
        assert admin.request("HEAD", "/healthz").status == 200
