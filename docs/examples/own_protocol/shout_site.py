"""One path, three ways to use it: a protocol of one's own, a WebSocket, and a text for everybody else."""

from __future__ import annotations

import sys

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet import endpoints, task
from twisted.internet.defer import Deferred
from twisted.python import log
from twisted.web.resource import Resource
from twisted.web.static import Data

import shout
from upgradegw import UpgradeResource, UpgradeSite, stream, websocket


class ShoutToBrowsers(WebSocketServerProtocol):
    """The same for those who can only open WebSockets."""

    def onMessage(self, payload, isBinary):
        self.sendMessage(payload.upper(), isBinary)


def root():
    browsers = WebSocketServerFactory()
    browsers.protocol = ShoutToBrowsers
    upgrades = [stream("shout/1", shout.factory), websocket(browsers)]
    found = Resource()
    found.putChild(b"talk", UpgradeResource(upgrades, otherwise=Data(b"Talk to me.\n", "text/plain")))
    return found


async def main(reactor):
    await endpoints.serverFromString(reactor, "tcp:8080").listen(UpgradeSite(root(), reactor=reactor))
    print("listening on port 8080", flush=True)
    await Deferred()


if __name__ == "__main__":
    log.startLogging(sys.stdout)
    task.react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
