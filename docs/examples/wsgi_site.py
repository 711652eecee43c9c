"""A WSGI application with a WebSocket beside it, on one port."""

from __future__ import annotations

import sys

from twisted.internet import endpoints, task
from twisted.internet.defer import Deferred
from twisted.python import log
from twisted.web.resource import Resource
from twisted.web.wsgi import WSGIResource

import chat
from upgradegw import UpgradeResource, UpgradeSite, websocket


def application(environ, start_response):
    """Stands for Django, Flask or whatever speaks WSGI."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"This is " + environ["PATH_INFO"].encode("latin-1") + b"\n"]


class Root(Resource):
    """Its children, and the application for everything else."""

    def __init__(self, otherwise):
        super().__init__()
        self.otherwise = otherwise

    def getChild(self, path, request):
        request.prepath.pop()
        request.postpath.insert(0, path)
        return self.otherwise


async def main(reactor):
    root = Root(WSGIResource(reactor, reactor.getThreadPool(), application))
    root.putChild(b"chat", UpgradeResource([websocket(chat.factory())]))
    await endpoints.serverFromString(reactor, "tcp:8080").listen(UpgradeSite(root, reactor=reactor))
    await Deferred()


if __name__ == "__main__":
    log.startLogging(sys.stdout)
    task.react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
