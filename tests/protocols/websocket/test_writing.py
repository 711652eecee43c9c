"""Clients that do not read."""

from __future__ import annotations

from typing import Any

from tests.producers import Producer
from tests.protocols.websocket.support import BINARY, PONG, TEXT, Connection, WebSocketTestCase, close, frame

KIB = 1 << 10
MIB = 1 << 20


class SlowReaders(WebSocketTestCase):
    """A-21, A-29: what is kept for a client that does not read has an end, in bytes and in time."""

    def fill(self, size: int = 200 * KIB, **options: Any) -> Connection:
        """Open a connection, and write more than the client is ready to read."""
        connection = self.connect(window=1000, ping_interval=None, **options)
        while size > 0:
            connection.protocol.sendMessage(bytes(10 * KIB), isBinary=True)
            connection.flush()
            size -= 10 * KIB
        return connection

    def assert_dropped(self, connection: Connection) -> None:
        assert connection.wire.aborted
        assert connection.summary is not None
        assert connection.summary.reason == "slow_reader"
        assert connection.protocol.seen[-1][:3] == ("close", False, 1006)
        self.assert_no_timers()

    def test_reading_stops_and_goes_on(self) -> None:
        """While the write buffer is full nothing is read; afterwards reading goes on, and nobody is registered."""
        connection = self.fill()
        assert not connection.wire.reading
        connection.wire.window = None
        connection.flush()
        assert connection.wire.reading
        assert connection.wire.producer is None
        assert sum(map(len, connection.messages)) == 200 * KIB
        connection.receive(frame(TEXT, b"still here"))
        assert connection.messages[-1] == b"still here"
        self.end(connection)

    def test_a_reader_that_keeps_up(self) -> None:
        """A client that reads all is never paused, and no producer stays registered."""
        connection = self.connect(ping_interval=None)
        for _ in range(100):
            connection.receive(frame(BINARY, bytes(20 * KIB)))
            self.clock.advance(0.01)
        assert connection.wire.producer is None
        self.end(connection)

    def test_max_unsent(self) -> None:
        """Beyond max_unsent the connection is reset before another message is added."""
        connection = self.fill(size=10 * MIB)
        assert connection.open
        while connection.open:
            assert len(connection.wire.sent) < 17 * MIB
            connection.protocol.sendMessage(bytes(10 * KIB))
        self.assert_dropped(connection)

    def test_a_close_that_is_too_much(self) -> None:
        """Where the Close frame itself resets the connection, it is closed and nothing waits for an answer."""
        connection = self.connect(window=0, ping_interval=None, max_unsent=1000)
        connection.protocol.sendMessage(bytes(100 * KIB))
        connection.protocol.sendClose(1000)
        self.assert_dropped(connection)
        assert connection.protocol.state == connection.protocol.STATE_CLOSED

    def test_one_large_message_passes(self) -> None:
        """The limit is about what is already unsent: a message larger than it can be sent."""
        connection = self.connect(ping_interval=None)
        connection.protocol.sendMessage(bytes(20 * MIB))
        connection.flush()
        assert len(connection.messages[0]) == 20 * MIB
        self.end(connection)

    def test_a_busy_connection_that_never_drains(self) -> None:
        """What counts is what is unsent, not what was ever written while the buffer was never empty."""
        connection = self.fill(max_unsent=MIB)
        for _ in range(500):
            connection.protocol.sendMessage(bytes(10 * KIB))
            connection.wire.window = 10 * KIB
            connection.flush()
        assert connection.open
        self.end(connection)

    def test_stall(self) -> None:
        """Nothing read for write_timeout: reset. A little read now and then: not."""
        connection = self.fill(write_timeout=30)
        for _ in range(5):
            self.advance(25)
            connection.wire.window = 100
            connection.flush()
        assert connection.open
        self.advance(61)
        self.assert_dropped(connection)

    def test_no_limits(self) -> None:
        """max_unsent=None and write_timeout=None keep whatever there is."""
        connection = self.fill(size=20 * MIB, max_unsent=None, write_timeout=None)
        self.advance(1000)
        assert connection.open
        self.end(connection)

    def test_a_pause_is_no_ping_timeout(self) -> None:
        """Whose pongs we do not read is not blamed for silence."""
        connection = self.connect(window=1000, ping_interval=5, ping_timeout=5)
        connection.protocol.sendMessage(bytes(200 * KIB))
        connection.protocol.sendMessage(bytes(200 * KIB))
        assert not connection.wire.reading
        for _ in range(8):
            self.advance(5)
            connection.wire.window = 10 * KIB
            connection.flush()
        assert connection.open
        connection.wire.window = None
        connection.flush()
        ping = connection.frames[-1]
        connection.receive(frame(PONG, ping[1]))
        self.advance(4)
        assert connection.open
        self.end(connection)

    def test_close_to_a_slow_reader(self) -> None:
        """Behind our Close the client's is read, although the buffer is full; then what is unsent is still sent."""
        connection = self.fill()
        connection.protocol.sendClose(1000)
        assert connection.wire.reading
        connection.receive(close(1000))
        assert connection.open
        for _ in range(30):
            self.advance(6)
            connection.wire.window = 10 * KIB
            connection.flush()
        assert not connection.open
        assert not connection.wire.aborted
        assert sum(map(len, connection.messages)) == 200 * KIB
        self.assert_no_timers()

    def test_close_to_a_dead_reader(self) -> None:
        """What does not move for write_timeout behind the closing handshake is thrown away."""
        connection = self.fill(write_timeout=10).receive()
        connection.protocol.sendClose(1000)
        connection.receive(close(1000))
        self.advance(16)
        assert connection.wire.aborted
        self.assert_no_timers()


