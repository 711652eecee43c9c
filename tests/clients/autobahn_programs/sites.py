"""Servers as Autobahn's own examples have them, with another import and another resource line, in a stock ``Site``.

``python sites.py`` serves each on a port of its own, prints the ports as JSON, and ends when its input does.
"""

from __future__ import annotations

import json
import sys

from autobahn.twisted.resource import WSGIRootResource
from autobahn.twisted.websocket import WampWebSocketServerFactory, WebSocketServerFactory, WebSocketServerProtocol
from autobahn.wamp import message, role
from twisted.internet import endpoints, reactor, stdio
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import react
from twisted.python import log
from twisted.web.server import Site
from twisted.web.static import File
from twisted.web.wsgi import WSGIResource

from upgradegw import UpgradeResource, websocket


class EchoServerProtocol(WebSocketServerProtocol):
    """Sends messages back."""

    def onMessage(self, payload, isBinary):
        self.sendMessage(payload, isBinary)


def application(environ, start_response):
    """Says by which path it was reached."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{environ['SCRIPT_NAME']}|{environ['PATH_INFO']}|{environ['REQUEST_METHOD']}".encode("latin-1")]


def echo_factory():
    """Make the factory as the examples do, with an address that is not where it will be reached."""
    factory = WebSocketServerFactory("ws://127.0.0.1:8080")
    factory.protocol = EchoServerProtocol
    factory.startFactory()  # when wrapped as a Twisted Web resource, start the underlying factory manually
    return factory


def echo_site(folder):
    """Files, and a WebSocket beside them."""
    root = File(folder)
    root.putChild(b"ws", UpgradeResource([websocket(echo_factory())]))
    return root


def wsgi_resource():
    """The application on the reactor's threads."""
    return WSGIResource(reactor, reactor.getThreadPool(), application)


def echo_wsgi():
    """A WSGI application, and a WebSocket beside it by Autobahn's own root resource."""
    return WSGIRootResource(wsgi_resource(), {b"ws": UpgradeResource([websocket(echo_factory())])})


def wsgi_otherwise():
    """A WSGI application and a WebSocket on the very same paths."""
    return UpgradeResource([websocket(echo_factory())], otherwise=wsgi_resource())


class TinyRouter:
    """The router's side of a WAMP session: lets everybody in, and adds numbers."""

    _authid = _authrole = _session_id = None  # Autobahn's transport looks at its session's for its log

    def onOpen(self, transport):
        self.transport = transport

    def onMessage(self, received):
        if isinstance(received, message.Hello):
            roles = {"broker": role.RoleBrokerFeatures(), "dealer": role.RoleDealerFeatures()}
            self.transport.send(message.Welcome(4711, roles, realm=received.realm, authid="somebody", authrole="user"))
        elif isinstance(received, message.Call):
            self.transport.send(message.Result(received.request, args=[sum(received.args)]))
        elif isinstance(received, message.Goodbye):
            self.transport.send(message.Goodbye())

    def onClose(self, wasClean):
        self.transport = None


def wamp():
    """A WAMP router."""
    factory = WampWebSocketServerFactory(TinyRouter, "ws://127.0.0.1:8080")
    factory.startFactory()
    return UpgradeResource([websocket(factory)])


class UntilTheInputEnds(Protocol):
    """Fires when standard input is at its end."""

    def __init__(self):
        self.ended = Deferred()

    def connectionLost(self, reason=connectionDone):
        self.ended.callback(None)


async def main(folder):
    roots = {
        "echo_site": echo_site(folder),
        "echo_wsgi": echo_wsgi(),
        "wsgi_otherwise": wsgi_otherwise(),
        "wamp": wamp(),
    }
    ports = {}
    for name, root in roots.items():
        port = await endpoints.serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(Site(root))
        ports[name] = port.getHost().port
    # What is printed goes to the log.
    print(json.dumps(ports), file=sys.__stdout__, flush=True)
    waiting = UntilTheInputEnds()
    stdio.StandardIO(waiting)
    await waiting.ended


if __name__ == "__main__":
    log.startLogging(sys.stderr)
    react(lambda _reactor: Deferred.fromCoroutine(main(sys.argv[1])))
