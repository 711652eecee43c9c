"""A protocol that waits until its client has said everything: the same on a TCP connection and on an HTTP/2 stream."""

from __future__ import annotations

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Factory, Protocol
from zope.interface import implementer

from upgradegw import UpgradeResource, stream


@implementer(IHalfCloseableProtocol)
class Count(Protocol):
    """Counts bytes until the end, and tells how many they were."""

    received = 0
    ended = None

    def upgraded(self, info):
        self.version = info.http_version

    def dataReceived(self, data):
        self.received += len(data)

    def readConnectionLost(self):  # FIN, or END_STREAM on HTTP/2
        self.transport.write(b"%d bytes over %s\n" % (self.received, self.version))
        self.transport.loseConnection()  # FIN or END_STREAM behind that

    def writeConnectionLost(self):
        pass

    def connectionLost(self, reason):  # ConnectionDone, or ConnectionLost behind a reset
        self.ended = "in order" if reason.check(ConnectionDone) else "reset"


resource = UpgradeResource([stream("count", Factory.forProtocol(Count))])
