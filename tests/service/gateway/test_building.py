"""Routes made from their tables: what they name, and what is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.python.usage import UsageError
from twisted.web.wsgi import WSGIResource

from tests.memory import WEBSOCKET, fields_of, upgrade_request
from tests.service.gateway.support import Reactor, ask, content, placed, says, served
from upgradegw.proxy.resource import ProxyResource
from upgradegw.service.command_line import Wish, routes_of
from upgradegw.service.config.model import INSTALLED, Otherwise, Respond, Route
from upgradegw.service.gateway.building import build_route, build_routes


@pytest.mark.parametrize("name", ["ws", "WsProtocol", "configured", "twisted_ws", "TwistedWs"])
def test_websocket_takes_factories_protocols_and_upgrades(name: str) -> None:
    """A factory of Autobahn's or for twisted.web, a protocol class, or what ``websocket(…)`` made."""
    memory = served(placed(path="/ws", websocket=f"routed_app:{name}"))
    assert memory.send(WEBSOCKET).startswith(b"HTTP/1.1 101 ")


@pytest.mark.parametrize("attribute", ["factory", "Quiet", "feed"])
def test_upgrade_takes_factories_protocols_and_upgrades(attribute: str) -> None:
    """A factory, a Protocol subclass, or what ``stream(…)`` made for that token."""
    memory = served(placed(path="/feed/", upgrade={"feed/2": f"routed_app:{attribute}"}))
    assert memory.send(upgrade_request(b"feed/2", path=b"/feed")).startswith(b"HTTP/1.1 101 ")


BOTH = {"path": "/ws", "websocket": "routed_app:ws", "upgrade": {"feed/2": "routed_app:factory"}}


def test_one_path_combines_upgrades_and_a_plain_answer() -> None:
    """Two protocols and a resource on one path."""
    table = placed(**BOTH, otherwise=Otherwise(resource="routed_app:root"))
    assert content(served(table), "/ws/x") == b"root ws|x"
    assert served(table).send(WEBSOCKET).startswith(b"HTTP/1.1 101 ")
    assert b"\r\nUpgrade: feed/2\r\n" in served(table).send(upgrade_request(b"feed/2", path=b"/ws"))


def test_without_a_plain_answer_the_tokens_are_offered() -> None:
    """UP-13: a plain request learns all tokens."""
    answer = ask(served(placed(**BOTH)), "/ws")
    assert answer.startswith(b"HTTP/1.1 426 ")
    assert fields_of(answer)[b"upgrade"] == b"websocket, feed/2"


def test_settings_reach_the_websocket() -> None:
    """A route's keys are arguments of ``websocket``: here, whose pages may connect."""
    table = placed(path="/ws", websocket="routed_app:ws", origins=("https://b.example",))
    request = WEBSOCKET.replace(b"\r\n\r\n", b"\r\nOrigin: https://%b\r\n\r\n")
    assert served(table).send(request % b"b.example").startswith(b"HTTP/1.1 101 ")
    assert served(table).send(request % b"a.example").startswith(b"HTTP/1.1 403 ")


def test_connections_of_a_route_are_limited() -> None:
    """A-27: beyond ``max_connections`` a client is told to come again."""
    memory = served(placed(path="/ws", websocket="routed_app:ws", max_connections=1))
    assert memory.send(WEBSOCKET).startswith(b"HTTP/1.1 101 ")
    other = memory.connect()
    other.deliver(WEBSOCKET)
    assert other.value().startswith(b"HTTP/1.1 503 ")


def test_wsgi_runs_in_the_reactors_threads() -> None:
    """The application is used as it is, never called to make one."""
    assert isinstance(build_route(placed(path="/", wsgi="routed_app:wsgi"), Reactor()).resource, WSGIResource)


def test_a_proxy_has_what_the_route_says() -> None:
    """Keys become arguments, and the route knows its upstreams and ends its tunnels."""
    table = placed(
        path="/p",
        proxy=("http://127.0.0.1:1", "http://127.0.0.1:2/x"),
        upgrades=("tcp",),
        strip_path=True,
        proxy_host="upstream",
        forwarded="both",
        connect_timeout=1.5,
        max_response_head=4096,
    )
    live = build_route(table, Reactor())
    resource = live.resource
    assert isinstance(resource, ProxyResource)
    (asked,) = live.upstreams
    assert resource.asked is asked
    assert [str(address) for address in asked.addresses] == ["http://127.0.0.1:1", "http://127.0.0.1:2/x"]  # type: ignore[attr-defined]
    assert (asked.settings.connect_timeout, asked.settings.max_head) == (1.5, 4096)  # type: ignore[attr-defined]
    assert (resource.rules.strip_path, resource.rules.host, resource.rules.forwarded) == (True, "upstream", "both")
    live.close()


