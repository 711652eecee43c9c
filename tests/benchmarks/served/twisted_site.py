"""Stock sites of twisted.web: ``python twisted_site.py autobahn|websocket|plain PORT [CERTIFICATE KEY]``.

The first two have a WebSocket echo at ``/ws``, by Autobahn's own resource and by twisted.web.websocket; all have twelve
bytes at ``/plain``. Over TLS twisted.web speaks HTTP/2, too.
"""

from __future__ import annotations

import sys
from typing import Any

from autobahn_app import Plain, echo_factory
from twisted.internet import reactor
from twisted.internet.endpoints import serverFromString
from twisted.web.resource import IResource, Resource
from twisted.web.server import Site


def _autobahn() -> IResource:
    from autobahn.twisted.resource import WebSocketResource

    return WebSocketResource(echo_factory())


def _websocket() -> IResource:
    from twisted.web.websocket import WebSocketResource

    class Echo:
        """Sends back what it gets."""

        def negotiationStarted(self, transport: Any) -> None:
            self.textMessageReceived = transport.sendTextMessage
            self.bytesMessageReceived = transport.sendBytesMessage

        def negotiationFinished(self) -> None: ...

        def pongReceived(self, payload: bytes) -> None: ...

        def connectionLost(self, reason: Any) -> None: ...

    class Factory:
        """Makes them."""

        def buildProtocol(self, request: Any) -> Echo:
            return Echo()

    return WebSocketResource(Factory())


def main(kind: str, port: str, *certificate: str) -> None:
    """Serve until killed."""
    root = Resource()
    root.putChild(b"plain", Plain())
    if kind != "plain":
        root.putChild(b"ws", {"autobahn": _autobahn, "websocket": _websocket}[kind]())
    where = f"tcp:{port}:interface=127.0.0.1:backlog=1000"
    if certificate:
        where = f"ssl{where[3:]}:certKey={certificate[0]}:privateKey={certificate[1]}"
    serverFromString(reactor, where).listen(Site(root))
    reactor.run()  # type: ignore[attr-defined]


if __name__ == "__main__":
    main(*sys.argv[1:])
