"""An application for twisted.web.websocket, which knows nothing of upgradegw: counts down on request."""

from __future__ import annotations

from dataclasses import dataclass

from twisted.python.failure import Failure
from twisted.web.server import Request
from twisted.web.websocket import WebSocketProtocol, WebSocketServerFactory, WebSocketTransport


@dataclass
class Countdown(WebSocketProtocol):
    """One who counts."""

    last_word: str

    def negotiationStarted(self, transport: WebSocketTransport) -> None:
        self.transport = transport

    def negotiationFinished(self) -> None:
        self.transport.sendTextMessage("from where?")

    def textMessageReceived(self, message: str) -> None:
        for number in range(int(message), 0, -1):
            self.transport.sendTextMessage(str(number))
        self.transport.sendTextMessage(self.last_word)
        self.transport.loseConnection()

    def bytesMessageReceived(self, data: bytes | bytearray) -> None:
        self.transport.sendBytesMessage(bytes(reversed(data)))

    def pongReceived(self, payload: bytes) -> None:
        pass

    def connectionLost(self, reason: Failure) -> None:
        print("gone:", reason.type.__name__)


class CountdownFactory(WebSocketServerFactory[Countdown]):
    """Builds one for each request."""

    def buildProtocol(self, request: Request) -> Countdown:
        return Countdown(request.args.get(b"end", [b"now"])[0].decode())
