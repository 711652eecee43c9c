"""Small protocols that tests put behind a switch."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer


class Recorder(Protocol):
    """Notes everything that happens to it; ``behaviour`` may act in each step."""

    def __init__(self, factory: RecorderFactory) -> None:
        self.factory: RecorderFactory = factory
        self.events: list[str] = []
        self.data = b""
        self.info: Any = None
        self.lost: Failure | None = None

    def upgraded(self, info: Any) -> None:
        self.events.append("upgraded")
        self.info = info
        self.factory.act("upgraded", self)

    def connectionMade(self) -> None:
        self.events.append("made")
        self.factory.act("made", self)

    def dataReceived(self, data: bytes) -> None:
        self.events.append("data")
        self.data += data
        self.factory.act("data", self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.events.append("lost")
        self.lost = reason
        self.factory.act("lost", self)


@implementer(IHalfCloseableProtocol)
class HalfCloseableRecorder(Recorder):
    """The same, and it wants to know of half-closes."""

    def readConnectionLost(self) -> None:
        self.events.append("read lost")
        self.factory.act("read lost", self)

    def writeConnectionLost(self) -> None:
        self.events.append("write lost")


class RecorderFactory(Factory):
    """Builds recorders; keyword arguments name a step (``made``, ``data``…) and what to do in it."""

    noisy = False

    def __init__(self, *, half_close: bool = False, **behaviour: Any) -> None:
        self.half_close = half_close
        self.behaviour = behaviour
        self.built: list[Recorder] = []
        self.running = 0

    def startFactory(self) -> None:
        self.running += 1

    def stopFactory(self) -> None:
        self.running -= 1

    def act(self, step: str, protocol: Recorder) -> None:
        action = self.behaviour.get(step.replace(" ", "_"))
        if action is not None:
            action(protocol)

    def buildProtocol(self, addr: Any) -> Recorder:
        protocol = (HalfCloseableRecorder if self.half_close else Recorder)(self)
        self.built.append(protocol)
        return protocol

    @property
    def only(self) -> Recorder:
        (protocol,) = self.built
        return protocol


def echo(protocol: Recorder) -> None:
    """A ``data`` behaviour: send back what is new."""
    new = protocol.data[getattr(protocol, "echoed", 0) :]
    protocol.echoed = len(protocol.data)  # type: ignore[attr-defined]
    protocol.transport.write(new)  # type: ignore[union-attr]


def fail(protocol: Recorder) -> None:
    """A behaviour of user code that fails."""
    raise RuntimeError("the application failed")
