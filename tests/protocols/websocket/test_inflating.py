"""Compressed messages on the short way."""

from __future__ import annotations

import zlib
from unittest import mock

from tests.protocols.websocket.support import BINARY, TEXT, close, frame
from tests.protocols.websocket.test_compression import CompressionTestCase, compressed, deflate, inflate, offer

DEFLATE = offer("permessage-deflate")


class Inflating(CompressionTestCase):
    """PD-08, PD-09: what is inflated, and what ends the connection; in the words of Autobahn's state machine."""

    def test_common_messages(self) -> None:
        """A whole compressed message is inflated without the state machine; one window lasts for all of them."""
        connection = self.connect(DEFLATE, ping_interval=None)
        window = zlib.compressobj(9, zlib.DEFLATED, -15)
        messages = [b"hello hello " * 20, b"", b"hello hello " * 19, b"\x00\xff" * 400]
        data = b""
        for message in messages:
            content = (window.compress(message) + window.flush(zlib.Z_SYNC_FLUSH))[:-4]
            data += frame(BINARY, content, rsv=4)
        with mock.patch.object(type(connection.protocol), "processData") as asked:
            connection.receive(data)
        asked.assert_not_called()
        assert connection.protocol.seen[1:] == messages
        stats = connection.protocol.trafficStats
        assert stats.incomingOctetsAppLevel == sum(map(len, messages))
        assert stats.incomingOctetsWebSocketLevel == len(data) - 4 * 6
        self.end(connection)

    def test_answers(self) -> None:
        """Answers are compressed, each behind the last, unless the application asks that one is not."""
        connection = self.connect(DEFLATE, ping_interval=None)
        connection.receive(compressed(b"a" * 500), compressed(b"a" * 500))
        connection.protocol.sendMessage(b"plain", doNotCompress=True)
        connection.flush()
        (first, one), (second, other), plain = connection.frames
        assert (first, second) == (BINARY | 0x40, BINARY | 0x40)
        assert inflate(one) == b"a" * 500
        assert len(other) < len(one)
        assert plain == (TEXT, b"plain")
        self.end(connection)

    def assert_fails(self, data: bytes, code: int, words: bytes, **options: int) -> None:
        connection = self.connect(DEFLATE, ping_interval=None, **options).receive(compressed(b"before") + data)
        assert connection.protocol.seen[1:] == [b"before"]
        assert connection.close_code == code
        assert words in connection.frames[-1][1]
        connection.receive(frame(BINARY, b"not read any more") + close(code))
        assert not connection.open
        assert len(connection.protocol.seen) == 3
        self.assert_no_timers()

    def test_corrupt(self) -> None:
        """What is no deflate stream: 1007, whether its beginning shows it or its end."""
        self.assert_fails(frame(BINARY, b"\xff\xff\xff", rsv=4), 1007, b"cannot be decompressed")
        self.assert_fails(frame(BINARY, deflate(b"abc")[:-1] + b"\x00\x05", rsv=4), 1007, b"cannot be decompressed")

    def test_too_large(self) -> None:
        """A message that inflates beyond the limit: 1009."""
        self.assert_fails(compressed(bytes(1001)), 1009, b"exceeds payload limit", max_message_size=1000)

    def test_no_text(self) -> None:
        """Text that is none when it is inflated: 1007, with the place."""
        self.assert_fails(compressed(b"caf\xe9!", TEXT), 1007, b"octet index 4")
        self.assert_fails(compressed(b"caf\xc3", TEXT), 1007, b"ended within Unicode code point")

    def test_text_that_nobody_checks(self) -> None:
        """With utf8validateIncoming=False it is delivered as it is."""
        self.factory.setProtocolOptions(utf8validateIncoming=False)
        connection = self.connect(DEFLATE, ping_interval=None).receive(compressed(b"caf\xe9!", TEXT))
        assert connection.protocol.seen[1:] == [b"caf\xe9!"]
        self.end(connection)
