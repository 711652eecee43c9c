"""What comes back for right and wrong frames, in one segment, in every split, and byte by byte."""

from __future__ import annotations

from tests.protocols.websocket.support import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    Connection,
    WebSocketTestCase,
    close,
    frame,
)

#: Violations (WS-15, WS-16) and the Close code that answers them.
WRONG = {
    "WS-15 unmasked": (frame(TEXT, b"hello", mask=b""), 1002),
    "WS-15 unmasked Close": (frame(CLOSE, b"\x03\xe8", mask=b""), 1002),
    "WS-16 RSV1 without an extension": (frame(TEXT, b"hello", rsv=4), 1002),
    "WS-16 RSV2": (frame(BINARY, b"hello", rsv=2), 1002),
    "WS-16 reserved data opcode": (frame(3, b"hello"), 1002),
    "WS-16 reserved control opcode": (frame(11), 1002),
    "WS-16 length not minimal, 16 bits": (b"\x82\xfe\x00\x05" + frame(BINARY, b"hello")[2:], 1002),
    "WS-16 length not minimal, 64 bits": (b"\x82\xff" + bytes(7) + b"\x05" + frame(BINARY, b"hello")[2:], 1002),
    "WS-16 length with its highest bit set": (b"\x82\xff\x80" + bytes(7) + b"mask", 1002),
    "WS-16 control frame over 125 bytes": (frame(PING, bytes(126)), 1002),
    "WS-16 fragmented control frame": (frame(PING, b"hello", fin=False), 1002),
    "WS-16 continuation without a start": (frame(0, b"hello"), 1002),
    "WS-16 new data within a message": (frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"), 1002),
    "WS-16 Close of one byte": (frame(CLOSE, b"\x03"), 1002),
    "WS-16 Close code 999": (close(999), 1002),
    "WS-16 Close code 1005": (close(1005), 1002),
    "WS-16 Close code 2999": (close(2999), 1002),
    "WS-16 Close code 5000": (close(5000), 1002),
    "WS-17 text that is no UTF-8": (frame(TEXT, b"\xce\xba\xe1\xbd\xb9\xed\xa0\x80"), 1007),
    "WS-17 text that ends within a character": (frame(TEXT, b"\xce"), 1007),
    "WS-17 no UTF-8 over two frames": (frame(TEXT, b"\xf4", fin=False) + frame(0, b"\x90\x80\x80"), 1007),
    "WS-17 Close reason that is no UTF-8": (close(1000, b"\xff"), 1007),
    "WS-18 message too big": (frame(BINARY, bytes(1001)), 1009),
    "WS-18 message too big, in frames": (frame(BINARY, bytes(600), fin=False) + frame(0, bytes(600)), 1009),
}


def splits(data: bytes) -> list[tuple[bytes, ...]]:
    """Return the ways in which bytes are to arrive: at once, in every split (some of the middle left out), singly."""
    places = [*range(1, min(24, len(data))), *range(24, len(data), 97), len(data) - 1]
    return [(data,), *((data[:at], data[at:]) for at in places), tuple(bytes([byte]) for byte in data)]


class WrongFrames(WebSocketTestCase):
    """Whatever is wrong ends in a Close that says so, then the connection; nothing more is delivered."""

    def fail_with(self, chunks: tuple[bytes, ...], code: int) -> Connection:
        connection = self.connect(max_message_size=1000, max_frame_size=1000)
        connection.receive(*chunks)
        assert connection.close_code == code
        return connection

    def test_every_violation_in_every_split(self) -> None:
        """WS-15 to WS-19, WS-21, A-29, A-30: a Close with the code, server first; the client's Close ends it."""
        for name, (wrong, code) in WRONG.items():
            for chunks in splits(frame(TEXT, b"before") + wrong):
                with self.subTest(name, chunks=len(chunks), first=len(chunks[0])):
                    connection = self.fail_with(chunks, code)
                    connection.receive(frame(TEXT, b"behind"), close(code))
                    assert not (connection.open and "highest" not in name)
                    assert not connection.wire.aborted
                    assert connection.messages == [b"before"]
                    assert connection.protocol.seen[:2] == ["open", b"before"]
                    self.end(connection)

    def test_behind_a_failure_nothing_is_kept(self) -> None:
        """A-29: what a client sends behind its violation is thrown away until it closes or close_timeout is over."""
        connection = self.fail_with((frame(3),), 1002)
        for _ in range(50):
            connection.receive(b"\x82\xff" + (1 << 40).to_bytes(8, "big"), bytes(1 << 16))
            assert connection.protocol.data == b""
        assert connection.open
        self.advance(6)
        assert connection.wire.aborted
        self.assert_no_timers()

    def test_the_close_behind_a_failure_is_found_in_the_same_read(self) -> None:
        """WS-19: a violation, a message and a Close in one segment: answered, and closed without waiting."""
        connection = self.fail_with((frame(3) + frame(BINARY, bytes(300)) + close(1000),), 1002)
        assert not connection.open
        assert not connection.wire.aborted
        assert connection.summary is not None
        assert (connection.summary.close_code, connection.summary.reason) == (1002, "protocol_error")
        self.assert_no_timers()

    def test_the_close_behind_a_failure_is_found_in_every_split(self) -> None:
        """WS-19: the client's Close is found wherever its bytes are cut, also behind half a frame."""
        behind = bytes(200) + frame(PING, b"x") + frame(BINARY, bytes(70000)) + close(1002, b"why")
        started = frame(TEXT, b"\xff" + bytes(399))[:208]
        for chunks in splits(behind[:240]):
            connection = self.fail_with((started, *chunks, behind[240:]), 1007)
            assert not connection.open
            self.end(connection)

    def test_a_too_big_close_behind_a_failure(self) -> None:
        """WS-16: a Close over 125 bytes behind a violation is no reason to wait."""
        connection = self.fail_with((frame(3), frame(CLOSE, bytes(200))), 1002)
        assert not connection.open
        self.assert_no_timers()


class RightFrames(WebSocketTestCase):
    """What is allowed works, however it arrives."""

    def test_in_every_split(self) -> None:
        """WS-16, WS-20: fragments, an empty frame, a ping within a message, text over a split character."""
        data = (
            frame(TEXT, b"\xc3", fin=False)
            + frame(PING, b"within")
            + frame(0, b"", fin=False)
            + frame(0, b"\xa9")
            + frame(BINARY)
            + frame(PING)
            + frame(BINARY, bytes(130))
        )
        for chunks in splits(data):
            connection = self.connect().receive(*chunks)
            expected = [(PONG, b"within"), (TEXT, b"\xc3\xa9"), (BINARY, b""), (PONG, b""), (BINARY, bytes(130))]
            assert connection.frames == expected
            connection.receive(close(1000))
            assert connection.close_code == 1000
            assert not connection.open
            assert connection.protocol.seen[-1] == ("close", True, 1000, None)
            self.assert_no_timers()

    def test_leading_data(self) -> None:
        """WS-22: frames that came behind the request are delivered behind onOpen, in order."""
        connection = self.connect(leading=frame(TEXT, b"early") + frame(BINARY, bytes(100_000))[:50_000])
        connection.receive(frame(BINARY, bytes(100_000))[50_000:])
        assert connection.protocol.seen == ["open", b"early", bytes(100000)]
        self.end(connection)

    def test_close_reasons_are_not_echoed(self) -> None:
        """The answer to a Close is 1000 without the client's words."""
        connection = self.connect().receive(close(3999, b"words"))
        assert connection.frames == [(CLOSE, b"\x03\xe8")]
        assert connection.protocol.seen[-1] == ("close", True, 3999, "words")
        assert connection.summary is not None
        assert (connection.summary.close_code, connection.summary.reason) == (3999, "closed")

    def test_the_server_closes(self) -> None:
        """WS-19: the closing handshake from our side ends without a reset, or after close_timeout with one."""
        connection = self.connect()
        connection.protocol.sendClose(3000, "enough")
        connection.flush()
        assert connection.frames == [(CLOSE, b"\x0b\xb8enough")]
        connection.receive(frame(TEXT, b"late"), close(3000))
        assert not connection.open
        assert not connection.wire.aborted
        assert connection.protocol.seen == ["open", b"late", ("close", True, 3000, None)]
        self.assert_no_timers()
        silent = self.connect(close_timeout=2)
        silent.protocol.sendClose()
        self.advance(1)
        assert silent.open
        self.advance(2)
        assert silent.wire.aborted
        self.assert_no_timers()
