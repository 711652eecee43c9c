"""A Site subclass of an application, with upgradegw's HTTP/1.1 and HTTP/2 beneath it."""

from __future__ import annotations

import sys

from twisted.internet import endpoints, task
from twisted.internet.defer import Deferred
from twisted.python import log
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

import chat
from upgradegw import UpgradeResource, UpgradeSiteMixin, limit, websocket


class ShopRequest(Request):
    """Their request: every answer names the shop."""

    def write(self, data):
        self.setHeader(b"X-Shop", self.site.name)
        super().write(data)


class ShopSite(Site):
    """Their site, as it was."""

    requestFactory = ShopRequest

    def __init__(self, name, resource, **kwargs):
        super().__init__(resource, **kwargs)
        self.name = name
        self.served = []

    def log(self, request):
        self.served.append(request.uri)
        super().log(request)


class UpgradedShopSite(UpgradeSiteMixin, ShopSite):
    """Their site with upgrades, HTTP/2, limits and an orderly stop: the mixin stands first."""


class Uploads(Resource):
    """Takes pictures and films."""

    def render_PUT(self, request):
        return b"%d bytes\n" % len(request.content.read())


def root():
    tree = Resource()
    tree.putChild(b"chat", UpgradeResource([websocket(chat.factory())]))
    tree.putChild(b"uploads", limit(Uploads(), max_content=4 << 30, content_timeout=300))
    return tree


async def main(reactor):
    site = UpgradedShopSite(b"tea", root(), reactor=reactor, max_connections_per_client=100)
    await endpoints.serverFromString(reactor, "tcp:8080").listen(site)
    await Deferred()


if __name__ == "__main__":
    log.startLogging(sys.stdout)
    task.react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
