"""A Site subclass that others wrote becomes an UpgradeSite, and stays what it is."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from twisted.internet.protocol import connectionDone
from twisted.internet.testing import MemoryReactorClock
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python import log
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import Request, Session, Site

from tests.http1.wire import Echo, Rendered, Wire, get, post
from tests.http2.client import Client as Http2Client
from tests.http2.client import connect_fields, fields
from tests.protocols_for_tests import RecorderFactory
from upgradegw import UpgradeResource, UpgradeSiteMixin, access_events, stream
from upgradegw.testing import Client, Reactor
from upgradegw.web.request import UpgradeRequest, UpgradeRequestMixin
from upgradegw.web.site import UpgradeSite


class TheirRequest(Request):
    """Answers in its own way."""

    def write(self, data: bytes) -> None:
        self.setHeader(b"X-Theirs", b"yes")
        super().write(data)


class TheirSession(Session):
    """A session that never times out here."""

    def startCheckingExpiration(self) -> None:
        pass


class TheirSite(Site):
    """A site with a signature of its own that overrides what can be overridden."""

    requestFactory = TheirRequest
    sessionFactory = TheirSession
    displayTracebacks = True

    def __init__(self, name: str, resources: dict[bytes, Resource], **kwargs: Any) -> None:
        Site.__init__(self, None, **kwargs)
        self.name = name
        self.resources = resources
        self.lines: list[Any] = []
        self.events: list[str] = []

    def getResourceFor(self, request: Any) -> Any:
        request.site = self
        request.sitepath = []
        request.prepath = [request.postpath.pop(0)]
        return self.resources[request.prepath[0]]

    def log(self, request: Any) -> None:
        self.lines.append((request.uri, request.code))
        super().log(request)

    def startFactory(self) -> None:
        self.events.append("start")
        super().startFactory()

    def stopFactory(self) -> None:
        self.events.append("stop")
        super().stopFactory()

    def buildProtocol(self, addr: Any) -> Any:
        channel = super().buildProtocol(addr)
        channel.named = self.name
        return channel


class MySite(UpgradeSiteMixin, TheirSite):
    """Ours before theirs."""


class Diamond(TheirSite, UpgradeSite):
    """Theirs before ours: a class whose ``__init__`` passes the arguments on may stand there, too."""

    def __init__(self, name: str, resources: Any, **kwargs: Any) -> None:
        UpgradeSite.__init__(self, None, **kwargs)
        self.name, self.resources, self.lines, self.events = name, resources, [], []


def resources() -> dict[bytes, Any]:
    return {
        b"echo": UpgradeResource([stream("echo", RecorderFactory())], otherwise=Echo()),
        b"named": Rendered(lambda request: request.channel.named.encode()),
        b"session": Rendered(lambda request: type(request.getSession()).__name__.encode()),
        b"broken": Rendered(lambda _request: 1 // 0),
    }


@pytest.fixture(params=[MySite, Diamond])
def site(request: Any) -> Any:
    return request.param("the shop", resources(), reactor=Reactor(), max_content=5)


def test_what_is_theirs_is_called(site: Any) -> None:
    """Signature, requests, sessions, traversal, channel attributes, log, start and stop are as in their Site."""
    with Client(site) as client:
        response = client.get("/named")
        assert (response.content, response.get("X-Theirs")) == (b"the shop", b"yes")
        assert client.get("/session").content == b"TheirSession"
        assert client.upgrade("echo", "/echo").response.status == 101
    assert site.lines == [(b"/named", 200), (b"/session", 200), (b"/echo", 101)]
    assert site.events == ["start", "stop"]


def test_a_log_that_is_no_method() -> None:
    """Whatever stands in the place of a method is called as well: a function without self, or an object."""
    lines: list[Any] = []

    class Functional(Site):
        log = staticmethod(lambda request: lines.append(request.uri))
        startFactory = staticmethod(lambda: lines.append(b"start"))

    with Client(type("Upgraded", (UpgradeSiteMixin, Functional), {})(Echo(), reactor=Reactor())) as client:
        client.get("/tea")
    assert lines == [b"start", b"/tea"]


def test_what_is_ours_holds(site: Any) -> None:
    """Limits, the orderly end and HTTP/2 are those of an UpgradeSite."""
    with Client(site) as client:
        assert client.request("POST", "/echo", content=b"123456").status == 413
        assert client.get("/echo").status == 200
        assert len(site.connections) == 1
        ended = site.stop()
        client.clock.advance(1)
        assert ended.called
        assert site.acceptableProtocols() == [b"h2", b"http/1.1"]


@pytest.mark.parametrize("over", ["http/2", "http/2+tls"])
def test_extended_connect_with_their_requests(over: Any) -> None:
    """EC-07: a request class that is traversed as Twisted's is gets extended CONNECT as ours do."""
    site = MySite("x", resources(), reactor=Reactor())
    with Client(site, over) as client:
        assert client.upgrade("echo", "/echo").response.get("X-Theirs") is None
        assert client.get("/echo").get("X-Theirs") == b"yes"
    assert site.requestFactory is TheirRequest


