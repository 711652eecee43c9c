"""What belongs to a route: its name, its response fields, its limits."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.web.resource import Resource

from tests.memory import WEBSOCKET, Memory, fields_of
from tests.service.gateway.support import ask, placed, says, served
from upgradegw.http.subtrees import limit
from upgradegw.service.gateway.live import Limited, LiveRoute, key_of
from upgradegw.service.gateway.table import RouteTable


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        ({"path": "/chat"}, "/chat"),
        ({"path": "/chat", "host": "a.example"}, "a.example/chat"),
        ({"path": "/", "host": ("a.example", "*.b.example")}, "a.example,*.b.example/"),
        ({"path": "/x", "exact": True}, "= /x"),
    ],
)
def test_names(keys: dict[str, Any], name: str) -> None:
    """A route is called what it is for."""
    assert LiveRoute(placed(**keys)).name == name


def test_keys_are_what_no_two_routes_have_in_common() -> None:
    """A slash at the end makes no other route, unless it is exact; hosts come in any order."""
    assert key_of(placed(path="/a")) == key_of(placed(path="/a/"))
    assert key_of(placed(path="/a", exact=True)) != key_of(placed(path="/a/", exact=True))
    assert key_of(placed(path="/a")) != key_of(placed(path="/a", exact=True))
    assert key_of(placed(path="/", host=("a", "b"))) == key_of(placed(path="/", host=("b", "a")))


class Setting(Resource):
    """Sets fields of its own, before and while it answers."""

    isLeaf = True

    def render(self, request: Any) -> bytes:
        request.setHeader(b"X-Frame-Options", b"ALLOW")
        request.setHeader(b"X-Powered-By", b"me")
        request.write(b"1")
        return b"2"


def test_fields_stand_in_place_of_the_responses_own(app: Any) -> None:
    """What a route says of its responses holds whoever answers; a field without a value is taken away."""
    app.setting = Setting()
    fields = {"x-frame-options": "DENY", "X-Powered-By": "", "X-New": "é"}
    memory = served(placed(path="/", resource="routed_app:setting", headers=fields), says("/other", "x"))
    found = fields_of(ask(memory, "/"))
    assert (found[b"x-frame-options"], found[b"x-new"]) == (b"DENY", b"\xe9")
    assert b"x-powered-by" not in found
    assert b"x-new" not in fields_of(ask(memory, "/other"))


def test_fields_are_in_refusals_and_switches() -> None:
    """The 101 and the 426 of a route have its fields, too."""
    memory = served(placed(path="/ws", websocket="routed_app:ws", headers={"X-New": "1"}))
    assert b"\r\nX-New: 1\r\n" in ask(memory, "/ws")
    switched = memory.send(WEBSOCKET)
    assert switched.startswith(b"HTTP/1.1 101 ")
    assert b"\r\nX-New: 1\r\n" in switched


def test_a_resource_of_the_application_is_left_as_it_is() -> None:
    """The limits of a route do not stick to a resource that may stand elsewhere, too; its own count more."""
    tree = Resource()
    shown = Limited(tree, {"max_content": 5, "write_timeout": 9.0})
    assert not hasattr(tree, "upgradegw_limits")
    assert shown.upgradegw_limits == {"max_content": 5, "write_timeout": 9.0}
    child = Resource()
    tree.putChild(b"x", child)
    assert shown.getStaticEntity(b"x") is child
    assert Limited(limit(tree, max_content=7), {"max_content": 5}).upgradegw_limits == {"max_content": 7}


def test_a_request_knows_its_route() -> None:
    """For the access log and for metrics."""

    class Named(Resource):
        isLeaf = True

        def render(self, request: Any) -> bytes:
            return str(request.upgradegw_route).encode()

    live = LiveRoute(placed(path="/a", host="a.example"))
    live.answer(Named())
    assert ask(Memory(RouteTable([live])), "/a/b").endswith(b"a.example/a")
