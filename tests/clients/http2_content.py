"""A resource with content both ways, as a route of the command line, or as a site that takes every direct offer of h2c.

``python http2_content.py`` serves the latter, prints its port, and ends when its input does.
"""

from __future__ import annotations

import sys

from twisted.internet import endpoints, reactor, stdio
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import react
from twisted.python import log
from twisted.web.resource import Resource

from upgradegw import UpgradeSite


class Content(Resource):
    """``GET /5`` is answered with five bytes, a POST with the version of HTTP and its own content."""

    isLeaf = True

    def render_GET(self, request):
        return b"x" * int(request.path.rpartition(b"/")[2] or 12)

    def render_POST(self, request):
        return request.clientproto + b" " + request.content.read()


class UntilTheInputEnds(Protocol):
    """Fires when standard input is at its end."""

    def __init__(self):
        self.ended = Deferred()

    def connectionLost(self, reason=connectionDone):
        self.ended.callback(None)


async def main():
    site = UpgradeSite(Content(), h2c_upgrade="direct")
    port = await endpoints.serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(site)
    print(port.getHost().port, file=sys.__stdout__, flush=True)
    waiting = UntilTheInputEnds()
    stdio.StandardIO(waiting)
    await waiting.ended


if __name__ == "__main__":
    log.startLogging(sys.stderr)
    react(lambda _reactor: Deferred.fromCoroutine(main()))
