"""Quick routes: paths, precedence, combinations and contradictions."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.protocol import Protocol
from twisted.python.threadpool import ThreadPool
from twisted.python.usage import UsageError
from twisted.web.resource import Resource
from twisted.web.wsgi import WSGIResource

from tests.memory import WEBSOCKET, Memory, content_of, fields_of, upgrade_request
from tests.protocols.twisted_applications import Application, ApplicationFactory
from tests.protocols_for_tests import RecorderFactory
from upgradegw.http.limits import Limits
from upgradegw.http.subtrees import limit, limits_for
from upgradegw.protocols.stream import stream
from upgradegw.protocols.websocket import websocket
from upgradegw.service.routes import Route, RouteTable, Wish, parse_path, resolve, table


class Place(Resource):
    """Says its name and where it was found."""

    isLeaf = True

    def __init__(self, name: bytes = b"place") -> None:
        super().__init__()
        self.name = name

    def render(self, request: Any) -> bytes:
        return self.name + b" " + b"/".join(request.prepath) + b"|" + b"/".join(request.postpath)


class Tree(Resource):
    """Has one child, ``leaf``."""

    def __init__(self) -> None:
        super().__init__()
        self.putChild(b"leaf", Place(b"leaf"))

    def render(self, request: Any) -> bytes:
        return b"tree"


class Quiet(Protocol):
    """A protocol that says nothing."""


def websocket_factory() -> WebSocketServerFactory:
    """An Autobahn factory as a user writes it."""
    factory = WebSocketServerFactory()
    factory.protocol = WebSocketServerProtocol
    return factory


@pytest.fixture(autouse=True)
def app(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of the user's, ``routed_app``."""
    module = ModuleType("routed_app")
    monkeypatch.setitem(sys.modules, "routed_app", module)
    vars(module).update(
        root=Place(b"root"),
        inner=Place(b"inner"),
        tree=Tree(),
        Tree=Tree,
        factory=RecorderFactory(),
        Quiet=Quiet,
        feed=stream("feed/2", RecorderFactory()),
        ws=websocket_factory(),
        WsProtocol=WebSocketServerProtocol,
        configured=websocket(websocket_factory()),
        twisted_ws=ApplicationFactory(lambda _request: Application()),
        TwistedWs=type("TwistedWs", (), {"buildProtocol": lambda _self, _request: Application()}),
        wsgi=lambda _environ, _start: [b""],
        number=7,
        make_number=lambda: 7,
    )
    return module


def wishes(*options: str) -> list[Wish]:
    """Make wishes from ``--option value`` texts."""
    return [Wish(*option.split(" ", 1)) for option in options]


def site(*options: str) -> Memory:
    """Serve some routes."""
    return Memory(table(resolve(wishes(*options)), None))


def get(target: str, *options: str) -> tuple[int, bytes]:
    """Ask for a target; return status and content."""
    memory = site(*options)
    memory.send(f"GET {target} HTTP/1.1\r\nHost: a.example\r\n\r\n".encode())
    return memory.status, content_of(memory.received)


NESTED = ("--resource /=routed_app:root", "--resource /a/b=routed_app:inner")


@pytest.mark.parametrize(
    ("target", "content"),
    [
        ("/", b"root |"),
        ("/a", b"root |a"),
        ("/a/", b"root |a/"),
        ("/a/bc", b"root |a/bc"),
        ("/a/b", b"inner a/b|"),
        ("/a/b/", b"inner a/b|"),
        ("/a/b/c", b"inner a/b|c"),
        ("/a/%62/c?x=/y", b"inner a/b|c"),
        ("/a%2fb", b"root |a/b"),
        ("//a/b", b"root |/a/b"),
    ],
)
def test_the_longest_path_wins_by_whole_segments(target: str, content: bytes) -> None:
    """A route serves its path and all below it; a name that merely begins alike is another name."""
    assert get(target, *NESTED) == (200, content)


def test_without_a_route_there_is_nothing() -> None:
    """A path outside of all routes is not found."""
    assert get("/x", "--resource /a=routed_app:root")[0] == 404
    assert get("/", "--resource /a=routed_app:root")[0] == 404


def test_below_a_route_twisteds_rules_hold() -> None:
    """A resource with children is traversed as anywhere else."""
    options = ("--resource /t=routed_app:Tree",)
    assert get("/t", *options) == (200, b"tree")
    assert get("/t/leaf/x", *options) == (200, b"leaf t/leaf|x")
    assert get("/t/other", *options)[0] == 404


def test_a_table_can_be_a_child() -> None:
    """Paths are counted from where the table stands."""
    root = Resource()
    root.putChild(b"deep", table(resolve(wishes(*NESTED)), None))
    memory = Memory(root)
    memory.send(b"GET /deep/a/b/c HTTP/1.1\r\nHost: a.example\r\n\r\n")
    assert content_of(memory.received) == b"inner deep/a/b|c"


@pytest.mark.parametrize(
    "option",
    [f"--websocket /ws=routed_app:{name}" for name in ("ws", "WsProtocol", "configured", "twisted_ws", "TwistedWs")],
)
def test_websocket_takes_factories_protocols_and_upgrades(option: str) -> None:
    """A factory of Autobahn's or for twisted.web, a protocol class, or what ``websocket(…)`` made."""
    memory = site(option)
    assert memory.send(WEBSOCKET).startswith(b"HTTP/1.1 101 ")


