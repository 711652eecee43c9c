"""Applications for twisted.web.websocket see behind ``websocket()`` what they see behind Twisted's own resource."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.testing import MemoryReactorClock
from twisted.test.iosim import ConnectionCompleter
from twisted.web.resource import Resource
from twisted.web.server import Site
from twisted.web.websocket import WebSocketClientEndpoint, WebSocketResource

from tests.protocols.twisted_applications import Application, ApplicationFactory
from upgradegw import UpgradeResource, UpgradeSite, websocket
from upgradegw.testing import Client, Reactor


def ours(factory: Any) -> UpgradeResource:
    return UpgradeResource([websocket(factory)])


@pytest.mark.parametrize(("resource", "site"), [(WebSocketResource, Site), (ours, Site), (ours, UpgradeSite)])
class TestSame:
    """The same application behind both resources sees the same."""

    def root(self, resource: Any, application: Any) -> Resource:
        root = Resource()
        root.putChild(b"ws", resource(ApplicationFactory(lambda _request: application)))
        return root

    def test_a_conversation(self, resource: Any, site: Any) -> None:
        """Callbacks in order: negotiation, messages, pongs of the application's pings, the end."""
        application = Application(at={"ping": lambda transport: transport.ping(b"123")})
        with Client(site(self.root(resource, application), reactor=Reactor())) as client:
            alice = client.websocket("/ws")
            alice.send("ping")
            alice.send("abcd")
            alice.send(b"\x00")
            alice.ping(b"p")
            assert alice.pongs == [b"p"]
            alice.close()
        assert application.events == ["started", "finished", "ping", ("pong", b"123"), "abcd", b"\x00", "lost"]
        assert application.reason is not None
        assert application.reason.check(ConnectionDone)

    def test_a_client_that_vanishes(self, resource: Any, site: Any) -> None:
        """A connection that breaks is ConnectionLost."""
        application = Application()
        with Client(site(self.root(resource, application), reactor=Reactor())) as client:
            client.websocket("/ws").abort()
        assert application.events == ["started", "finished", "lost"]
        assert application.reason is not None
        assert application.reason.check(ConnectionLost)

    def test_twisteds_client(self, resource: Any, site: Any) -> None:
        """Twisted's own client speaks with both."""
        reactor = MemoryReactorClock()
        application = Application(at={"tea?": lambda transport: transport.sendTextMessage("thé")})
        reactor.listenTCP(80, site(self.root(resource, application), reactor=reactor))
        other = Application()
        other.buildProtocol = lambda _url: other  # type: ignore[attr-defined]
        endpoint = WebSocketClientEndpoint.new(reactor, "http://localhost:80/ws")
        connected = Deferred.fromCoroutine(endpoint.connect(other))  # type: ignore[arg-type]
        pump = ConnectionCompleter(reactor).succeedOnce()
        assert pump is not None
        assert connected.result is other
        other.transport.sendTextMessage("tea?")
        pump.flush()
        other.transport.loseConnection()
        pump.flush()
        assert other.events == ["started", "finished", "thé", "lost"]
        assert application.events == ["started", "finished", "tea?", "lost"]
