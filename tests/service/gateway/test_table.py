"""Which route a request belongs to."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.web.resource import Resource

from tests.http2.client import Client, data, fields
from tests.http2.reading import length
from tests.memory import WEBSOCKET, Memory, content_of
from tests.service.gateway.support import Reactor, ask, content, placed, says, served
from upgradegw.http.limits import Limits
from upgradegw.http.subtrees import limits_for
from upgradegw.service.gateway.building import build_routes
from upgradegw.service.gateway.table import RouteTable

NESTED = placed(path="/", resource="routed_app:root"), placed(path="/a/b", resource="routed_app:inner")


@pytest.mark.parametrize(
    ("target", "answer"),
    [
        ("/", b"root |"),
        ("/a", b"root |a"),
        ("/a/", b"root |a/"),
        ("/a/bc", b"root |a/bc"),
        ("/a/b", b"inner a/b|"),
        ("/a/b/", b"inner a/b|"),
        ("/a/b/c", b"inner a/b|c"),
        ("/a/%62/c?x=/y", b"inner a/b|c"),
        ("/a%2fc", b"root |a/c"),
        ("//a;x/c", b"root |/a;x/c"),
        ("/a/b//c%5cd;e", b"inner a/b|/c\\d;e"),
    ],
)
def test_the_longest_path_wins_by_whole_segments(target: str, answer: bytes) -> None:
    """A route serves its path and all below it; a name that merely begins alike is another name."""
    assert content(served(*NESTED), target) == answer


@pytest.mark.parametrize(
    "target", ["//a/b", "/a//b/c", "/a%2fb", "/a%2Fb/c", "/a\\b", "/a%5cb/", "/a/b;x=1/c", "/a;x/b?y", "/;/a/b"]
)
def test_a_path_of_two_routes_is_refused(target: str) -> None:
    """A-38: who may use a route cannot be avoided by a spelling that the server behind another one takes for it."""
    memory = served(*NESTED)
    assert ask(memory, target)[9:12] == b"400"
    assert content(memory, "/a/b") == b"inner a/b|"


def test_an_offer_for_a_path_of_two_routes() -> None:
    """A-05: nothing behind an offer that is refused so is parsed."""
    memory = served(*NESTED)
    memory.send(WEBSOCKET.replace(b"GET /ws ", b"GET //a/b ") + b"GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n")
    assert memory.received.count(b"HTTP/1.1 ") == 1
    assert memory.received.startswith(b"HTTP/1.1 400 ")


def test_without_a_route_there_is_nothing() -> None:
    """A path outside of all routes is not found."""
    memory = served(placed(path="/a", resource="routed_app:root"))
    assert [ask(memory, target)[9:12] for target in ("/x", "/")] == [b"404", b"404"]
    assert ask(served(says("/a", "a", host="b.example")), "/a")[9:12] == b"404"


def test_below_a_route_twisteds_rules_hold() -> None:
    """A resource with children is traversed as anywhere else."""
    memory = served(placed(path="/t", resource="routed_app:Tree"))
    assert content(memory, "/t") == b"tree"
    assert content(memory, "/t/leaf/x") == b"leaf t/leaf|x"
    assert ask(memory, "/t/other")[9:12] == b"404"


def test_a_table_can_be_a_child() -> None:
    """Paths are counted from where the table stands."""
    root = Resource()
    root.putChild(b"deep", RouteTable(build_routes(NESTED, None)))
    memory = Memory(root)
    memory.send(b"GET /deep/a/b/c HTTP/1.1\r\nHost: a.example\r\n\r\n")
    assert content_of(memory.received) == b"inner deep/a/b|c"


HOSTS = (
    says("/", "any"),
    says("/chat", "any chat"),
    says("/", "a", host="a.example"),
    says("/", "below", host="*.example"),
    says("/deep", "below deep", host=("*.example", "b.test")),
    says("/chat", "b chat", host="b.test"),
)


@pytest.mark.parametrize(
    ("host", "target", "answer"),
    [
        ("c.test", "/chat/x", b"any chat"),
        ("c.test", "/deep", b"any"),
        ("a.example", "/", b"a"),
        ("A.EXAMPLE.:8080", "/chat", b"a"),
        ("x.a.example", "/chat", b"below"),
        ("x.a.example", "/deep/er", b"below deep"),
        ("example", "/deep", b"any"),
        ("b.test", "/deep", b"below deep"),
        ("b.test", "/chat", b"b chat"),
        ("b.test", "/", b"any"),
    ],
)
def test_a_hosts_own_routes_come_first(host: str, target: str, answer: bytes) -> None:
    """Those of the name, then those of the names above it, then those for any host; among each the longest path."""
    assert content(served(*HOSTS), target, host) == answer


def test_the_host_is_the_one_that_the_client_used() -> None:
    """A-34: what a trusted proxy says of the host counts, what a stranger says does not."""
    lines = "a.test", "X-Forwarded-Host: a.example"
    assert content_of(ask(served(*HOSTS), "/", *lines)) == b"any"
    assert content_of(ask(served(*HOSTS, trusted_proxies=["192.0.2.7"]), "/", *lines)) == b"a"


@pytest.mark.parametrize(
    ("target", "answer"),
    [("/x", b"just x"), ("/x/", b"x slash"), ("/x/y", b"root |x/y"), ("/", b"just /"), ("/z", b"root |z")],
)
def test_an_exact_path_is_that_path_alone(target: str, answer: bytes) -> None:
    """An exact route serves nothing below it, and a slash at its end is part of it."""
    memory = served(
        placed(path="/", resource="routed_app:root"),
        says("/x", "just x", exact=True),
        says("/x/", "x slash", exact=True),
        says("/", "just /", exact=True),
    )
    assert content(memory, target) == answer


def test_an_exact_folder_shows_its_index(tmp_path: Path) -> None:
    """Files below an exact path are not found, the page of the folder is."""
    (tmp_path / "index.html").write_text("index")
    memory = served(placed(path="/f/", exact=True, static=str(tmp_path)))
    assert content(memory, "/f/") == b"index"
    assert ask(memory, "/f/index.html")[9:12] == b"404"


def test_limits_are_those_of_the_route() -> None:
    """A-27: what a route says of content holds for its requests, by host and path, before they are read."""
    tables = (
        says("/", "any", max_content=5),
        says("/big", "big", max_content=50),
        says("/", "a", host="a.example", max_content="none"),
        says("/plain", "plain"),
    )
    table = RouteTable(build_routes(tables, Reactor()))
    asked = ((b"/x", None), (b"/big/x", b"b.example"), (b"/big/x", b"a.example"), (b"/plain", None))
    found = [limits_for(table, path, Limits(), lambda host=host: host)[0].max_content for path, host in asked]  # type: ignore[misc]
    assert found == [5, 50, None, Limits().max_content]
    assert limits_for(RouteTable(build_routes(tables[1:2], None)), b"/b", Limits()) == (Limits(), False)


def test_too_much_for_the_host_is_refused() -> None:
    """A-27: the channel asks with the host of the request."""
    memory = served(says("/", "any", max_content=5), says("/", "a", host="a.example", max_content=50))
    post = b"POST / HTTP/1.1\r\nHost: %b\r\nContent-Length: 9\r\n\r\n123456789"
    first, second = memory.connect(), memory.connect()
    first.deliver(post % b"a.example")
    second.deliver(post % b"b.example")
    assert [transport.value()[9:12] for transport in (first, second)] == [b"200", b"413"]


def test_too_much_for_the_host_is_refused_on_a_stream() -> None:
    """A-27: the same with ``:authority`` on HTTP/2."""
    tables = says("/", "any", max_content=5), says("/", "a", host="a.example", max_content=50)
    client = Client(RouteTable(build_routes(tables, None)))
    for number, host in ((1, b"a.example"), (3, b"b.example")):
        head = [(name, host if name == b":authority" else value) for name, value in fields(b"POST", b"/", length(9))]
        client.send(client.head(number, head, end=False), data(number, b"123456789", end=True))
    assert [client[number].status for number in (1, 3)] == [200, 413]


OPTIONS = b"OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n"


def test_nobody_answers_for_the_server() -> None:
    """RFC 9110 section 9.3.7: without a route that wants to, ``OPTIONS *`` is answered by the server."""
    for routes in ((says("/", "root"),), (), (placed(path="/", host="b.example", proxy="http://127.0.0.1:9"),)):
        answer = served(*routes).send(OPTIONS)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert answer.endswith(b"\r\nContent-Length: 0\r\n\r\n")


def test_a_proxy_at_the_root_answers_for_the_server() -> None:
    """``OPTIONS *`` is the upstream's to answer where it stands at the root of the host."""
    reactor = Reactor()
    table = RouteTable(build_routes([placed(path="/", proxy="http://127.0.0.1:9")], reactor))
    memory = Memory(table, clock=reactor)
    assert memory.send(OPTIONS) == b""
    assert [each[1] for each in reactor.tcpClients] == [9]
