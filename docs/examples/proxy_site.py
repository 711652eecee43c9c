"""A site of which other servers answer for a part: an application, its uploads, and a pair of servers for its feed."""

from __future__ import annotations

import sys

from twisted.internet import endpoints, task
from twisted.internet.defer import Deferred
from twisted.python import log
from twisted.web.resource import Resource

import chat
from upgradegw import ProxyResource, UpgradeResource, UpgradeSite, UpstreamSettings, limit, websocket


def root():
    tree = Resource()
    tree.putChild(b"chat", UpgradeResource([websocket(chat.factory())]))  # served here
    app = ProxyResource("http://127.0.0.1:8000", settings=UpstreamSettings(response_timeout=30))
    tree.putChild(b"app", app)
    app.putChild(b"uploads", limit(ProxyResource("unix:/run/uploads.sock"), max_content=1 << 30))
    tree.putChild(
        b"feed",
        ProxyResource(
            ["http://127.0.0.1:8001", "http://127.0.0.1:8002"],
            upgrades=["websocket", "feed/2"],
            strip_path=True,
            host="feed.example",
            balance="least_connections",
        ),
    )
    return tree


async def main(reactor):
    site = UpgradeSite(root(), reactor=reactor, trusted_proxies=["127.0.0.1"])
    await endpoints.serverFromString(reactor, "tcp:8080").listen(site)
    await Deferred()  # until Ctrl-C


if __name__ == "__main__":
    log.startLogging(sys.stdout)
    task.react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
