"""Protocols and producers that remember what they were told."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol
from zope.interface import implementer


class Remembering(Protocol):
    """Remembers."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.reason: Any = None

    def dataReceived(self, data: bytes) -> None:
        self.events.append(data)

    def connectionLost(self, reason: Any = None) -> None:
        self.events.append("lost")
        self.reason = reason


@implementer(IHalfCloseableProtocol)
class HalfCloseable(Remembering):
    """Is told of half-closes."""

    def readConnectionLost(self) -> None:
        self.events.append("read lost")

    def writeConnectionLost(self) -> None:
        self.events.append("write lost")


class Producer:
    """Remembers what it was told, and may write when asked.

    Attributes:
        pieces: What a pull producer writes, one piece each time; then it unregisters.
    """

    def __init__(self, transport: Any = None, pieces: list[bytes] | None = None) -> None:
        self.events: list[str] = []
        self.transport = transport
        self.pieces = pieces

    def pauseProducing(self) -> None:
        self.events.append("pause")

    def resumeProducing(self) -> None:
        self.events.append("resume")
        if self.pieces:
            self.transport.write(self.pieces.pop(0))
        elif self.pieces is not None:
            self.transport.unregisterProducer()

    def stopProducing(self) -> None:
        self.events.append("stop")
