"""One path, three ways to use it: a protocol of one's own, a WebSocket, and a page for everybody else."""

from __future__ import annotations

import sys

from twisted.internet import endpoints, task
from twisted.internet.defer import Deferred
from twisted.python import log
from twisted.web.resource import Resource
from twisted.web.static import Data

import chat
import own_protocol
from upgradegw import UpgradeResource, UpgradeSite, stream, websocket


async def main(reactor):
    root = Resource()
    upgrades = [websocket(chat.factory()), stream("shout/1", own_protocol.factory)]
    root.putChild(b"talk", UpgradeResource(upgrades, otherwise=Data(b"Talk to me.\n", "text/plain")))
    await endpoints.serverFromString(reactor, "tcp:8080").listen(UpgradeSite(root, reactor=reactor))
    await Deferred()


if __name__ == "__main__":
    log.startLogging(sys.stdout)
    task.react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
