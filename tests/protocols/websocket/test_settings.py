"""Which settings hold: given here, set on the protocol or the factory, or ours."""

from __future__ import annotations

from typing import Any

import pytest
from autobahn.twisted.websocket import (
    WebSocketServerFactory,
)
from twisted.internet.protocol import Factory
from twisted.web.http_headers import Headers

from tests.protocols.websocket.support import BINARY, Echo, WebSocketTestCase, close, frame
from upgradegw.protocols.websocket import websocket


class Settings(WebSocketTestCase):
    """Which value holds."""

    def value(self, name: str, **options: Any) -> Any:
        accept = self.prepare(**options)
        value = getattr(accept.ending._protocol, name)
        accept.release()
        return value

    def test_precedence(self) -> None:
        """Given here, else set on the protocol, else set on the factory, else ours; None is no limit."""
        assert self.value("maxMessagePayloadSize") == 1 << 20
        self.factory.setProtocolOptions(maxMessagePayloadSize=5000)
        assert self.value("maxMessagePayloadSize") == 5000
        assert self.value("maxMessagePayloadSize", max_message_size=7000) == 7000
        assert self.value("maxMessagePayloadSize", max_message_size=None) == 0

        class Own(Echo):
            maxMessagePayloadSize = 6000

        self.factory.protocol = Own
        assert self.value("maxMessagePayloadSize") == 6000
        assert self.value("maxMessagePayloadSize", max_message_size=7000) == 7000

    def test_defaults(self) -> None:
        """Ours: 1 MiB and 1 MiB, pings of 20 s, 5 s to close."""
        expected = {
            "maxFramePayloadSize": 1 << 20,
            "autoPingInterval": 20,
            "autoPingTimeout": 20,
            "closeHandshakeTimeout": 5,
        }
        for name, value in expected.items():
            assert self.value(name) == value
        assert self.value("autoPingInterval", ping_interval=None) == 0
        assert self.value("autoPingTimeout", ping_timeout=7) == 7
        assert self.value("closeHandshakeTimeout", close_timeout=None) == 0

    def test_frames_follow_messages(self) -> None:
        """Whoever allows larger messages may send them in one frame, unless max_frame_size says otherwise."""
        assert self.value("maxFramePayloadSize", max_message_size=5 << 20) == 5 << 20
        assert self.value("maxFramePayloadSize", max_message_size=None) == 0
        assert self.value("maxFramePayloadSize", max_message_size=100) == 1 << 20
        assert self.value("maxFramePayloadSize", max_message_size=5 << 20, max_frame_size=7) == 7
        self.factory.setProtocolOptions(maxFramePayloadSize=99)
        assert self.value("maxFramePayloadSize", max_message_size=5 << 20) == 99

    def test_always(self) -> None:
        """A-42: what the factory says about these does not hold; and the factory is not changed."""
        self.factory.setProtocolOptions(
            versions=[8, 13],
            failByDrop=True,
            echoCloseCodeReason=True,
            openHandshakeTimeout=9,
            requireMaskedClientFrames=False,
        )
        no_settings = ("countConnections", "_batched_timer")
        before = {name: value for name, value in vars(self.factory).items() if name not in no_settings}
        expected = {
            "versions": [13],
            "failByDrop": False,
            "webStatus": False,
            "serveFlashSocketPolicy": False,
            "echoCloseCodeReason": False,
            "openHandshakeTimeout": 0,
            "requireMaskedClientFrames": True,
        }
        for name, value in expected.items():
            assert self.value(name) == value
        after = {name: value for name, value in vars(self.factory).items() if name in before}
        assert after == before

    def test_wrong_arguments(self) -> None:
        """What cannot work is refused where it is written."""
        for options in (
            {"max_message_size": 0},
            {"max_frame_size": -1},
            {"max_fragments": "many"},
            {"ping_interval": 0.5},
            {"close_timeout": 0.1},
            {"message_timeout": 0},
            {"write_timeout": True},
            {"subprotocols": "chat"},
            {"subprotocols": [b"chat"]},
        ):
            with self.subTest(**options), pytest.raises(ValueError, match="must be a"):
                websocket(self.factory, **options)
        for factory in (Factory(), Headers(), WebSocketServerFactory):
            with pytest.raises(TypeError):
                websocket(factory)

    def test_outgoing_messages_have_no_limit(self) -> None:
        """max_message_size is about what is received."""
        connection = self.connect(ping_interval=None)
        connection.protocol.sendMessage(bytes(2 << 20), isBinary=True)
        connection.flush()
        assert len(connection.messages[0]) == 2 << 20
        connection.receive(frame(BINARY, bytes((1 << 20) + 1)), close(1009))
        assert connection.close_code == 1009
        self.assert_no_timers()
