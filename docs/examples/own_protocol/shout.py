"""A protocol of one's own on the port of the web site: no line of HTTP in it."""

from __future__ import annotations

from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineReceiver


class Shout(LineReceiver):
    """Answers each line in capitals."""

    def upgraded(self, info):
        self.name = info.client.address or "there"  # optional: what the request was; UNIX sockets have no address

    def connectionMade(self):
        self.sendLine(b"hello " + self.name.encode())

    def lineReceived(self, line):
        self.sendLine(line.upper())


factory = Factory.forProtocol(Shout)
