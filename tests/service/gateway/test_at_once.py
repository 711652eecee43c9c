"""A route's upgrades need no request, where nothing of the route says otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from twisted.web.resource import Resource

from tests.memory import Memory, fields_of
from tests.service.gateway.support import placed
from tests.web.short import Ordinary, handshake
from upgradegw.events import access_events
from upgradegw.service.config.model import Otherwise, Respond
from upgradegw.service.gateway.building import build_routes
from upgradegw.service.gateway.table import RouteTable

APP = "websocket_app:factory"

#: Tables, the path that is asked for, and whether that needs no request.
TABLES: dict[str, tuple[list[dict[str, Any]], bytes, bool]] = {
    "one": ([{"path": "/chat", "websocket": APP}], b"/chat", True),
    "below": ([{"path": "/chat", "websocket": APP}], b"/chat/x?y", True),
    "the root": ([{"path": "/", "websocket": APP}], b"/", True),
    "exact": ([{"path": "/chat", "exact": True, "websocket": APP}], b"/chat", True),
    "beside exact": ([{"path": "/chat", "exact": True, "websocket": APP}], b"/chat/x", False),
    "its host": ([{"path": "/", "host": "a.example", "websocket": APP}], b"/", True),
    "another host": ([{"path": "/", "host": "b.example", "websocket": APP}], b"/", False),
    "the longest": (
        [{"path": "/", "respond": Respond(status=404)}, {"path": "/chat", "websocket": APP}],
        b"/chat",
        True,
    ),
    "limits": ([{"path": "/chat", "websocket": APP, "max_content": 1}], b"/chat", True),
    "otherwise": (
        [{"path": "/chat", "websocket": APP, "otherwise": Otherwise(respond=Respond(status=404))}],
        b"/chat",
        True,
    ),
    "fields": ([{"path": "/chat", "websocket": APP, "headers": {"X-Route": "chat"}}], b"/chat", False),
    "networks": ([{"path": "/chat", "websocket": APP, "allow": ["192.0.2.0/24"]}], b"/chat", False),
    "two readings": (
        [{"path": "/", "websocket": APP}, {"path": "/chat", "respond": Respond(status=403)}],
        b"//chat",
        False,
    ),
    "escapes": (
        [{"path": "/", "websocket": APP}, {"path": "/chat", "respond": Respond(status=403)}],
        b"/%63hat",
        False,
    ),
    "another kind": ([{"path": "/", "respond": Respond(status=404)}], b"/", False),
}

WEBSOCKET_APP = """
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol

def factory():
    made = WebSocketServerFactory()
    made.protocol = type("Application", (WebSocketServerProtocol,), {})
    return made
"""


@pytest.fixture(autouse=True)
def websocket_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An application that tables can name."""
    (tmp_path / "websocket_app.py").write_text(WEBSOCKET_APP)
    monkeypatch.syspath_prepend(str(tmp_path))


def answered(tables: list[dict[str, Any]], path: bytes, root: Any = None, **site: Any) -> list[Any]:
    """Ask for an upgrade, and return the answer and what the log says."""
    events: list[Any] = []
    table: Any = RouteTable(build_routes([placed(**each) for each in tables], None))
    if root is not None:
        root.putChild(b"deep", table)
    Memory(root or table, stock=True).send(handshake(path=path))  # an application is started by a request
    unsubscribe = access_events.subscribe(events.append)
    try:
        memory = Memory(root or table, **site)
        memory.send(handshake(path=path))
    finally:
        unsubscribe()
    return [memory.received, *((event["event"], event.get("route"), event.get("path")) for event in events)]


@pytest.mark.parametrize("name", TABLES)
def test_both_ways_lead_to_the_same(name: str, ways: list[bool]) -> None:
    """The answer, and the route that the log names, are those of a site that makes a request of each."""
    tables, path, short = TABLES[name]
    found = answered(tables, path)
    assert ways == [short]
    assert found == answered(tables, path, requestFactory=Ordinary)
    if short:
        assert found[0].startswith(b"HTTP/1.1 101 ")
        assert found[1][:2] == ("switch", found[1][1] or "no route is named")


def test_the_fields_of_a_route_are_on_its_switch() -> None:
    """What a route adds to its responses, it adds to a 101 as well."""
    response = answered(*TABLES["fields"][:2])[0]
    assert response.startswith(b"HTTP/1.1 101 ")
    assert fields_of(response)[b"x-route"] == b"chat"


def test_a_table_can_be_a_child(ways: list[bool]) -> None:
    """Paths are counted from where the table stands."""
    found = answered(TABLES["one"][0], b"/deep/chat/x", Resource())
    assert found[0].startswith(b"HTTP/1.1 101 ")
    assert ways == [True]
    assert found == answered(TABLES["one"][0], b"/deep/chat/x", Resource(), requestFactory=Ordinary)


class OwnTable(RouteTable):
    """Looks at each request before its routes do."""

    def getChildWithDefault(self, path: bytes, request: Any) -> Any:
        return Resource()


class Around(Resource):
    """Looks at each request before a table does, and passes all else on."""

    def __init__(self, table: RouteTable) -> None:
        super().__init__()
        self.table = table

    def __getattr__(self, name: str) -> Any:
        return getattr(self.table, name)

    def getChildWithDefault(self, path: bytes, request: Any) -> Any:
        return Resource()


@pytest.mark.parametrize("around", [OwnTable, lambda routes: Around(RouteTable(routes))])
def test_who_looks_before_a_table_is_asked(around: Any, ways: list[bool]) -> None:
    """What overrides how a table finds its routes, or stands before it, sees each request."""
    routes = build_routes([placed(path="/chat", websocket=APP)], None)
    Memory(RouteTable(routes), stock=True).send(handshake(path=b"/chat"))
    assert Memory(RouteTable(routes)).send(handshake(path=b"/chat")).startswith(b"HTTP/1.1 101 ")
    assert Memory(around(routes)).send(handshake(path=b"/chat"))[9:12] in {b"404", b"405"}
    assert ways == [True, False]
