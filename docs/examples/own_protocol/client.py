"""A client of the protocol: says one thing, and prints what it hears."""

from __future__ import annotations

import sys

from twisted.internet import defer, endpoints, task
from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineReceiver

from upgradegw import UpgradeClientEndpoint, UpgradeRefused


class Speaker(LineReceiver):
    """Keeps each line until somebody asks for it."""

    def connectionMade(self):
        self.heard = defer.DeferredQueue()

    def lineReceived(self, line):
        self.heard.put(line.decode())


async def shout(reactor, server, words, offered="shout/1"):
    inner = endpoints.clientFromString(reactor, server)
    endpoint = UpgradeClientEndpoint(inner, "/talk", offered, reactor=reactor)
    speaker = await endpoint.connect(Factory.forProtocol(Speaker))
    greeting = await speaker.heard.get()
    speaker.sendLine(words.encode())
    answer = await speaker.heard.get()
    speaker.transport.loseConnection()
    return [greeting, answer]


async def main(reactor, *words):
    try:
        print(*await shout(reactor, "tcp:127.0.0.1:8080", " ".join(words)), sep="\n")
    except UpgradeRefused as refused:
        print(refused)


if __name__ == "__main__":
    task.react(lambda reactor, *words: defer.Deferred.fromCoroutine(main(reactor, *words)), sys.argv[1:])
