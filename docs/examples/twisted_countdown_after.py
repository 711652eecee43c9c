"""The same WebSocket with upgradegw."""

from __future__ import annotations

from twisted.internet import endpoints, task
from twisted.internet.defer import Deferred
from twisted.web.resource import Resource

from twisted_countdown import CountdownFactory
from upgradegw import UpgradeResource, UpgradeSite, websocket


def site(reactor):
    root = Resource()
    root.putChild(b"countdown", UpgradeResource([websocket(CountdownFactory())]))
    return UpgradeSite(root, reactor=reactor)


async def main(reactor):
    await endpoints.serverFromString(reactor, "tcp:8080").listen(site(reactor))
    await Deferred()


if __name__ == "__main__":
    task.react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
