"""A chat: whoever has given a name hears what everybody says."""

import json
import secrets

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.web.resource import Resource

from upgradegw import Allow, Deny, UpgradeResource, client_of, websocket

names = {}  # the token in each person's cookie: the name


class Login(Resource):
    def render_POST(self, request):
        name = request.args.get(b"name", [b""])[0].decode(errors="replace").strip()
        if not (name.isprintable() and 0 < len(name) <= 20):
            request.setResponseCode(400)
            return b"A name has 1 to 20 letters.\n"
        while len(names) >= 10_000:
            del names[next(iter(names))]  # the oldest
        token, secure = secrets.token_hex(16).encode(), client_of(request).scheme == b"https"
        names[token] = name
        request.addCookie(b"chat", token, httpOnly=True, sameSite=b"strict", secure=secure)
        return b"Welcome.\n"


class Person(WebSocketServerProtocol):
    def onOpen(self):
        tell(self, "came")

    def onMessage(self, payload, isBinary):
        tell(self, "says", payload.decode(errors="replace"))

    def onClose(self, wasClean, code, reason):
        tell(self, "left")


def tell(person, does, text=""):
    here = sorted({each.upgrade_info.context for each in room.connections})
    room.broadcast(json.dumps({"name": person.upgrade_info.context, "does": does, "text": text, "here": here}))


async def check(request):
    name = names.get(request.getCookie(b"chat"))
    return Allow(context=name) if name else Deny(401, fields=[(b"WWW-Authenticate", b"Cookie")])


factory = WebSocketServerFactory()
factory.protocol = Person
room = websocket(factory, max_message_size=1000)
chat = UpgradeResource([room], authorize=check)
