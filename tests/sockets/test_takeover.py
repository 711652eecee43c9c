"""Taking a connection over on every kind of transport, with real sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase
from twisted.web.resource import Resource
from twisted.web.server import Site

from tests.memory import content_of, upgrade_request
from tests.protocols_for_tests import RecorderFactory, echo
from tests.sockets.loopback import KINDS, Loopback
from upgradegw.interfaces import Allow
from upgradegw.protocols.stream import stream
from upgradegw.web.resource import UpgradeResource
from upgradegw.web.site import UpgradeSite

SIZES = (0, 1, 20_000, 100_000)


def _pattern(size: int) -> bytes:
    return (bytes(range(256)) * (size // 256 + 1))[:size]


class _OnEachSite:
    """Tests that run on both kinds of site, over each kind of transport."""

    site: Any

    def setUp(self) -> None:
        self.loopback = Loopback()
        self.addCleanup(lambda: Deferred.fromCoroutine(self.loopback.close()))  # type: ignore[attr-defined]

    async def exchange(self, kind: str, factory: RecorderFactory, *segments: bytes, authorize: Any = None) -> Any:
        """Serve the factory under the token ``echo``; send the segments with a pause between them."""
        root = Resource()
        root.putChild(b"", UpgradeResource([stream("echo", factory)], authorize=authorize))
        address = await self.loopback.serve(self.site(root), kind)
        client = await self.loopback.connect(address, kind)
        for number, segment in enumerate(segments):
            if number:
                await deferLater(reactor, 0.02)  # type: ignore[arg-type]
            client.write(segment)
        return client

    async def become_true(self, condition: Callable[[], Any]) -> None:
        """Wait until something holds, four seconds at most."""
        for _ in range(200):
            if condition():
                return
            await deferLater(reactor, 0.02)  # type: ignore[arg-type]

    async def test_leading_data(self) -> None:
        """WS-22: 0, 1, 20,000 and 100,000 bytes in the request's segment reach the protocol in order."""
        for kind in KINDS:
            for size in SIZES:
                data = _pattern(size)
                factory = RecorderFactory(data=echo)
                client = await self.exchange(kind, factory, upgrade_request() + data)
                received = await client.until(lambda r, size=size: b"\r\n\r\n" in r and len(content_of(r)) >= size)
                assert received.startswith(b"HTTP/1.1 101 "), (kind, size)
                assert content_of(received) == data, (kind, size)
                client.write(b"+")
                await client.until(lambda r, data=data: content_of(r) == data + b"+")

    async def test_server_speaks_first(self) -> None:
        """WS-22: and a protocol that greets its client does so before it answers."""
        for kind in KINDS:
            for size in SIZES:
                data = _pattern(size)
                factory = RecorderFactory(made=lambda p: p.transport.write(b"220 ready\n"), data=echo)
                client = await self.exchange(kind, factory, upgrade_request() + data)
                received = await client.until(lambda r, size=size: b"\r\n\r\n" in r and len(content_of(r)) >= 10 + size)
                assert content_of(received) == b"220 ready\n" + data, (kind, size)

    async def test_data_while_prepare_waits(self) -> None:
        """WS-22: bytes that arrive while the application thinks are all there when it has thought."""
        for kind in KINDS:
            for size in SIZES:
                data = _pattern(size)
                factory = RecorderFactory(data=echo)
                client = await self.exchange(
                    kind,
                    factory,
                    upgrade_request(),
                    data,
                    authorize=lambda request: deferLater(reactor, 0.06, Allow),  # type: ignore[arg-type]
                )
                received = await client.until(lambda r, size=size: b"\r\n\r\n" in r and len(content_of(r)) >= size)
                assert content_of(received) == data, (kind, size)

    async def test_lose_connection_flushes(self) -> None:
        """A protocol that writes and closes in connectionMade is heard out, and the connection ends."""

        def say_goodbye(protocol: Any) -> None:
            protocol.transport.write(b"bye" * 50_000)
            protocol.transport.loseConnection()

        for kind in KINDS:
            factory = RecorderFactory(made=say_goodbye)
            client = await self.exchange(kind, factory, upgrade_request() + b"dropped")
            await client.closed
            assert content_of(client.received) == b"bye" * 50_000, kind
            assert factory.only.data == b"", kind

    async def test_abort_connection(self) -> None:
        """abortConnection ends it at once."""
        for kind in KINDS:
            factory = RecorderFactory(data=lambda p: p.transport.abortConnection())
            client = await self.exchange(kind, factory, upgrade_request() + b"x")
            await client.closed
            await self.become_true(lambda factory=factory: factory.only.lost)
            assert factory.only.lost is not None, kind

    async def test_client_leaves(self) -> None:
        """The protocol learns that its client is gone."""
        for kind in KINDS:
            gone: Deferred[None] = Deferred()
            factory = RecorderFactory(lost=lambda p, gone=gone: gone.callback(None))
            client = await self.exchange(kind, factory, upgrade_request())
            await client.until(lambda r: b"\r\n\r\n" in r)
            client.transport.loseConnection()
            await gone

    async def test_back_pressure(self) -> None:
        """A producer that the protocol registers is paused while the client does not read, and resumed when it does."""

        class Chunks:
            def __init__(self, transport: Any) -> None:
                self.transport, self.left, self.pauses, self.going = transport, 400, 0, True

            def resumeProducing(self) -> None:
                self.going = True
                while self.going and self.left:
                    self.left -= 1
                    self.transport.write(b"x" * 50_000)
                if not self.left:
                    self.transport.unregisterProducer()
                    self.transport.loseConnection()

            def pauseProducing(self) -> None:
                self.pauses += 1
                self.going = False

            def stopProducing(self) -> None:
                self.going = False

        for kind in KINDS:
            producers: list[Chunks] = []

            def made(protocol: Any, producers: list[Chunks] = producers) -> None:
                producers.append(Chunks(protocol.transport))
                protocol.transport.registerProducer(producers[0], True)
                producers[0].resumeProducing()

            client = await self.exchange(kind, RecorderFactory(made=made), upgrade_request())
            await client.until(lambda r: b"\r\n\r\n" in r)
            client.transport.pauseProducing()
            await self.become_true(lambda producers=producers: producers and producers[0].pauses)
            await deferLater(reactor, 0.05)  # type: ignore[arg-type]
            assert producers[0].pauses, kind
            assert producers[0].left > 100, kind
            client.transport.resumeProducing()
            await client.closed
            assert len(content_of(client.received)) == 20_000_000, kind

    async def test_half_close(self) -> None:
        """A-32: on TCP and UNIX sockets a client may end its side and still be answered."""
        for kind in ("tcp", "unix"):

            def answer(protocol: Any) -> None:
                protocol.transport.write(b"you said " + protocol.data)
                protocol.transport.loseConnection()

            client = await self.exchange(kind, RecorderFactory(half_close=True, read_lost=answer), upgrade_request())
            client.write(b"all of this")
            client.transport.loseWriteConnection()
            await client.closed
            assert content_of(client.received) == b"you said all of this", kind


class StockSiteTests(_OnEachSite, TestCase):
    """``twisted.web.server.Site``."""

    site = Site


class UpgradeSiteTests(_OnEachSite, TestCase):
    """``UpgradeSite``."""

    site = UpgradeSite

    async def test_end_of_stream_right_behind_the_request(self) -> None:
        """A-32: a FIN in the request's own packet train neither loses the leading data nor the answer."""
        for kind in ("tcp", "unix"):

            def answer(protocol: Any) -> None:
                protocol.transport.write(b"you said " + protocol.data)
                protocol.transport.loseConnection()

            factory = RecorderFactory(half_close=True, read_lost=answer)
            client = await self.exchange(
                kind,
                factory,
                upgrade_request() + b"all",
                authorize=lambda request: deferLater(reactor, 0.05, Allow),  # type: ignore[arg-type]
            )
            client.transport.loseWriteConnection()
            await client.closed
            assert content_of(client.received) == b"you said all", kind
