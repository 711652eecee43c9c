"""A site on TLS: any Twisted endpoint will do."""

from __future__ import annotations

import sys

from twisted.internet import endpoints, task
from twisted.internet.defer import Deferred
from twisted.python import log
from twisted.web.resource import Resource

import chat
from upgradegw import UpgradeResource, UpgradeSite, websocket


async def main(reactor, certificate="fullchain.pem", key="privkey.pem"):
    root = Resource()
    root.putChild(b"chat", UpgradeResource([websocket(chat.factory())]))
    endpoint = endpoints.serverFromString(reactor, f"ssl:8443:privateKey={key}:certKey={certificate}")
    await endpoint.listen(UpgradeSite(root, reactor=reactor))
    await Deferred()


if __name__ == "__main__":
    log.startLogging(sys.stdout)
    task.react(lambda reactor: Deferred.fromCoroutine(main(reactor, *sys.argv[1:])))
