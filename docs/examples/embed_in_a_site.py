"""A page and a WebSocket in a stock twisted.web site."""

from __future__ import annotations

import sys
from pathlib import Path

from twisted.internet import endpoints, task
from twisted.internet.defer import Deferred
from twisted.python import log
from twisted.web.server import Site
from twisted.web.static import File

import chat
from upgradegw import UpgradeResource, websocket


async def main(reactor):
    root = File(str(Path(__file__).with_name("public")))
    root.putChild(b"chat", UpgradeResource([websocket(chat.factory())]))
    await endpoints.serverFromString(reactor, "tcp:8080").listen(Site(root, reactor=reactor))
    await Deferred()  # until Ctrl-C


if __name__ == "__main__":
    log.startLogging(sys.stdout)
    task.react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
