"""ProxyResource: its place in a tree, and its arguments."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

from tests.http1.wire import Wire, get, make_site, post
from tests.proxy.recorded import RecordedUpstream, through, values_of
from upgradegw import Allow, Deny, ProxyResource, UpgradeSite
from upgradegw.http.subtrees import limits_for
from upgradegw.proxy.balance import Balanced
from upgradegw.proxy.health import HealthSettings
from upgradegw.proxy.settings import UpstreamSettings
from upgradegw.proxy.upstreams import Upstreams
from upgradegw.testing import Client


class InATree(SynchronousTestCase):
    """Where it stands."""

    def below(self, path: bytes, **arguments: Any) -> bytes:
        """Return what the upstream is asked for, by a gateway below /a/docker."""
        upstream = RecordedUpstream()
        root, folder = Resource(), Resource()
        root.putChild(b"a", folder)
        folder.putChild(b"docker", ProxyResource(upstream, **arguments))
        site, reactor = make_site(root)
        Wire(site, reactor).send(get(path))
        return upstream.only.request.target

    def test_whole_path(self) -> None:
        """Everything below it is its own, and the path goes on as it came."""
        for path in (b"/a/docker", b"/a/docker/", b"/a/docker/v1/x%2Fy?q=%20", b"/a/docker//b"):
            assert self.below(path) == path

    def test_strip_path(self) -> None:
        """With strip_path the upstream sees what is below the resource."""
        for path, seen in (
            (b"/a/docker", b"/"),
            (b"/a/docker?q", b"/?q"),
            (b"/a/d%6fcker/", b"/"),
            (b"/a/docker/v1/x%2Fy?q=%20", b"/v1/x%2Fy?q=%20"),
        ):
            assert self.below(path, strip_path=True) == seen

    def test_content_is_streamed(self) -> None:
        """The content of requests is not collected first, whether or not something may be tunnelled."""
        for tokens in ((), ("websocket",), ("tcp", "websocket"), ("*",)):
            limits = UpgradeSite(Resource(), reactor=MemoryReactorClock())._limits
            assert limits_for(ProxyResource(RecordedUpstream(), upgrades=tokens), b"/x", limits)[1]

    def test_fields_set_before(self) -> None:
        """What stands around it may set fields of the response, and these win; lists are joined."""
        upstream = RecordedUpstream()
        gateway = ProxyResource(upstream)

        class Around(Resource):
            isLeaf = True
            streams_content = True

            def render(self, request: Any) -> Any:
                request.setHeader(b"X-Frame-Options", b"DENY")
                request.setHeader(b"Vary", b"Origin")
                request.addCookie(b"ours", b"1")
                return gateway.render(request)

        site, reactor = make_site(Around())
        wire = Wire(site, reactor).send(get())
        upstream.only.answer(200, (b"X-Frame-Options", b"ALLOW"), (b"Vary", b"Accept"), (b"Set-Cookie", b"theirs=2"))
        (answer,) = wire.answers()
        assert answer.get(b"x-frame-options") == b"DENY"
        assert answer.get(b"vary") == b"Origin, Accept"
        assert answer.get(b"set-cookie") == b"ours=1, theirs=2"


class ForTheServer(SynchronousTestCase):
    """``OPTIONS *``."""

    OPTIONS = b"OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n"

    def test_root(self) -> None:
        """RFC 9110 section 9.3.7: a gateway at the root lets its upstream answer for the server."""
        upstream, wire = through(self.OPTIONS)
        assert (upstream.only.request.method, upstream.only.request.target) == (b"OPTIONS", b"*")
        upstream.only.answer(200, (b"Allow", b"GET"))
        (answer,) = wire.answers()
        assert answer.get(b"allow") == b"GET"

    def test_stripped(self) -> None:
        """There is no path to be taken off."""
        upstream, _ = through(self.OPTIONS, strip_path=True)
        assert upstream.only.request.target == b"*"

    def test_over_http_2(self) -> None:
        """So it is over HTTP/2."""
        with Client(ProxyResource(upstream := RecordedUpstream()), "http/2") as client:
            client.start_request("OPTIONS", "*")
            assert upstream.only.request.target == b"*"

    def test_elsewhere(self) -> None:
        """Another root answers by itself, as ever."""
        root = Resource()
        root.putChild(b"a", ProxyResource(upstream := RecordedUpstream()))
        site, reactor = make_site(root)
        assert [answer.status for answer in Wire(site, reactor).send(self.OPTIONS).answers()] == [200]
        assert not upstream.exchanges


class Hosts(SynchronousTestCase):
    """What the upstream reads in Host."""

    def test_each(self) -> None:
        """Host is the client's, the upstream's own, or a name."""
        for host, authority in (("keep", b"a.example"), ("upstream", b""), ("b.example:81", b"b.example:81")):
            upstream, _ = through(get(), host=host)
            assert upstream.only.request.authority == authority
            assert values_of(upstream.only.request, b"x-forwarded-host") == [b"a.example"]


class Authorizing(SynchronousTestCase):
    """``authorize`` for plain requests."""

    def test_each_answer(self) -> None:
        """It is asked about every request, before the upstream is; its fields are the response's."""
        answers: list[Any] = [
            Allow(fields=((b"X-User", b"alice"), (b"Set-Cookie", b"s=1"))),
            Deny(401, ((b"WWW-Authenticate", b"Basic"),), b"who?"),
        ]
        upstream, wire = through(get(), authorize=lambda _request: answers.pop(0))
        upstream.only.answer(200, (b"Set-Cookie", b"t=2"), (b"X-User", b"theirs"))
        wire.send(post(b"content"))
        allowed, denied = wire.answers()
        assert (allowed.get(b"x-user"), allowed.get(b"set-cookie")) == (b"alice", b"s=1, t=2")
        assert (denied.status, denied.body, denied.get(b"www-authenticate")) == (401, b"who?", b"Basic")
        assert len(upstream.exchanges) == 1

    def test_one_that_fails(self) -> None:
        """What it raises is a 500, and what it never answers a 503; nothing is passed on."""
        upstream, wire = through(get(), authorize=lambda _request: 1 / 0)
        assert [answer.status for answer in wire.answers()] == [500]
        assert len(self.flushLoggedErrors(ZeroDivisionError)) == 1
        upstream, wire = through(get(), authorize=lambda _request: Deferred(), authorize_timeout=3.0)
        wire.advance(4)
        assert [answer.status for answer in wire.answers()] == [503]
        assert not upstream.exchanges

    def test_one_that_writes(self) -> None:
        """Half an answer of its own costs the connection, and nothing is passed on behind it."""

        def authorize(request: Any) -> Allow:
            request.write(b"half")
            return Allow()

        upstream, wire = through(get(), authorize=authorize)
        assert not wire.open
        assert not upstream.exchanges

    def test_a_client_that_leaves(self) -> None:
        """Nothing is asked for a client that did not wait."""
        waiting: Deferred[Any] = Deferred()
        upstream, wire = through(get(), authorize=lambda _request: waiting)
        wire.close()
        assert not upstream.exchanges


