"""Limits on what a client may do with an open connection."""

from __future__ import annotations

from tests.protocols.websocket.support import (
    CLOSE,
    PING,
    PONG,
    TEXT,
    WebSocketTestCase,
    frame,
)


def fragments(count: int) -> bytes:
    """Return a message of so many frames."""
    return frame(TEXT, b"x", fin=count == 1) + b"".join(frame(0, b"x", fin=i == count - 2) for i in range(count - 1))


class Fragments(WebSocketTestCase):
    """A-26: the number of frames of a message."""

    def test_exact(self) -> None:
        """1,024 frames are a message, 1,025 are not (1008)."""
        connection = self.connect().receive(fragments(1024), fragments(1), fragments(1024))
        assert [len(message) for message in connection.messages] == [1024, 1, 1024]
        connection.receive(fragments(1025))
        assert len(connection.messages) == 3
        self.assert_ended(connection, 1008, "too_many_fragments")

    def test_given(self) -> None:
        """max_fragments= holds; control frames between do not count; None is no limit."""
        message = frame(TEXT, fin=False) + frame(PING) + frame(0, fin=False) + frame(PING) + frame(0)
        connection = self.connect(max_fragments=3).receive(message)
        assert connection.messages == [b""]
        self.end(connection)
        self.assert_ended(self.connect(max_fragments=2).receive(message), 1008, "too_many_fragments")
        connection = self.connect(max_fragments=None).receive(fragments(3000))
        assert len(connection.messages) == 1
        self.end(connection)


class MessageDeadline(WebSocketTestCase):
    """A-26: a message that has begun must be completed."""

    def test_slow_frame(self) -> None:
        """A byte now and then does not keep a message alive: 1008 at message_timeout."""
        connection = self.connect(ping_interval=None)
        for byte in frame(TEXT, bytes(100))[:59]:
            connection.receive(bytes([byte]))
            self.clock.advance(1)
        assert connection.close_code is None
        self.clock.advance(1.1)
        connection.flush()
        self.assert_ended(connection, 1008, "message_timeout", frame(TEXT, bytes(100))[59:])

    def test_half_a_header(self) -> None:
        """The deadline begins with the first byte of a frame's header, also of a control frame's."""
        for begun in (frame(TEXT)[:1], frame(PING, b"x")[:3], frame(TEXT, fin=False)):
            connection = self.connect(message_timeout=10, ping_interval=None).receive(begun)
            self.clock.advance(10)
            connection.flush()
            assert connection.close_code == 1008
            self.end(connection)

    def test_no_timer_for_complete_messages(self) -> None:
        """Messages that come whole need no timer; behind one that came in pieces it fires once and finds nothing."""
        connection = self.connect(ping_interval=None).receive(frame(TEXT, b"a"), frame(TEXT, b"b") * 5)
        assert self.clock.getDelayedCalls() == []
        connection.receive(frame(TEXT, b"c")[:3])
        assert len(self.clock.getDelayedCalls()) == 1
        connection.receive(frame(TEXT, b"c")[3:])
        self.clock.advance(60)
        assert connection.close_code is None
        assert self.clock.getDelayedCalls() == []
        self.end(connection)

    def test_a_timer_that_was_left(self) -> None:
        """The deadline counts from the message that is incomplete, not from an earlier one whose timer still runs."""
        connection = self.connect(message_timeout=10, ping_interval=None)
        connection.receive(frame(PING, b"c")[:3], frame(PING, b"c")[3:])
        self.clock.advance(9)
        connection.receive(frame(TEXT, b"abc")[:7])
        self.advance(9)
        assert connection.close_code is None
        self.advance(2)
        connection.flush()
        self.assert_ended(connection, 1008, "message_timeout", frame(TEXT, b"abc")[7:])

    def test_each_message_has_its_own(self) -> None:
        """A client that always has the next message underway is not late."""
        connection = self.connect(message_timeout=10, ping_interval=None)
        message = frame(TEXT, b"abc")
        connection.receive(message[:4])
        for _ in range(30):
            self.clock.advance(4)
            connection.receive(message[4:] + message[:4])
        assert len(connection.messages) == 30
        self.clock.advance(9)
        assert connection.close_code is None
        self.clock.advance(1)
        connection.flush()
        self.assert_ended(connection, 1008, "message_timeout", message[4:])

    def test_none(self) -> None:
        """message_timeout=None allows an endless message."""
        connection = self.connect(message_timeout=None, ping_interval=None).receive(frame(TEXT)[:1])
        assert self.clock.getDelayedCalls() == []
        self.end(connection)


class ControlFrames(WebSocketTestCase):
    """A-29: a flood of control frames."""

    def test_flood(self) -> None:
        """More than 100 within a second: Close 1008, and no further pong."""
        connection = self.connect().receive(frame(PING, b"p") * 100)
        assert connection.frames == [(PONG, b"p")] * 100
        connection.receive(frame(PONG) * 2)
        assert len(connection.frames) == 101
        self.assert_ended(connection, 1008, "control_flood")

    def test_rate(self) -> None:
        """As many as are allowed may come for ever."""
        connection = self.connect(control_frames_per_second=10, ping_interval=None)
        for _ in range(200):
            connection.receive(frame(PING))
            self.clock.advance(0.1)
        assert connection.close_code is None
        self.end(connection)

    def test_none(self) -> None:
        """control_frames_per_second=None is no limit."""
        connection = self.connect(control_frames_per_second=None).receive(frame(PONG) * 5000)
        assert connection.close_code is None
        self.end(connection)


class Pings(WebSocketTestCase):
    """A-31: a vanished client is noticed."""

    def test_no_pong(self) -> None:
        """Without an answer in ping_timeout the connection is reset; with one it lives."""
        connection = self.connect(ping_interval=5, ping_timeout=3)
        self.advance(5)
        connection.flush()
        (ping,) = connection.frames
        assert ping[0] == PING
        connection.receive(frame(PONG, ping[1]))
        self.advance(4)
        assert connection.open
        self.advance(5)
        assert connection.wire.aborted
        assert connection.summary is not None
        assert connection.summary.reason == "ping_timeout"
        self.assert_no_timers()


class Stopping(WebSocketTestCase):
    """What a stop of the server does."""

    def test_going_away(self) -> None:
        """Close 1001, and the reason is the stop."""
        connection = self.connect()
        assert connection.accept.ending is not None
        connection.accept.ending.going_away()
        connection.accept.ending.going_away()
        connection.flush()
        assert connection.frames == [(CLOSE, b"\x03\xe9")]
        self.assert_ended(connection, 1001, "stopped")

    def test_lost(self) -> None:
        """A connection that ends without a Close was lost; bytes are counted on the wire."""
        connection = self.connect().receive(frame(TEXT, b"abc"))
        self.end(connection)
        assert connection.summary is not None
        assert connection.summary.reason == "lost"
        assert connection.summary.close_code is None
        assert (connection.summary.bytes_in, connection.summary.bytes_out) == (9, 5)
