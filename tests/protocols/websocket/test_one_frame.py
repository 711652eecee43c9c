"""What is promised of messages holds as well where our reactor delivers short frames apart, without their mask."""

from __future__ import annotations

from types import ModuleType
from typing import Any
from unittest.mock import Mock

from twisted.internet.defer import fail

from tests.protocols.websocket import (
    test_answers,
    test_broadcasting,
    test_compression,
    test_counts,
    test_failures,
    test_frames,
    test_observing,
    test_receiving,
    test_sending,
    test_writing,
)
from tests.protocols.websocket.support import TEXT, WebSocketTestCase, frame


def _apart(module: ModuleType) -> dict[str, Any]:
    """Return the test cases of a module, for connections to which frames are delivered apart."""
    own = {name: case for name, case in vars(module).items() if getattr(case, "__module__", "") == module.__name__}
    cases = {name: case for name, case in own.items() if isinstance(case, type) and issubclass(case, WebSocketTestCase)}
    prefix = module.__name__.rpartition("test_")[2].title()
    return {f"{prefix}{name}": type(f"{prefix}{name}", (case,), {"apart": True}) for name, case in cases.items()}


for _module in (
    test_answers,
    test_broadcasting,
    test_compression,
    test_counts,
    test_failures,
    test_frames,
    test_observing,
    test_receiving,
    test_sending,
    test_writing,
):
    globals().update(_apart(_module))


class Apart(WebSocketTestCase):
    """Which frames are taken so."""

    apart = True

    def test_which(self) -> None:
        """Messages that are right and not too long, between others, on an open connection; nothing else is touched."""
        connection = self.connect(ping_interval=None, max_message_size=50)
        connection.receive(frame(TEXT, b"first"))
        received = connection.wire.protocol.dataReceived

        def taken(first: int, content: bytes) -> bool:
            return bool(received.upgradegw_frame(received.__self__, first, content))

        common = [(0x81, b"a"), (0x82, b""), (0x81, "\u00e9".encode()), (0x82, bytes(50))]
        assert [taken(*each) for each in common] == [True] * 4
        assert [taken(*each) for each in ((0x81, b"\xff"), (0x82, bytes(51)))] == [False] * 2
        connection.receive(frame(TEXT, b"in", fin=False))
        assert not taken(0x81, b"between")
        connection.receive(frame(0, b"", fin=True))
        assert taken(0x81, b"again")
        connection.flush()
        assert connection.messages == [b"first"] + [content for _, content in common] + [b"in", b"again"]
        assert connection.protocol.trafficStats.incomingWebSocketMessages == 7
        assert connection.protocol.trafficStats.incomingOctetsWireLevel == 7 * 6 + 5 + 1 + 2 + 50 + 2 + 5 + 6
        self.end(connection)
        assert not taken(0x81, b"behind the end")

    def test_who_looks_on(self) -> None:
        """Whoever puts a hook of his own on a protocol gets the frame as it was."""
        connection = self.connect(ping_interval=None).receive(frame(TEXT, b"first"))
        received = connection.wire.protocol.dataReceived
        connection.protocol.onMessageFrame = lambda payload: None
        assert not received.upgradegw_frame(received.__self__, 0x81, b"a")
        del connection.protocol.onMessageFrame
        assert received.upgradegw_frame(received.__self__, 0x81, b"a")
        self.end(connection)

    def test_what_onmessage_returns(self) -> None:
        """A Deferred that fails ends the connection, as does an exception; a listener that has just come is told."""
        for fails in (lambda *_: fail(RuntimeError("later")), lambda *_: Mock(side_effect=RuntimeError("now"))()):
            connection = self.connect(ping_interval=None).receive(frame(TEXT, b"first"))
            type(connection.protocol).onMessage = fails
            try:
                connection.receive(frame(TEXT, b"a"))
            finally:
                del type(connection.protocol).onMessage
            assert connection.close_code == 1011
            self.end(connection)
            self.flushLoggedErrors(RuntimeError)
        connection = self.connect(ping_interval=None).receive(frame(TEXT, b"first"))
        told: list[bytes] = []
        type(connection.protocol).onMessage = lambda one, *_: one.on(
            "message", lambda payload, **_: told.append(payload)
        )
        connection.receive(frame(TEXT, b"a"))
        del type(connection.protocol).onMessage
        assert told == [b"a"]
        self.end(connection)