WHERE = "g.toml: [[route]] (/a)"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"static": "/nowhere/at/all"}, 'key "static": there is no folder'),
        ({"wsgi": "routed_app:number"}, 'key "wsgi": routed_app:number is no WSGI application'),
        ({"resource": "routed_app:wsgi"}, 'key "resource": routed_app:wsgi failed: TypeError'),
        ({"redirect": "nowhere"}, 'key "redirect": .* is no address'),
        ({"respond": Respond(status=204, content="x")}, 'key "respond": '),
        ({"proxy": "ftp://x"}, 'key "proxy": '),
        ({"proxy": "https://x", "proxy_host": "a b"}, "host='a b'"),
        ({"websocket": "routed_app:make_number"}, 'key "websocket": .* not a WebSocketServer'),
        ({"websocket": "routed_app:ws", "origins": ("nope",)}, 'key "websocket": '),
        ({"websocket": "routed_app:configured", "max_fragments": 3}, "give max_fragments= there"),
        ({"upgrade": {"feed/2": "routed_app:nope"}}, 'key "upgrade.feed/2": .* no attribute'),
        ({"upgrade": {"h2c": "routed_app:factory"}}, "names a version of HTTP"),
        ({"upgrade": {"other": "routed_app:feed"}}, "is an upgrade for the token feed/2"),
        ({"upgrade": {"websocket": "routed_app:factory"}}, "for WebSocket use"),
        ({"upgrade": {"nobody-brings-this": INSTALLED}}, "no installed package brings"),
        ({"upgrade": {"X": "routed_app:factory", "x": "routed_app:Quiet"}}, "served twice"),
        ({"host": "a:80", "redirect": "/"}, "without a port"),
        ({"redirect": "/", "headers": {"a b": "c"}}, 'key "headers": .* must not'),
        ({"redirect": "/", "headers": {"x": "a\r\nb: c"}}, 'key "headers": .* must not'),
        ({"redirect": "/", "headers": {"x": "€"}}, "in ASCII"),
        ({"redirect": "/", "headers": {"Transfer-Encoding": "x"}}, "is not for a route to set"),
    ],
)
def test_mistakes_name_table_and_key(keys: dict[str, Any], message: str) -> None:
    """A message says where the mistake is, and what it is."""
    with pytest.raises(UsageError, match=message) as caught:
        build_routes([placed(path="/a", **keys)], Reactor())
    assert str(caught.value).startswith(WHERE)


@pytest.mark.parametrize(
    "option",
    ["--static /a=/nowhere/at/all", "--upgrade /a=feed/2=routed_app:nope", "--websocket /a=routed_app:make_number"],
)
def test_mistakes_of_the_command_line_name_the_option(option: str) -> None:
    """The option is repeated as it was typed, with what is wrong."""
    tables = routes_of([Wish("--wsgi", "/a=routed_app:wsgi"), Wish(*option.split(" ", 1))][option[2] == "s" :])
    with pytest.raises(UsageError) as caught:
        build_routes(tables, Reactor())
    assert str(caught.value).startswith(f"{option}: ")


def test_a_mistake_in_otherwise_names_it() -> None:
    """The table of ``otherwise`` has a place of its own."""
    otherwise = Otherwise(static="/nowhere/at/all")
    otherwise.placed(f'{WHERE}: key "otherwise"', {"static": f'{WHERE}: key "otherwise.static"'})
    with pytest.raises(UsageError, match=r'key "otherwise.static": there is no folder'):
        build_routes([placed(path="/a", websocket="routed_app:ws", otherwise=otherwise)], Reactor())


def test_two_routes_in_one_place_are_a_mistake() -> None:
    """The same path for the same host, however it is written; an exact one is another path."""
    build_routes([says("/a", "1"), says("/a", "2", exact=True), says("/a", "3", host="a.example")], None)
    for one, other in (
        (says("/a", "1"), says("/a/", "2")),
        (says("/a", "1", host=("a.example", "b.example")), says("/a", "2", host="B.example.")),
    ):
        with pytest.raises(UsageError, match=r"^g.toml.*\(/a/?\): g.toml: .* has the same path"):
            build_routes([one, other], None)


def test_a_route_of_nothing_is_a_mistake() -> None:
    """There is no empty route."""
    with pytest.raises(UsageError, match="at least one upgrade"):
        build_route(Route(path="/"), None)
