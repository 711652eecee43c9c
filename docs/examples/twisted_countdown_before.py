"""A WebSocket with twisted.web's own resource."""

from __future__ import annotations

from twisted.internet import endpoints, task
from twisted.internet.defer import Deferred
from twisted.web.resource import Resource
from twisted.web.server import Site
from twisted.web.websocket import WebSocketResource

from twisted_countdown import CountdownFactory


def site(reactor):
    root = Resource()
    root.putChild(b"countdown", WebSocketResource(CountdownFactory()))
    return Site(root, reactor=reactor)


async def main(reactor):
    await endpoints.serverFromString(reactor, "tcp:8080").listen(site(reactor))
    await Deferred()


if __name__ == "__main__":
    task.react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
