"""News for everybody who is connected, with limits, and an orderly end: in a stock Site."""

from __future__ import annotations

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet import endpoints, task
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.web.resource import Resource
from twisted.web.server import Site

from upgradegw import Allow, Deny, Drain, UpgradeResource, websocket


class Reader(WebSocketServerProtocol):
    """One who wants to know the news."""

    def upgraded(self, info):
        self.user = info.context

    def onOpen(self):
        self.sendMessage(f"{len(news.connections)} are here".encode())


factory = WebSocketServerFactory()
factory.protocol = Reader
news = websocket(factory, max_unsent=1 << 20)


async def authorize(request):
    """Let those in who say who they are."""
    user = request.args.get(b"user", [b""])[0].decode()
    return Allow(context=user) if user else Deny(403)


def tell(text, user=None):
    """Send news to everybody, or to one user wherever he is connected; return to how many connections."""
    return news.broadcast(text, where=None if user is None else lambda reader: reader.user == user)


async def main(reactor):
    drain = Drain(reactor)
    root = Resource()
    root.putChild(
        b"news",
        UpgradeResource(
            [news],
            authorize=authorize,
            max_connections=10_000,
            max_connections_per_client=100,
            max_connections_per_context=5,
            drain=drain,
        ),
    )
    port = await endpoints.serverFromString(reactor, "tcp:8080").listen(Site(root, reactor=reactor))

    async def stop():
        await maybeDeferred(port.stopListening)
        await drain(timeout=5)  # WebSockets get Close 1001; what is left after five seconds is aborted

    reactor.addSystemEventTrigger("before", "shutdown", lambda: Deferred.fromCoroutine(stop()))
    await Deferred()


if __name__ == "__main__":
    task.react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
