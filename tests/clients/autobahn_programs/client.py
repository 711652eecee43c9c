"""Autobahn's WebSocket client: reads dialogues from standard input, prints what it saw, both as JSON.

A dialogue has ``url`` and what may be left out: ``authority`` (in PEM form), ``protocols``, ``origin``,
``compression``, ``send`` (texts, or numbers for as many zero bytes), then ``frame`` (opcode, RSV bits, content in
Latin-1) or ``close`` (code, reason). A dialogue with ``call`` is a WAMP session that calls a procedure with these
arguments.
"""

from __future__ import annotations

import json
import sys

from autobahn.twisted.wamp import ApplicationSession
from autobahn.twisted.websocket import WampWebSocketClientFactory, WebSocketClientFactory, WebSocketClientProtocol
from autobahn.wamp.serializer import JsonSerializer
from autobahn.wamp.types import ComponentConfig
from autobahn.websocket.compress import (
    PerMessageDeflateOffer,
    PerMessageDeflateResponse,
    PerMessageDeflateResponseAccept,
)
from twisted.internet import endpoints, ssl, task
from twisted.internet.defer import Deferred


class Client(WebSocketClientProtocol):
    """Sends what the dialogue says, one after the other, and keeps what comes back."""

    def onOpen(self):
        seen = self.factory.seen
        seen["protocol"] = self.websocket_protocol_in_use
        seen["extensions"] = [extension.EXTENSION_NAME for extension in self.websocket_extensions_in_use]
        self.rest = list(self.factory.dialogue.get("send", ()))
        self.go_on()

    def go_on(self):
        dialogue = self.factory.dialogue
        if self.rest:
            message = self.rest.pop(0)
            text = isinstance(message, str)
            self.sendMessage(message.encode() if text else bytes(message), isBinary=not text)
        elif "frame" in dialogue:
            opcode, rsv, content = dialogue["frame"]
            self.sendFrame(opcode, content.encode("latin-1"), rsv=rsv)
        elif "close" in dialogue:
            self.sendClose(*dialogue["close"])

    def onMessage(self, payload, isBinary):
        self.factory.seen["received"].append(len(payload) if isBinary else payload.decode())
        self.go_on()

    def onClose(self, wasClean, code, reason):
        self.factory.seen["close"] = [code, wasClean]
        if "protocol" not in self.factory.seen:
            self.factory.seen["reason"] = reason
        self.factory.done.callback(None)


class Caller(ApplicationSession):
    """Joins, calls, leaves."""

    async def onJoin(self, details):
        seen = self.config.extra["seen"]
        seen["realm"] = details.realm
        seen["result"] = await self.call("com.example.add", *self.config.extra["dialogue"]["call"])
        self.leave()

    def onDisconnect(self):
        self.config.extra["done"].callback(None)


def accept_deflate(response):
    """Accept what the server says of permessage-deflate."""
    return PerMessageDeflateResponseAccept(response) if isinstance(response, PerMessageDeflateResponse) else None


def factory_of(dialogue, seen, done):
    """Make the factory of a dialogue."""
    if "call" in dialogue:
        extra = {"dialogue": dialogue, "seen": seen, "done": done}
        session = ComponentConfig("realm1", extra)
        return WampWebSocketClientFactory(lambda: Caller(session), dialogue["url"], serializers=[JsonSerializer()])
    factory = WebSocketClientFactory(
        dialogue["url"], origin=dialogue.get("origin"), protocols=dialogue.get("protocols")
    )
    factory.protocol = Client
    factory.dialogue, factory.seen, factory.done = dialogue, seen, done
    factory.setProtocolOptions(failByDrop=False)
    if dialogue.get("compression"):
        factory.setProtocolOptions(
            perMessageCompressionOffers=[PerMessageDeflateOffer()], perMessageCompressionAccept=accept_deflate
        )
    return factory


async def converse(reactor, dialogue):
    """Have one dialogue and return what was seen."""
    seen, done = {"received": []}, Deferred()
    factory = factory_of(dialogue, seen, done)
    endpoint = endpoints.HostnameEndpoint(reactor, factory.host, factory.port)
    if factory.isSecure:
        authority = ssl.Certificate.loadPEM(dialogue["authority"])
        endpoint = endpoints.wrapClientTLS(ssl.optionsForClientTLS(factory.host, authority), endpoint)
    await endpoint.connect(factory)
    await done
    return seen


async def main(reactor):
    for dialogue in json.load(sys.stdin):
        print(json.dumps(await converse(reactor, dialogue)), flush=True)  # noqa: T201 - this is its answer


if __name__ == "__main__":
    task.react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
