"""``UpgradeClientEndpoint`` with real sockets, against our own site and stock ones: TCP, TLS and UNIX."""

from __future__ import annotations

from runpy import run_path
from typing import Any

from twisted.application.internet import ClientService
from twisted.internet import endpoints, reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.error import TimeoutError as ConnectTimeout
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater
from twisted.protocols import amp
from twisted.trial.unittest import TestCase
from twisted.web.resource import Resource
from twisted.web.server import Site
from zope.interface import implementer

from tests.protocols_for_tests import RecorderFactory, echo
from tests.sockets.loopback import Conversation, Loopback
from tests.source_tree import ROOT
from upgradegw import UpgradeClientEndpoint, UpgradeRefused, UpgradeResource, UpgradeSite, stream

KINDS = ("tcp", "tls", "unix")
SIZE = 300_000


@implementer(IHandshakeListener)
class HandshakeListener(Conversation):
    """Wants to know when TLS is ready."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[str] = []

    def upgraded(self, response: Any) -> None:
        self.events.append(f"upgraded {response.status}")

    def connectionMade(self) -> None:
        self.events.append("made")

    def handshakeCompleted(self) -> None:
        self.events.append("handshake")


class ClientTests(TestCase):
    """A client and a server of one's own protocol."""

    site: Any = UpgradeSite

    def setUp(self) -> None:
        self.loopback = Loopback()
        self.addCleanup(lambda: Deferred.fromCoroutine(self.loopback.close()))

    async def serve(self, factory: Any, kind: str) -> Any:
        """Serve a factory under the token ``echo``, and return the client's inner endpoint."""
        root = Resource()
        root.putChild(b"talk", UpgradeResource([stream("echo", factory)]))
        return self.loopback.endpoint(await self.loopback.serve(self.site(root), kind), kind)

    async def leave(self, client: Any) -> None:
        """Close a client, and wait for it."""
        client.transport.loseConnection()
        await client.closed

    async def test_both_ways(self) -> None:
        """CL-08: the server greets behind its 101, and all that is sent comes back in order, on each transport."""
        data = bytes(range(256)) * (SIZE // 256)
        for kind in KINDS:
            inner = await self.serve(RecorderFactory(made=lambda p: p.transport.write(b"hello"), data=echo), kind)
            endpoint = UpgradeClientEndpoint(inner, "/talk", "echo", reactor=reactor)
            client: Any = await endpoint.connect(Factory.forProtocol(HandshakeListener))
            assert client.events == ["upgraded 101", "made", *["handshake"] * (kind == "tls")], kind
            client.write(data)
            received = await client.until(lambda r, data=data: len(r) >= 5 + len(data))
            assert received == b"hello" + data, kind
            await self.leave(client)

    async def test_half_close(self) -> None:
        """A client that ends its side is still answered, and told of the server's end."""
        for kind in ("tcp", "unix"):

            def answer(protocol: Any) -> None:
                protocol.transport.write(b"you said " + protocol.data)
                protocol.transport.loseConnection()

            inner = await self.serve(RecorderFactory(half_close=True, read_lost=answer), kind)
            ended: Deferred[bytes] = Deferred()
            factory = RecorderFactory(half_close=True, read_lost=lambda p, ended=ended: ended.callback(p.data))
            client: Any = await UpgradeClientEndpoint(inner, "/talk", "echo", reactor=reactor).connect(factory)
            client.transport.write(b"all of this")
            client.transport.loseWriteConnection()
            assert await ended == b"you said all of this", kind
            gone: Deferred[None] = Deferred()
            factory.behaviour["lost"] = lambda p, gone=gone: gone.callback(None)
            client.transport.loseConnection()
            await gone

    async def test_refused(self) -> None:
        """What the site answers instead is told, with its content."""
        for kind in KINDS:
            inner = await self.serve(RecorderFactory(), kind)
            endpoint = UpgradeClientEndpoint(inner, "/talk", "other", host="a.example", reactor=reactor)
            refused = await self.assertFailure(endpoint.connect(RecorderFactory()), UpgradeRefused)
            assert refused.status == 426, kind
            assert dict(refused.fields)[b"Upgrade"] == b"echo", kind
            assert b"another protocol" in refused.body, kind

    async def test_a_certificate_that_is_not_trusted(self) -> None:
        """A TLS handshake that fails is what ``connect`` fails with."""
        site = UpgradeSite(Resource())
        address = await self.loopback.serve(site, "tls")
        inner = endpoints.clientFromString(reactor, address.replace("tcp:", "tls:"))
        endpoint = UpgradeClientEndpoint(inner, "/talk", "echo", reactor=reactor)
        error = await self.assertFailure(endpoint.connect(RecorderFactory()), Exception)
        assert "certificate verify failed" in repr(error)
        await site.stop()  # the server learns of it a moment later

    async def test_a_server_that_does_not_answer(self) -> None:
        """At the deadline the client closes the connection, and the server learns of it."""
        gone: Deferred[Any] = Deferred()
        factory = RecorderFactory(lost=lambda p: gone.callback(p.lost.type))
        inner = self.loopback.endpoint(await self.loopback.serve(factory, "tcp"), "tcp")
        endpoint = UpgradeClientEndpoint(inner, "/talk", "echo", timeout=0.1, reactor=reactor)
        await self.assertFailure(endpoint.connect(RecorderFactory()), ConnectTimeout)
        assert await gone is ConnectionLost


class Capitals(amp.Command):
    """Asks for a text in capitals."""

    arguments = [(b"text", amp.Unicode())]  # noqa: RUF012
    response = [(b"text", amp.Unicode())]  # noqa: RUF012


class CapitalsServer(amp.AMP):
    """Answers."""

    @Capitals.responder
    def capitals(self, text: str) -> dict[str, str]:
        return {"text": text.upper()}


class StockSiteTests(ClientTests):
    """The same against ``twisted.web.server.Site``."""

    site = Site


class OtherEndpointsTests(TestCase):
    """What Twisted puts on endpoints, and endpoints that are not a plain socket."""

    async def test_a_service_that_connects_again(self) -> None:
        """``ClientService`` runs on it, here with AMP, and asks for the switch again when the connection is lost."""
        loopback = Loopback()
        self.addCleanup(lambda: Deferred.fromCoroutine(loopback.close()))
        factory = Factory.forProtocol(CapitalsServer)
        factory.noisy = False
        site = UpgradeSite(UpgradeResource([stream("amp", factory)]))
        inner = loopback.endpoint(await loopback.serve(site, "tcp"), "tcp")
        client = Factory.forProtocol(amp.AMP)
        client.noisy = False
        service = ClientService(UpgradeClientEndpoint(inner, "/", "amp", reactor=reactor), client, lambda _: 0.0)
        service.startService()
        first: Any = await service.whenConnected()
        assert await first.callRemote(Capitals, text="tea") == {"text": "TEA"}
        first.transport.abortConnection()
        second: Any = first
        while second is first:
            await deferLater(reactor, 0)  # type: ignore[arg-type]
            second = await service.whenConnected()
        assert await second.callRemote(Capitals, text="more") == {"text": "MORE"}
        await service.stopService()

    async def test_the_secure_example(self) -> None:
        """The documentation's endpoint over TLS checks the certificate, and names the host."""
        loopback = Loopback()
        self.addCleanup(lambda: Deferred.fromCoroutine(loopback.close()))
        hosts: list[Any] = []
        factory = RecorderFactory(upgraded=lambda p: hosts.append(p.info.client.authority))
        root = Resource()
        root.putChild(b"talk", UpgradeResource([stream("shout/1", factory)]))
        port = int((await loopback.serve(UpgradeSite(root), "tls")).rpartition(":")[2])
        path = ROOT / "docs" / "examples" / "own_protocol" / "secure_client.py"
        endpoint = run_path(str(path))["secure_endpoint"](reactor, "localhost", port, loopback.authority)
        client: Any = await endpoint.connect(Factory.forProtocol(Conversation))
        client.transport.loseConnection()
        await client.closed
        assert hosts == [b"localhost:%d" % port]

    async def test_one_request_for_all_addresses(self) -> None:
        """Of the connections that ``HostnameEndpoint`` tries, one asks."""
        loopback = Loopback()
        self.addCleanup(lambda: Deferred.fromCoroutine(loopback.close()))
        heard: list[bytes] = []

        class Server(Protocol):
            def dataReceived(self, data: bytes) -> None:
                heard.append(data)
                self.transport.write(b"HTTP/1.1 101 \r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")  # type: ignore[union-attr]

        factory = Factory.forProtocol(Server)
        factory.noisy = False
        port = int((await loopback.serve(factory, "tcp")).rpartition(":")[2])
        inner = endpoints.HostnameEndpoint(reactor, "localhost", port)
        endpoint = UpgradeClientEndpoint(inner, "/", "x", host=f"localhost:{port}", reactor=reactor)
        client: Any = await endpoint.connect(Factory.forProtocol(Conversation))
        assert [data.count(b"Host: localhost:") for data in heard] == [1]
        client.transport.loseConnection()
        await client.closed