class Producers(WebSocketTestCase):
    """Producers that the application registers."""

    def test_push(self) -> None:
        """A push producer is paused and resumed, reading stops meanwhile, and unregistering ends it."""
        connection = self.connect(window=0, ping_interval=None)
        producer = Producer()
        connection.protocol.registerProducer(producer, True)
        connection.protocol.sendMessage(bytes(100 * KIB))
        assert producer.calls == ["pause"]
        assert not connection.wire.reading
        connection.wire.window = None
        connection.flush()
        assert producer.calls == ["pause", "resume"]
        assert connection.wire.reading
        connection.protocol.unregisterProducer()
        assert connection.wire.producer is None
        self.end(connection)

    def test_push_while_full(self) -> None:
        """The watch gives way while the buffer is full; the producer learns that it is."""
        connection = self.connect(window=0, ping_interval=None)
        connection.protocol.sendMessage(bytes(100 * KIB))
        connection.protocol.sendMessage(b"x")
        assert connection.wire.producer is not None
        producer = Producer()
        connection.protocol.registerProducer(producer, True)
        assert producer.calls == ["pause"]
        connection.protocol.unregisterProducer()
        assert connection.wire.reading
        connection.protocol.sendMessage(bytes(70 * KIB))
        assert not connection.wire.reading
        self.end(connection)

    def test_stalled_with_a_producer(self) -> None:
        """A-21: an application's push producer does not take the limit away."""
        connection = self.connect(window=0, ping_interval=None, write_timeout=20)
        producer = Producer()
        connection.protocol.registerProducer(producer, True)
        connection.protocol.sendMessage(bytes(100 * KIB))
        self.advance(21)
        assert connection.wire.aborted
        assert producer.calls == ["pause"]
        self.assert_no_timers()

    def test_pull(self) -> None:
        """A pull producer is the transport's own business."""
        connection = self.connect(ping_interval=None)
        producer = Producer()
        connection.protocol.registerProducer(producer, False)
        assert producer.calls == ["resume"]
        connection.protocol.sendMessage(bytes(100 * KIB))
        connection.flush()
        assert producer.calls == ["resume", "resume"]
        connection.protocol.unregisterProducer()
        assert connection.wire.producer is None
        self.end(connection)

    def test_directly_on_the_transport(self) -> None:
        """A producer registered with the transport itself stays registered, and the close handshake ends it."""
        connection = self.connect(ping_interval=None)
        producer = Producer()
        connection.protocol.transport.registerProducer(producer, True)
        for _ in range(20):
            connection.protocol.sendMessage(bytes(10 * KIB))
        assert connection.wire.producer is producer
        assert producer.calls[:1] == ["pause"]
        connection.flush()
        connection.receive(close(1000))
        assert not connection.open
        self.assert_no_timers()
