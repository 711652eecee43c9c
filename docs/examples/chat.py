"""A chat room: an ordinary Autobahn factory, which knows nothing of upgradegw."""

from __future__ import annotations

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol


class Chat(WebSocketServerProtocol):
    """One participant."""

    def onOpen(self):
        self.factory.participants.add(self)

    def onMessage(self, payload, isBinary):
        for participant in self.factory.participants:
            participant.sendMessage(payload, isBinary)

    def onClose(self, wasClean, code, reason):
        self.factory.participants.discard(self)


def factory():
    """Make the factory of one room."""
    room = WebSocketServerFactory()
    room.protocol = Chat
    room.participants = set()
    return room
