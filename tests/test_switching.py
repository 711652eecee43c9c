"""The switch in its one order, over a stock HTTPChannel and over our own, in memory."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from tests.memory import Memory, content_of, fields_of, upgrade_request
from tests.protocols_for_tests import RecorderFactory, echo
from upgradegw.events import access_events
from upgradegw.interfaces import Allow
from upgradegw.protocols.stream import stream
from upgradegw.switching import checked_fields, http1_switching_head
from upgradegw.web.resource import UpgradeResource


def test_fields_are_checked() -> None:
    """A-35: a name that is no token, or a value with control characters, never reaches a response head."""
    assert checked_fields(((b"X-A", b"1"),)) == ((b"X-A", b"1"),)
    for name, value in [(b"X A", b"1"), (b"", b"1"), (b"X-A", b"1\r\nX-B: 2"), (b"X-A", b"\x00")]:
        with pytest.raises(ValueError, match=r"field name|control"):
            checked_fields(((name, value),))


def test_head() -> None:
    """UP-15: a 101 is a status line, fields and an empty line, without content."""
    head = http1_switching_head(b"UPGRADED", ((b"Upgrade", b"tcp"), (b"Connection", b"Upgrade")))
    assert head == b"HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n\r\n"


class _OnEachSite:
    """Tests that run on both kinds of site."""

    stock: bool

    def connect(self, factory: RecorderFactory, authorize: Any = None, **arguments: Any) -> Memory:
        return Memory(UpgradeResource([stream("echo", factory)], authorize=authorize, **arguments), stock=self.stock)

    def test_order(self) -> None:
        """The 101 is out before ``upgraded``, which comes before ``makeConnection``, which comes before the data."""
        seen: list[bytes] = []
        factory = RecorderFactory(upgraded=lambda p: seen.append(memory.received))
        memory = self.connect(factory)
        memory.send(upgrade_request() + b"hello")
        assert factory.only.events == ["upgraded", "made", "data"]
        assert factory.only.data == b"hello"
        assert seen[0].startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
        assert seen[0].endswith(b"\r\n\r\n")

    def test_response(self) -> None:
        """UP-01, UP-02, UP-15: one Upgrade with the token, Connection names it, no content and no length."""
        memory = self.connect(RecorderFactory())
        response = memory.send(upgrade_request(b"foo, ECHO"))
        fields = fields_of(response)
        assert fields[b"upgrade"] == b"echo"
        assert fields[b"connection"] == b"Upgrade"
        assert b"content-length" not in fields
        assert b"transfer-encoding" not in fields
        assert b"content-type" not in fields
        assert content_of(response) == b""

    def test_every_split(self) -> None:
        """WS-22: request and first bytes arrive, in order and once, however the stream is cut in two."""
        wire = upgrade_request() + b"first and second"
        for position in range(len(wire) + 1):
            factory = RecorderFactory(data=echo)
            memory = self.connect(factory)
            response = memory.send(wire[:position], wire[position:])
            assert content_of(response) == b"first and second", position

    def test_byte_by_byte(self) -> None:
        """WS-22: the same, one byte at a time."""
        factory = RecorderFactory(data=echo)
        memory = self.connect(factory)
        wire = upgrade_request() + b"first and second"
        response = memory.send(*[wire[i : i + 1] for i in range(len(wire))])
        assert content_of(response) == b"first and second"

    def test_large_leading_data(self) -> None:
        """WS-22: 1 byte, 20 KB and 100 KB behind the request, in one segment."""
        for size in (1, 20_000, 100_000):
            data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
            factory = RecorderFactory(data=echo)
            memory = self.connect(factory)
            assert content_of(memory.send(upgrade_request() + data)) == data
            assert memory.transport.producerState == "producing"

    def test_server_speaks_first(self) -> None:
        """What the protocol writes in connectionMade comes behind the 101 and before any answer to leading data."""
        factory = RecorderFactory(made=lambda p: p.transport.write(b"hi "), data=echo)
        memory = self.connect(factory)
        assert content_of(memory.send(upgrade_request() + b"there")) == b"hi there"

    def test_bytes_while_prepare_waits(self) -> None:
        """A-05: bytes that arrive while the application thinks are kept, in order, and reading stops at a limit."""
        answer: Deferred[Allow] = Deferred()
        factory = RecorderFactory(data=echo)
        memory = self.connect(factory, authorize=lambda request: answer)
        data = [b"%05d" % number * 4000 for number in range(10)]
        memory.send(upgrade_request() + b"one ", b"two ", *data)
        assert memory.received == b""
        assert memory.transport.producerState == "paused"
        answer.callback(Allow())
        assert content_of(memory.received) == b"one two " + b"".join(data)
        assert memory.transport.producerState == "producing"

    def test_pause_keeps_leading_data(self) -> None:
        """A protocol that pauses in connectionMade gets nothing until it resumes, and then everything in order."""
        factory = RecorderFactory(made=lambda p: p.transport.pauseProducing(), data=echo)
        memory = self.connect(factory)
        memory.send(upgrade_request() + b"kept ")
        memory.send(b"and held")
        assert factory.only.data == b""
        assert memory.transport.producerState == "paused"
        factory.only.transport.resumeProducing()
        assert content_of(memory.received) == b"kept and held"
        assert memory.transport.producerState == "producing"
        factory.only.transport.pauseProducing()
        assert memory.transport.producerState == "paused"

    def test_pause_while_leading_data_is_delivered(self) -> None:
        """A pause between two held pieces holds the second one back."""
        factory = RecorderFactory(
            made=lambda p: p.transport.pauseProducing(),
            data=lambda p: p.transport.pauseProducing() if p.data == b"one" else None,
        )
        memory = self.connect(factory)
        memory.send(upgrade_request() + b"one")
        memory.send(b"two")
        factory.only.transport.resumeProducing()
        assert factory.only.data == b"one"
        factory.only.transport.resumeProducing()
        assert factory.only.data == b"onetwo"

    def test_close_drops_leading_data(self) -> None:
        """A protocol that closes in connectionMade gets no data."""
        for method in ("loseConnection", "abortConnection"):
            factory = RecorderFactory(made=lambda p, method=method: getattr(p.transport, method)())
            memory = self.connect(factory)
            memory.send(upgrade_request() + b"too late")
            assert factory.only.events == ["upgraded", "made"]
            assert memory.transport.disconnecting or memory.transport.disconnected

    def test_producers(self) -> None:
        """The transport has no producer of HTTP's left, so the protocol can register its own."""
        producer = object()
        factory = RecorderFactory(made=lambda p: p.transport.registerProducer(producer, True))
        memory = self.connect(factory)
        memory.send(upgrade_request())
        assert memory.transport.producer is producer

    def test_no_timer_is_left(self) -> None:
        """No timer of HTTP's ends an upgraded connection."""
        memory = self.connect(RecorderFactory())
        memory.send(upgrade_request())
        memory.clock.advance(100_000)
        assert not memory.transport.disconnecting
        assert not memory.transport.disconnected

    def test_notify_finish(self) -> None:
        """The request's notifyFinish fires at the switch, and its content is closed."""
        finished: list[Any] = []
        requests: list[Any] = []

        def authorize(request: Any) -> Allow:
            requests.append((request, request.content))
            request.notifyFinish().addBoth(finished.append)
            return Allow()

        memory = self.connect(RecorderFactory(), authorize=authorize)
        memory.send(upgrade_request())
        assert finished == [None]
        ((request, content),) = requests
        assert content.closed
        with pytest.raises(RuntimeError):
            request.write(b"late")

    def test_end(self) -> None:
        """The protocol learns that the connection is gone; the log has a switch and an end with bytes each way."""
        events: list[dict[str, Any]] = []
        unsubscribe = access_events.subscribe(events.append)
        try:
            factory = RecorderFactory(data=echo)
            memory = self.connect(factory)
            memory.send(upgrade_request() + b"12345", b"678")
            memory.clock.advance(2)
            memory.transport.lose(ConnectionDone())
        finally:
            unsubscribe()
        assert factory.only.lost is not None
        switch, end = [event for event in events if event["event"] in ("switch", "end")]
        assert switch["token"] == "echo"
        assert switch["client"] == "192.0.2.7"
        assert (end["bytes_in"], end["bytes_out"], end["reason"], end["seconds"]) == (8, 8, "closed", 2)
        assert end["connection_id"] == switch["connection_id"]

    def test_factory_is_started_and_stopped(self) -> None:
        """doStart comes with the first connection and doStop after the last."""
        factory = RecorderFactory()
        memory = self.connect(factory)
        assert factory.running == 0
        memory.send(upgrade_request())
        assert factory.running == 1
        second = memory.connect()
        second.deliver(upgrade_request())
        memory.transport.lose()
        assert factory.running == 1
        second.lose(ConnectionLost())
        assert factory.running == 0

    def test_half_close(self) -> None:
        """A-32: an IHalfCloseableProtocol is told that the client has ended its side and can go on writing."""
        factory = RecorderFactory(half_close=True, read_lost=lambda p: p.transport.write(b"bye"))
        memory = self.connect(factory)
        memory.send(upgrade_request() + b"x")
        memory.transport.end_of_stream()
        assert factory.only.events == ["upgraded", "made", "data", "read lost"]
        assert content_of(memory.received) == b"bye"

    def test_no_half_close(self) -> None:
        """A-32: to any other protocol the client's end of stream is the end of the connection."""
        factory = RecorderFactory()
        memory = self.connect(factory)
        memory.send(upgrade_request())
        memory.transport.end_of_stream()
        assert factory.only.events == ["upgraded", "made", "lost"]


class StockSiteTests(_OnEachSite, SynchronousTestCase):
    """Over ``twisted.web.server.Site``."""

    stock = True


class UpgradeSiteTests(_OnEachSite, SynchronousTestCase):
    """Over ``UpgradeSite``."""

    stock = False

    def test_end_of_stream_before_the_switch(self) -> None:
        """A-32: a FIN behind the request is told to the protocol after the leading data."""
        answer: Deferred[Allow] = Deferred()
        factory = RecorderFactory(half_close=True)
        memory = self.connect(factory, authorize=lambda request: answer)
        memory.send(upgrade_request() + b"all")
        memory.transport.end_of_stream()
        answer.callback(Allow())
        assert factory.only.events == ["upgraded", "made", "data", "read lost"]
