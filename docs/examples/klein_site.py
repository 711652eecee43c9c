"""A Klein application with a WebSocket among its routes."""

from __future__ import annotations

import sys

from klein import Klein
from twisted.internet import endpoints, task
from twisted.internet.defer import Deferred
from twisted.python import log
from zope.interface import alsoProvides

import chat
from upgradegw import IUpgradeResource, UpgradeResource, UpgradeSite, websocket

app = Klein()
room = UpgradeResource([websocket(chat.factory())])


@app.route("/", methods=["GET"])
def home(request):
    return "There is a chat at /chat."


@app.route("/chat")
def chat_room(request):
    return room


@app.route("/rooms/", branch=True)
def rooms(request):
    return room  # /rooms/tea and /rooms/coffee, told apart by info.head.target


async def main(reactor):
    root = app.resource()
    alsoProvides(root, IUpgradeResource)  # for HTTP/2, where a switch is asked for with CONNECT
    site = UpgradeSite(root, reactor=reactor)
    await endpoints.serverFromString(reactor, "tcp:8080").listen(site)
    await Deferred()


if __name__ == "__main__":
    log.startLogging(sys.stdout)
    task.react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