@pytest.mark.parametrize("attribute", ["factory", "Quiet", "feed"])
def test_upgrade_takes_factories_protocols_and_upgrades(attribute: str) -> None:
    """A factory, a Protocol subclass, or what ``stream(…)`` made for that token."""
    memory = site(f"--upgrade /feed/=feed/2=routed_app:{attribute}")
    assert memory.send(upgrade_request(b"feed/2", path=b"/feed")).startswith(b"HTTP/1.1 101 ")


def test_one_path_combines_upgrades_and_a_plain_answer() -> None:
    """Two protocols and a resource on one path, in any order of options."""
    options = (
        "--resource /ws=routed_app:root",
        "--upgrade /ws=feed/2=routed_app:factory",
        "--websocket /ws/=routed_app:ws",
    )
    assert get("/ws/x", *options) == (200, b"root ws|x")
    assert site(*options).send(WEBSOCKET).startswith(b"HTTP/1.1 101 ")
    assert b"\r\nUpgrade: feed/2\r\n" in site(*options).send(upgrade_request(b"feed/2", path=b"/ws"))


def test_without_a_plain_answer_the_tokens_are_offered() -> None:
    """UP-13: a plain request learns all tokens, in the order of the options."""
    memory = site("--upgrade /ws=feed/2=routed_app:factory", "--websocket /ws=routed_app:ws")
    memory.send(b"GET /ws HTTP/1.1\r\nHost: a.example\r\n\r\n")
    assert (memory.status, fields_of(memory.received)[b"upgrade"]) == (426, b"feed/2, websocket")


def test_wsgi_runs_in_the_reactors_threads() -> None:
    """The application is used as it is, never called to make one."""

    class Reactor:
        def getThreadPool(self) -> ThreadPool:
            return ThreadPool()

    route = resolve(wishes("--wsgi /=routed_app:wsgi"))[()]
    assert isinstance(route.resource(Reactor()), WSGIResource)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--static /a=/", "--resource /a/=routed_app:root"], "this path already has --static /a=/"),
        (["--wsgi /=routed_app:wsgi", "--wsgi /=routed_app:wsgi"], "already has --wsgi"),
        (["--websocket /a=routed_app:ws"] * 2, "already has an upgrade for the token websocket"),
        (["--upgrade /a=X=routed_app:factory", "--upgrade /a=x=routed_app:Quiet"], "already has .* token x"),
        (["--static /a=/nowhere/at/all"], "there is no folder '/nowhere/at/all'"),
        (["--static /a"], "write PATH="),
        (["--static /a="], "write PATH="),
        (["--upgrade /a=feed/2=routed_app:nope"], "has no attribute 'nope'"),
        (["--upgrade /a=fe ed=routed_app:factory"], "is no upgrade token"),
        (["--upgrade /a=h2c=routed_app:factory"], "names a version of HTTP"),
        (["--upgrade /a=other=routed_app:feed"], "is an upgrade for the token feed/2"),
        (["--upgrade /a=websocket=routed_app:factory"], "for WebSocket use --websocket"),
        (["--upgrade /a=x=routed_app:ws"], "is an Autobahn factory: use --websocket /?PATH=routed_app:ws"),
        (["--upgrade /a=nobody-brings-this"], "no installed package brings"),
        (["--upgrade /a=x=routed_app:number"], "is an object of type int, not a protocol factory"),
        (
            ["--websocket /a=routed_app:make_number"],
            "returned an object of type int, not a WebSocketServer",
        ),
        (["--wsgi /a=routed_app:number"], "is no WSGI application"),
        (["--resource /a=routed_app:wsgi"], "failed: TypeError"),
    ],
)
def test_contradictions_and_mistakes_name_their_option(options: list[str], message: str) -> None:
    """The option that cannot be is repeated as it was typed, with what is wrong."""
    with pytest.raises(UsageError, match=message) as caught:
        resolve(wishes(*options))
    assert str(caught.value).startswith(options[-1])


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("a", "must begin with a slash"),
        ("", "must begin with a slash"),
        ("/a//b", "empty segments"),
        ("/a/../b", "must not hold"),
        ("/./a", "must not hold"),
        ("/a?x", "percent escapes"),
        ("/a%20b", "percent escapes"),
    ],
)
def test_paths_that_match_nothing_are_refused(path: str, message: str) -> None:
    """A route that no request could reach is a mistake."""
    with pytest.raises(UsageError, match=message):
        parse_path(path)


@given(st.lists(st.text(alphabet="abcé ", min_size=1), max_size=4), st.booleans())
def test_paths_are_segments(segments: list[str], slash: bool) -> None:
    """A path is its segments in UTF-8; a slash at the end makes no difference."""
    path = "/" + "/".join(segments) + "/" * (slash and bool(segments))
    assert parse_path(path) == tuple(segment.encode() for segment in segments)


def test_a_route_of_nothing_is_a_mistake() -> None:
    """There is no empty route."""
    with pytest.raises(ValueError, match="at least one upgrade"):
        Route().resource(None)


def test_limits_of_a_subtree_hold_below_routes() -> None:
    """A-27: a resource that an option names sets limits for what is below it, and for no route with a longer path."""
    upload, other = Resource(), Resource()
    upload.putChild(b"big", limit(Resource(), max_content=50))
    routes = RouteTable({(): limit(upload, max_content=5), (b"big", b"chat"): other})
    found = {
        path: limits_for(routes, path, Limits())[0].max_content for path in (b"/", b"/x", b"/big/x", b"/big/chat/x")
    }
    assert found == {b"/": 5, b"/x": 5, b"/big/x": 50, b"/big/chat/x": Limits().max_content}
    assert limits_for(RouteTable({(b"a",): other}), b"/b", Limits()) == (Limits(), False)