class Mixin(SynchronousTestCase):
    """The rest."""

    def test_request_classes(self) -> None:
        """Our requests take the place of twisted.web's own, and of no other."""

        class Plain(UpgradeSiteMixin, Site):
            pass

        class Own(UpgradeSiteMixin, Site):
            requestFactory = TheirRequest

        root = Resource()
        assert Plain(root).requestFactory is UpgradeRequest
        assert Own(root).requestFactory is MySite("", {}).requestFactory is TheirRequest
        assert Plain(root, TheirRequest).requestFactory is TheirRequest
        assert Plain(root, Request).requestFactory is Request

    def test_their_exceptions(self) -> None:
        """``displayTracebacks`` is theirs to set."""
        with Client(MySite("x", resources(), reactor=Reactor())) as client:
            assert b"ZeroDivisionError" in client.get("/broken").content
        self.flushLoggedErrors(ZeroDivisionError)

    def test_nothing_goes_to_twisteds_log(self) -> None:
        """Without ``logPath`` nothing is written by Twisted, also if their methods call Twisted's."""
        site = MySite("x", resources(), reactor=Reactor())
        self.patch(log, "logfile", StringIO())
        with Client(site) as client:
            client.get("/named")
            assert log.logfile.getvalue() == ""

    def test_a_log_file_of_theirs(self) -> None:
        """A file that their ``startFactory`` sets is written to."""

        class Filing(TheirSite):
            def startFactory(self) -> None:
                super().startFactory()
                self.logFile = written

        class Both(UpgradeSiteMixin, Filing):
            pass

        written: Any = StringIO()
        with Client(Both("x", resources(), reactor=Reactor())) as client:
            client.get("/named")
            assert '"GET /named HTTP/1.1" 200' in written.getvalue()

    def test_access_events(self) -> None:
        """Access events are emitted beside their log."""
        seen: list[Any] = []
        self.addCleanup(access_events.subscribe(seen.append))
        site = MySite("x", resources(), reactor=Reactor())
        with Client(site) as client:
            client.get("/named")
        assert [event["target"] for event in seen] == ["/named"]

    def test_a_channel_in_a_wrapper(self) -> None:
        """A ``buildProtocol`` may wrap the channel, as a WrappingFactory does."""

        class Wrapping(Site):
            def buildProtocol(self, addr: Any) -> Any:
                return ProtocolWrapper(WrappingFactory(self), super().buildProtocol(addr))

        class Wrapped(UpgradeSiteMixin, Wrapping):
            pass

        reactor = MemoryReactorClock()
        wire = Wire(Wrapped(Echo(), reactor=reactor), reactor)
        assert wire.send(post(b"a")).answers()[0].body == b"POST / a"
        wire.protocol.connectionLost(connectionDone)


class Requests(SynchronousTestCase):
    """Extended CONNECT and request classes of others."""

    def ask(self, factory: Any) -> Http2Client:
        root = Resource()
        root.putChild(b"echo", UpgradeResource([stream("echo", RecorderFactory())]))
        root.putChild(b"plain", Echo())
        return Http2Client(root, requestFactory=factory)

    def test_twisteds_own(self) -> None:
        """EC-07: twisted.web's own class is asked with extended CONNECT, but no resource that does not know it."""
        client = self.ask(Request)
        assert client.settings[8] == 1
        client.send(client.head(1, connect_fields(path=b"/echo"), end=False))
        client.send(client.head(3, connect_fields(path=b"/plain"), end=False))
        assert (client[1].status, client[3].status) == (200, 405)

    def test_a_process_of_its_own(self) -> None:
        """EC-01: where requests would not see it, it is not offered, so that browsers use HTTP/1.1 for a WebSocket."""

        class Direct(Request):
            def process(self) -> None:
                self.finish()

        client = self.ask(Direct)
        assert client.settings[8] == 0
        client.send(client.head(1, fields(b"GET", b"/plain")))
        assert client[1].status == 200

    def test_a_process_that_knows(self) -> None:
        """With UpgradeRequestMixin before it, such a class is asked, and its ``process`` runs."""
        processed = []

        class Noting(Request):
            def process(self) -> None:
                processed.append(self.path)
                super().process()

        class Knowing(UpgradeRequestMixin, Noting):
            pass

        client = self.ask(Knowing)
        client.send(client.head(1, connect_fields(path=b"/echo"), end=False))
        client.send(client.head(3, connect_fields(path=b"/plain"), end=False))
        assert (client[1].status, client[3].status) == (200, 405)
        assert processed == [b"/echo", b"/plain"]


def test_the_default_is_as_fast() -> None:
    """A site that overrides nothing makes its channels at once."""
    assert "buildProtocol" in vars(UpgradeSite)
    site = UpgradeSite(Echo(), reactor=MemoryReactorClock())
    channel = site.buildProtocol(None)
    assert (channel.factory, channel.site, channel.requestFactory) == (site, site, UpgradeRequest)
    assert Wire(site, site.reactor).send(get()).answers()[0].status == 200
