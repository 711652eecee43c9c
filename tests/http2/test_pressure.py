"""Back-pressure on who produces, and an end to those who take nothing."""

from __future__ import annotations

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.http1.wire import Later, Rendered
from tests.http2.client import (
    CANCEL,
    INITIAL_WINDOW_SIZE,
    Client,
    fields,
    window_update,
)
from tests.http2.producers import Pulled
from tests.producers import Producer


class BackPressure(SynchronousTestCase):
    """EC-09: whoever produces is told to wait, and to go on."""

    def test_push(self) -> None:
        """A push producer is paused when much waits, resumed when half has gone, stopped with its stream."""
        root = Later()
        client = Client(root, values={INITIAL_WINDOW_SIZE: 0})
        client.send(client.head(1))
        request, producer = root.requests[0], Producer()
        request.registerProducer(producer, True)
        request.write(b"x" * 65_536)
        assert producer.calls == []
        request.write(b"x")
        request.write(b"x")
        assert producer.calls == ["pause"]
        client.send(window_update(30_000, 1))
        assert producer.calls == ["pause"]
        client.send(window_update(10_000, 1))
        assert producer.calls == ["pause", "resume"]
        client.connection.abort()
        client.turn()
        assert producer.calls == ["pause", "resume", "stop"]

    def test_pull(self) -> None:
        """A pull producer is asked for a piece when the last has gone, no sooner and no more often."""
        root = Later()
        client = Client(root, values={INITIAL_WINDOW_SIZE: 15_000})
        client.send(client.head(1))
        producer = Pulled(root.requests[0], 10)
        root.requests[0].registerProducer(producer, False)
        client.turn()
        assert producer.asked == 2
        client.send(window_update(4999, 1))
        assert producer.asked == 2
        client.send(window_update(2, 1))
        assert producer.asked == 3
        client.send(window_update(50_000, 1), window_update(100_000))
        client.send(window_update(100_000, 1))
        assert client[1].body == b"x" * 100_000
        assert client[1].ended

    def test_a_pull_producer_that_has_nothing(self) -> None:
        """A pull producer that writes nothing when asked is not asked again until it has written."""
        root = Later()
        client = Client(root)
        client.send(client.head(1))
        asked: list[None] = []

        class Idle:
            def resumeProducing(self) -> None:
                asked.append(None)

            def stopProducing(self) -> None:
                pass

        root.requests[0].registerProducer(Idle(), False)
        client.turn()
        client.send(client.head(3))
        assert len(asked) == 1
        root.requests[0].write(b"now")
        client.turn()
        assert len(asked) == 2
        root.requests[0].unregisterProducer()

    def test_two_producers(self) -> None:
        """A second producer is refused."""
        root = Later()
        client = Client(root)
        client.send(client.head(1))
        stream = root.requests[0].channel
        stream.registerProducer(Producer(), True)
        with pytest.raises(RuntimeError):
            stream.registerProducer(Producer(), True)

    def test_a_full_socket(self) -> None:
        """A client that does not read its socket has little written for it; then all, in turns, when it reads."""
        root = Rendered(lambda _: b"x" * 300_000)
        client = Client(root, values={INITIAL_WINDOW_SIZE: 2**30}, buffer=8192)
        client.send(window_update(2**30))
        client.wire.socket.setblocking(False)
        for number in range(1, 21, 2):
            client.wire.socket.send(client.head(number))
            client.wire.turn(read=False)
        connection = client.connection
        for _ in range(5):
            client.reactor.advance(0)
            client.wire.turn(read=False)
        assert connection.blocked
        transport = client.wire.transport
        assert len(transport.dataBuffer) + transport._tempDataLen < 200_000
        client.turn()
        assert [len(client[number].body) for number in range(1, 21, 2)] == [300_000] * 10

    def test_no_timer_spins(self) -> None:
        """A-21: while windows are empty, nothing is scheduled but the deadline of the connection."""
        client = Client(Rendered(lambda _: b"x" * 100_000))
        client.send(client.head(1))
        assert not client[1].ended
        assert len(client.reactor.getDelayedCalls()) == 1


class Stalls(SynchronousTestCase):
    """A-21: whoever takes nothing is given up, and what the client pretends to take does not count."""

    def test_no_window(self) -> None:
        """A stream whose client opens no window is reset after write_timeout; the others go on."""
        root = Rendered(lambda request: b"x" * int(request.uri[1:]))
        client = Client(root, values={INITIAL_WINDOW_SIZE: 100}, write_timeout=20)
        client.send(client.head(1, fields(path=b"/1000")))
        client.advance(15)
        client.send(client.head(3, fields(path=b"/50")))
        assert client[3].ended
        assert client[1].code is None
        client.advance(10)
        assert client[1].code == CANCEL
        client.send(client.head(5, fields(path=b"/50")))
        assert client[5].ended

    def test_a_byte_now_and_then(self) -> None:
        """A client that opens its window by single bytes is reset all the same."""
        client = Client(Rendered(lambda _: b"x" * 5000), values={INITIAL_WINDOW_SIZE: 0}, write_timeout=20)
        client.send(client.head(1))
        for _ in range(23):
            client.advance(1)
            if client[1].code is None:
                client.send(window_update(1, 1))
        assert client[1].code == CANCEL

    def test_slow_but_steady(self) -> None:
        """A client that takes a kilobyte now and then is served to the end."""
        client = Client(Rendered(lambda _: b"x" * 10_240), values={INITIAL_WINDOW_SIZE: 0}, write_timeout=20)
        client.send(client.head(1))
        for _ in range(10):
            client.advance(15)
            client.send(window_update(1024, 1))
        assert client[1].ended

    def test_a_full_socket(self) -> None:
        """A client that reads nothing from its socket is cut off after write_timeout."""
        root = Rendered(lambda _: b"x" * 1_000_000)
        client = Client(root, values={INITIAL_WINDOW_SIZE: 2**30}, buffer=8192, write_timeout=20)
        client.wire.socket.send(window_update(2**30) + client.head(1))
        for _ in range(30):
            client.wire.turn(read=False)
            client.reactor.advance(1)
        assert not client.wire.open
        assert len(client.site.connections) == 0

    def test_producers_are_stopped(self) -> None:
        """A stalled stream's producer is stopped, and its request told."""
        root, log = Later(), []
        client = Client(root, values={INITIAL_WINDOW_SIZE: 0}, write_timeout=20)
        client.send(client.head(1))
        producer = Producer()
        root.requests[0].notifyFinish().addErrback(log.append)
        root.requests[0].registerProducer(producer, True)
        root.requests[0].write(b"x")
        client.advance(23)
        assert producer.calls == ["stop"]
        assert len(log) == 1