# --- Arguments.


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ftp://a.example",), "http://"),
        (([],), "no upstream is given"),
        ((["http://a.example", "h2c://b.example"],), "h2c://"),
        (("http://a.example", {"host": "a b"}), "'keep', 'upstream'"),
        (("http://a.example", {"forwarded": "yes"}), "'x-forwarded'"),
        (("http://a.example", {"upgrades": ["h2c"]}), "never passed on"),
        (("http://a.example", {"upgrades": ["a b"]}), "no upgrade token"),
        (("http://a.example", {"lenient": ["all"]}), "websocket-without-key"),
        (("http://a.example", {"balance": "random"}), "round_robin"),
        (("http://a.example", {"idle_timeout": 0}), "idle_timeout"),
        ((RecordedUpstream(), {"settings": UpstreamSettings()}), "for addresses"),
    ],
)
def test_wrong_arguments(arguments: tuple[Any, ...], words: str) -> None:
    """What cannot work is said when the resource is made, in words that say what to write."""
    upstream, *more = arguments
    with pytest.raises(ValueError, match=words):
        ProxyResource(upstream, **(more[0] if more else {}))


def test_the_reactor() -> None:
    """The upstream is made with the reactor that is given, or else with the first request's."""
    reactor = MemoryReactorClock()
    site = UpgradeSite(ProxyResource("http://192.0.2.2:8080"), reactor=reactor)
    wire = Wire(site, reactor).send(get())
    assert [connect[:2] for connect in reactor.tcpClients] == [("192.0.2.2", 8080)]
    wire.close()
    with pytest.raises(RuntimeError, match="no reactor"):
        Upstreams(["http://a.example"]).ask(None, None)  # type: ignore[arg-type]


def test_several() -> None:
    """Several addresses are one upstream that chooses; so is one that is asked how it is."""
    reactor = MemoryReactorClock()
    several = Upstreams(["http://192.0.2.1", "http://192.0.2.2"], balance="least_connections", reactor=reactor)
    assert isinstance(several._asked, Balanced)
    watched = Upstreams(["http://192.0.2.1"], health=HealthSettings(path="/healthz"), reactor=reactor)
    assert isinstance(watched._asked, Balanced)
    assert (several.http_version, Upstreams(["h2c://a.example"]).http_version) == (b"HTTP/1.1", b"HTTP/2")
    several.close()
    watched.close()
    assert not reactor.getDelayedCalls()


def test_close() -> None:
    """``close`` is the upstream's."""
    upstream = RecordedUpstream()
    ProxyResource(upstream).close()
    assert upstream.closed
    ProxyResource("http://a.example").close()
