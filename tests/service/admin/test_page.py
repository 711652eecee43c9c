"""The status page: what a person reads there, and what a client cannot put there."""

from __future__ import annotations

import re

import pytest

from tests.service.admin.support import Route, State, pages, tree
from upgradegw.proxy.upstreams import Upstreams
from upgradegw.service.admin.page import MAX_ROWS, duration, size
from upgradegw.testing import Client

HERE = [("Host", "127.0.0.1:9090")]


def tiles(page: str) -> dict[str, str]:
    """What is to be seen at a glance."""
    return dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page))


def test_routes_and_connections() -> None:
    """Each route with its upstreams and its connections, each connection with its two buttons."""
    with Client(tree()) as gateway, pages(State(gateway)) as admin:
        assert "No upgraded connection is open." in admin.get("/", HERE).content.decode()
        gateway.websocket("/ws")
        gateway.clock.advance(300)
        page = admin.get("/?sort=age", HERE).content.decode()
        assert "<td class=any>/ws</td><td class=any></td><td class=number>1</td>" in page
        upstream = '<span class="upstream">http://127.0.0.1:8001</span>'
        assert f"<td class=any>/echo</td><td class=any>{upstream}</td><td class=number>0</td>" in page
        assert 'aria-sort="descending"><a href="?sort=age">' in page
        assert page.count("<form ") == 1
        assert tiles(page) == {"Open now": "1", "Since the start": "1", "Running for": "5 min"}


def test_upstreams_that_are_watched() -> None:
    """One of several is up or down, in words and in colour, and has requests under way."""
    with Client(tree()) as gateway, pages(state := State(gateway)) as admin:
        watched = Upstreams(["http://192.0.2.1", "unix:/run/<b>.sock"], reactor=gateway.clock)
        up, down = watched._asked._members
        up.active = 2
        for _ in range(3):
            down.failed("no answer")
        state.routes = [Route("/ws", [watched])]
        page = admin.get("/", HERE).content.decode()
        assert '>http://192.0.2.1 <small class="good">up</small> <small>2 under way</small>' in page.replace(
            "</span>", ""
        )
        assert '>unix:/run/&lt;b&gt;.sock <small class="bad">down</small>' in page.replace("</span>", "")
        assert tiles(page)["Upstreams up"] == "<span class=bad>1 of 2</span>"


def test_routes_that_are_leaving() -> None:
    """They drain, with what is connected through them; one that was changed is there twice, each with its own."""
    with Client(tree()) as gateway, pages(state := State(gateway)) as admin:
        for _ in range(3):
            gateway.websocket("/ws")
        leaving = Route("/ws")
        leaving.drain.add(gateway.clock)
        state.leaving = [leaving]
        draining = (
            '<td class=any>/ws <span class="pill fair">draining</span></td><td class=any></td><td class=number>1</td>'
        )
        page = admin.get("/", HERE).content.decode()
        assert draining in page
        assert "<td class=any>/ws</td><td class=any></td><td class=number>2</td>" in page
        state.routes = []
        page = admin.get("/", HERE).content.decode()
        assert draining in page
        assert "<td class=any>/ws</td><td class=any></td><td class=number>2</td>" in page


def test_one_that_was_drained() -> None:
    """It says so as long as it takes its time, and can still be cut off."""
    with Client(tree()) as gateway, pages(state := State(gateway)) as admin:
        gateway.upgrade("echo", "/echo")
        (connection,) = state.live
        connection._going_away = lambda _code: None
        connection.drain()
        page = admin.get("/", HERE).content.decode()
        assert ("value=drain" in page, "value=end" in page, ">draining</span>" in page) == (False, True, True)


def test_what_clients_say_is_text() -> None:
    """Nothing that came from the wire is markup."""
    with Client(tree()) as gateway, pages(State(gateway)) as admin:
        gateway.websocket("/ws/<script>alert(1)</script>&'\"")
        page = admin.get("/", HERE).content.decode()
        assert "<script" not in page
        assert "&lt;script&gt;" in page


def test_its_policy_lets_nothing_run() -> None:
    """The page has no script, its policy allows none, and its forms go nowhere else."""
    with Client(tree()) as gateway, pages(State(gateway)) as admin:
        answer = admin.get("/", HERE)
        policy = (answer.get("content-security-policy") or b"").decode()
        assert policy
        assert "script-src" not in policy
        assert "form-action 'self'" in policy
        assert "unsafe" not in policy


def test_very_many_connections_are_not_all_shown() -> None:
    """The page stays one that a browser can show; it says how many more there are."""
    with Client(tree()) as gateway, pages(State(gateway)) as admin:
        for _ in range(MAX_ROWS + 3):
            gateway.upgrade("echo", "/echo")
        page = admin.get("/", HERE).content.decode()
        assert page.count("<form ") == MAX_ROWS
        assert "3 more are in the JSON." in page


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (119.4, "119 s"), (120, "2 min"), (7199, "120 min"), (7200, "2.0 h"), (172_800, "2.0 d")],
)
def test_times(seconds: float, text: str) -> None:
    """A time has the unit in which it is read."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (1 << 40, "1.0 TiB")]
)
def test_sizes(count: int, text: str) -> None:
    """A number of bytes has the unit in which it is read."""
    assert size(count) == text
