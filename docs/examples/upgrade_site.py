"""The same site on upgradegw's own HTTP/1.1, which brings limits, deadlines and an orderly stop."""

from __future__ import annotations

import sys
from pathlib import Path

from twisted.internet import endpoints, task
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.python import log
from twisted.web.static import File

import chat
from upgradegw import UpgradeResource, UpgradeSite, websocket


async def main(reactor):
    root = File(str(Path(__file__).with_name("public")))
    root.putChild(b"chat", UpgradeResource([websocket(chat.factory())]))
    site = UpgradeSite(root, reactor=reactor, trusted_proxies=["127.0.0.1", "::1"], max_connections_per_client=100)
    port = await endpoints.serverFromString(reactor, "tcp:8080").listen(site)

    async def stop():
        await maybeDeferred(port.stopListening)
        await site.stop()  # WebSockets get Close 1001, running requests their answer

    reactor.addSystemEventTrigger("before", "shutdown", lambda: Deferred.fromCoroutine(stop()))
    await Deferred()


if __name__ == "__main__":
    log.startLogging(sys.stdout)
    task.react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
