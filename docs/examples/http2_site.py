"""A site with its HTTP/2 adjusted: all ways into it, and fewer streams that may send more."""

from __future__ import annotations

import sys

from twisted.internet import endpoints, task
from twisted.internet.defer import Deferred
from twisted.python import log
from twisted.web.resource import Resource

import chat
import shout
from upgradegw import UpgradeResource, UpgradeSite, stream, websocket


async def main(reactor):
    root = Resource()
    root.putChild(b"chat", UpgradeResource([websocket(chat.factory())]))
    root.putChild(b"talk", UpgradeResource([stream("shout/1", shout.factory)]))
    site = UpgradeSite(
        root,
        reactor=reactor,
        h2c_upgrade="direct",
        trusted_proxies=["127.0.0.1"],  # who comes from there is not direct
        max_streams=50,  # requests and upgrades at a time on a connection
        stream_window=256 * 1024,  # bytes that a client may be ahead of what is read
    )
    await endpoints.serverFromString(reactor, "tcp:8080").listen(site)
    await Deferred()


if __name__ == "__main__":
    log.startLogging(sys.stdout)
    task.react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
