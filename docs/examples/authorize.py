"""Who may switch: asked once for each request, with the whole of twisted.web at hand."""

from __future__ import annotations

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.web.resource import Resource

from upgradegw import Allow, Deny, UpgradeResource, websocket

#: Stands for the application's database.
PASSES = {b"tea": "alice"}


class Greeter(WebSocketServerProtocol):
    """Knows who is there."""

    def upgraded(self, info):
        self.user = info.context

    def onOpen(self):
        self.sendMessage(f"hello {self.user}".encode())


async def authorize(request):
    """Let those in who have a pass; it may await a database, and gets ten seconds for it."""
    user = PASSES.get(request.getCookie(b"pass"))
    if user is None:
        return Deny(401, fields=[(b"WWW-Authenticate", b'Cookie realm="tea", cookie-name=pass')])
    return Allow(context=user, fields=[(b"Set-Cookie", b"seen=yes; HttpOnly")])


def root():
    """Make the resource tree."""
    factory = WebSocketServerFactory()
    factory.protocol = Greeter
    tree = Resource()
    tree.putChild(b"greet", UpgradeResource([websocket(factory)], authorize=authorize))
    return tree
