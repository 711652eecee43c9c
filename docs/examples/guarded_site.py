"""A site of which a part is for some people only, plain requests and WebSockets alike."""

from __future__ import annotations

import sys

from twisted.internet import endpoints, task
from twisted.internet.defer import Deferred
from twisted.python import log
from twisted.web.resource import Resource
from twisted.web.static import Data

import chat
from upgradegw import Allow, BasicAuth, Deny, Guard, UpgradeResource, UpgradeSite, allow_networks, granted, websocket

USERS = {"ann": "$scrypt$ln=14,r=8,p=1$yLLS6GkogWvWxCv71NJkpA$e/PIcxpmQyJl6T0YWs5yshQ5b8TO+I8EQ+UsgQ/ijVA"}


def office_hours(request):
    """A check of your own: it gets the request, and may return something to await."""
    return Allow() if request.getHeader("X-Late") is None else Deny(403, body=b"Come back tomorrow.\n")


def root(users):
    inside = Resource()
    inside.putChild(b"", Data(b"Welcome.\n", "text/plain"))
    inside.putChild(b"chat", UpgradeResource([websocket(chat.factory())], authorize=granted))
    tree = Resource()
    checks = [allow_networks(["192.0.2.0/24", "127.0.0.1"]), BasicAuth(users), office_hours]
    tree.putChild(b"members", Guard(inside, checks))
    return tree


async def main(reactor, users=None):
    site = UpgradeSite(root(users or USERS), reactor=reactor)
    await endpoints.serverFromString(reactor, "tcp:8080:interface=127.0.0.1").listen(site)
    await Deferred()


if __name__ == "__main__":
    log.startLogging(sys.stdout)
    task.react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
