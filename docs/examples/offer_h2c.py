"""A stock twisted.web site that lets clients change to HTTP/2 with an Upgrade field."""

from __future__ import annotations

import sys

from twisted.internet import endpoints, task
from twisted.internet.defer import Deferred
from twisted.python import log
from twisted.web.resource import Resource
from twisted.web.server import Site

from upgradegw import h2c


class Version(Resource):
    """Says which HTTP it is asked in."""

    isLeaf = True

    def render_GET(self, request):
        return request.clientproto + b"\n"


async def main(reactor):
    site = Site(h2c(Version(), trusted_proxies=["127.0.0.1"]), reactor=reactor)
    await endpoints.serverFromString(reactor, "tcp:8080").listen(site)
    await Deferred()


if __name__ == "__main__":
    log.startLogging(sys.stdout)
    task.react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
