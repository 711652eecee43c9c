"""The short way of receiving, against the long one and against Autobahn alone."""

from __future__ import annotations

from random import Random
from typing import Any
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.protocols.websocket.support import (
    BINARY,
    PING,
    PONG,
    TEXT,
    Connection,
    Echo,
    WebSocketTestCase,
    close,
    frame,
)
from tests.protocols.websocket.twins import AgainstAutobahn, Twins

randoms = st.integers(0, 1 << 64).map(Random)


class Likeness(Twins):
    """WS-16 to WS-21: a class that looks at no step sees, sends and counts what one sees that looks at each."""

    def test_random_streams(self) -> None:
        """Right and wrong frames, cut anyhow, and an application that does anything: nothing differs after any read."""

        @given(randoms)
        @settings(max_examples=150, deadline=None)
        def check(random: Random) -> None:
            self.compare(random)

        check()


class LikeAutobahn(AgainstAutobahn):
    """The same calls, counters and bytes as from Autobahn without us."""

    def test_random_streams(self) -> None:
        """Up to the failure, and with the same words in the Close."""

        @given(randoms)
        @settings(max_examples=100, deadline=None)
        def check(random: Random) -> None:
            self.compare(random)

        check()


class ShortWay(WebSocketTestCase):
    """Which frames take it."""

    def connect_counting(self, **options: Any) -> Connection:
        """Open a connection that counts how often Autobahn's state machine is asked."""
        connection = self.connect(ping_interval=None, **options)
        protocol = connection.protocol
        self.asked = mock.Mock(side_effect=protocol.processData)
        type(protocol).processData = lambda _: self.asked()
        self.addCleanup(delattr, type(protocol), "processData")
        return connection

    def test_common_frames(self) -> None:
        """Whole messages of every length, in any number of reads: the state machine is not asked at all."""
        connection = self.connect_counting()
        data = b"".join(frame(kind, b"\x41" * size) for kind in (TEXT, BINARY) for size in (0, 5, 125, 126, 70_000))
        connection.receive(data)
        connection.receive(*(data[at : at + 50] for at in range(0, len(data), 50)))
        assert connection.protocol.seen[1:] == [b"\x41" * size for size in (0, 5, 125, 126, 70_000)] * 4
        assert connection.messages == connection.protocol.seen[1:]
        # Only for heads that were cut: is there a frame that is wrong already?
        self.asked.reset_mock()
        connection.receive(data)
        assert self.asked.mock_calls == []
        self.end(connection)

    def test_behind_an_uncommon_frame(self) -> None:
        """A ping between messages is Autobahn's, and what is behind it takes the short way again."""
        connection = self.connect_counting()
        connection.receive(frame(TEXT, b"a") + frame(PING, b"b") + frame(TEXT, b"c") * 50)
        assert connection.frames[:3] == [(TEXT, b"a"), (PONG, b"b"), (TEXT, b"c")]
        assert connection.messages == [b"a"] + [b"c"] * 50
        assert len(self.asked.mock_calls) <= 3
        self.end(connection)

    def test_a_message_in_fragments(self) -> None:
        """A fragmented message is Autobahn's, whatever the reads; the next one is not."""
        connection = self.connect_counting()
        data = frame(TEXT, b"a", fin=False) + frame(0, b"b", fin=False) + frame(0, b"c")
        connection.receive(*(data[at : at + 1] for at in range(len(data))))
        self.asked.reset_mock()
        connection.receive(frame(TEXT, b"d"))
        assert connection.messages == [b"abc", b"d"]
        assert self.asked.mock_calls == []
        self.end(connection)


class Meanwhile(WebSocketTestCase):
    """What happens while a frame is incomplete."""

    def test_the_client_leaves(self) -> None:
        """Nothing is left of the beginning of a frame."""
        connection = self.connect().receive(frame(BINARY, bytes(1000))[:500])
        assert connection.protocol.upgradegw_watch.partial is not None
        self.end(connection)
        assert connection.protocol.upgradegw_watch.partial is None

    def test_a_hook_appears(self) -> None:
        """A hook that is put on the protocol while a frame comes in sees this frame."""
        connection = self.connect(ping_interval=None)
        data = frame(BINARY, bytes(1000))
        connection.receive(data[:500])
        frames: list[Any] = []
        original = connection.protocol.onMessageFrame
        connection.protocol.onMessageFrame = lambda payload: (frames.append(b"".join(payload)), original(payload))
        connection.receive(data[500:])
        assert frames == connection.messages == [bytes(1000)]
        assert connection.protocol.trafficStats.incomingOctetsAppLevel == 1000
        self.end(connection)

    def test_the_server_closes(self) -> None:
        """The Close is sent at once, and the rest of the frame is read, as a message, up to the client's Close."""
        connection = self.connect(ping_interval=None)
        data = frame(BINARY, bytes(1000))
        connection.receive(data[:500])
        connection.protocol.sendClose(1000)
        connection.receive(data[500:] + close(1000))
        assert connection.close_code == 1000
        assert not connection.open
        self.assert_no_timers()


class Within(WebSocketTestCase):
    """Bytes that a transport delivers while earlier ones are worked off."""

    class Resuming(Echo):
        def onMessage(self, payload: bytes, isBinary: bool) -> None:
            super().onMessage(payload, isBinary)
            if payload == b"a":
                self.dataReceived(frame(TEXT, b"c") + frame(TEXT, b"d")[:4])
                self.dataReceived(frame(TEXT, b"d")[4:])

    protocol = Resuming

    def test_order(self) -> None:
        """They are worked off behind those, once, and counted."""
        connection = self.connect(ping_interval=None).receive(frame(TEXT, b"a") + frame(TEXT, b"b"))
        assert connection.messages == [b"a", b"b", b"c", b"d"]
        assert connection.protocol.trafficStats.incomingOctetsWireLevel == 4 * 7
        self.end(connection)


class Pings(WebSocketTestCase):
    """Any message shows that the client is there."""

    def test_any_traffic(self) -> None:
        """With autoPingRestartOnAnyTraffic a message takes the place of the answer to a ping."""
        self.factory.setProtocolOptions(autoPingRestartOnAnyTraffic=True)
        connection = self.connect(ping_interval=10, ping_timeout=5)
        for _ in range(8):
            self.advance(7)
            connection.receive(frame(TEXT, b"here"))
        assert connection.open
        self.advance(20)
        assert not connection.open
        assert connection.protocol.seen[-1][:3] == ("close", False, 1006)
        self.assert_no_timers()
