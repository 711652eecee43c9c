"""The class of a protocol: settings and first state are there once, and nobody sees the difference."""

from __future__ import annotations

from typing import Any

from autobahn.twisted.websocket import WebSocketServerProtocol
from autobahn.websocket.protocol import WebSocketProtocol
from twisted.internet.error import ConnectionDone

from tests.protocols.websocket.support import BINARY, Connection, Echo, WebSocketTestCase, close, frame
from upgradegw.protocols.websocket.kinds import _MOST
from upgradegw.protocols.websocket.settings import ALWAYS


class Plain(WebSocketServerProtocol):  # type: ignore[misc]
    """An application without a beginning of its own."""

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.sendMessage(payload, isBinary)


class Kinds(WebSocketTestCase):
    """Protocols of an application, and what they have of their own."""

    def of(self, kind: Any, **options: Any) -> Connection:
        self.factory.protocol = kind
        return self.connect(**options)

    def end_all(self, *connections: Connection) -> None:
        """Let all clients go, but for those that have gone."""
        for connection in connections:
            if connection.open:
                connection.wire.end(ConnectionDone())
        self.assert_no_timers()

    def test_the_same_as_autobahns(self) -> None:
        """Every attribute that Autobahn gives a protocol is there, with Autobahn's value, however it was built."""

        class Initialized(Plain):
            def __init__(self) -> None:
                super().__init__()

        theirs = Plain()
        theirs.factory = self.factory
        theirs.openHandshakeTimeout = 0
        WebSocketProtocol._connectionMade(theirs)
        for kind in (Plain, Initialized):
            connection = self.of(kind)
            ours = connection.protocol
            for name, value in vars(theirs).items():
                found = getattr(ours, name)
                assert value is None or isinstance(found, type(value)), name
                if isinstance(value, bool | bytes) and name not in ALWAYS:
                    assert found == value, name
            assert vars(ours.trafficStats).keys() <= vars(theirs.trafficStats).keys()
            assert ours.trafficStats.incomingWebSocketMessages == 0
            self.end(connection)

    def test_what_a_protocol_keeps(self) -> None:
        """An open protocol has less than twenty attributes of its own; settings are none of them."""
        connection = self.of(Plain)
        own = vars(connection.protocol)
        assert len(own) < 20
        assert own.keys().isdisjoint(("maxMessagePayloadSize", "autoPingInterval", "wasClean", "send_queue"))
        self.end(connection)

    def test_one_class_for_equal_settings(self) -> None:
        """Connections with equal settings have one class, also behind several resources; others have another."""
        first, same = self.of(Plain), self.of(Plain)
        other = self.of(Plain, max_message_size=7)
        assert type(first.protocol) is type(same.protocol)
        assert type(first.protocol) is not type(other.protocol)
        assert (first.protocol.maxMessagePayloadSize, other.protocol.maxMessagePayloadSize) == (1 << 20, 7)
        self.end_all(first, same, other)

    def test_functions_stay_functions(self) -> None:
        """A setting that is a function does not become a method."""
        asked: list[Any] = []
        self.factory.setProtocolOptions(perMessageCompressionAccept=asked.append)
        connection = self.of(Plain)
        connection.protocol.perMessageCompressionAccept("offers")
        assert asked == ["offers"]
        self.end(connection)

    def test_settings_that_change_all_the_time(self) -> None:
        """Whoever changes the factory's settings for each connection gets them, and no class for each."""

        class Changing(Plain):
            pass

        kinds = set()
        for size in range(1000, 1000 + 2 * _MOST):
            self.factory.setProtocolOptions(maxMessagePayloadSize=size)
            connection = self.of(Changing)
            assert connection.protocol.maxMessagePayloadSize == size
            kinds.add(type(connection.protocol))
            self.end(connection)
        assert len(kinds) == _MOST + 1

    def test_a_setting_on_one_protocol(self) -> None:
        """What an application sets on a protocol holds for it, from its ``__init__`` on or later."""

        class Small(Plain):
            def __init__(self) -> None:
                super().__init__()
                self.maxMessagePayloadSize = 3

        small = self.of(Small)
        assert small.receive(frame(BINARY, b"four")).close_code == 1009
        plain, other = self.of(Plain), self.of(Plain)
        plain.protocol.maxMessagePayloadSize = 3
        assert plain.receive(frame(BINARY, b"four")).close_code == 1009
        assert other.receive(frame(BINARY, b"four")).messages == [b"four"]
        self.end_all(small, plain, other)

    def test_is_open_and_is_closed(self) -> None:
        """Both fire once, also for those who asked before the opening or after the end."""

        class Asking(Plain):
            def __init__(self) -> None:
                super().__init__()
                self.seen: list[Any] = []
                self.is_open.addCallback(lambda _: self.seen.append("open"))
                self.is_closed.addCallback(lambda _: self.seen.append("closed"))

        asking, late = self.of(Asking), self.of(Plain)
        late.protocol.seen = []
        assert asking.protocol.seen == ["open"]
        late.protocol.is_open.addCallback(lambda _: late.protocol.seen.append("open"))
        late.protocol.is_closed.addCallback(lambda _: late.protocol.seen.append("closed"))
        for connection in (asking, late):
            assert connection.protocol.is_closed is connection.protocol.is_closed
            connection.wire.end(ConnectionDone())
            assert connection.protocol.seen == ["open", "closed"]
            assert self.successResultOf(connection.protocol.is_closed) is connection.protocol
        self.assert_no_timers()

    def test_state_of_the_application_s(self) -> None:
        """An attribute of Autobahn's that an ``__init__`` has set is reset at the beginning, as Autobahn does."""

        class Confused(Echo):
            def __init__(self) -> None:
                super().__init__()
                self.closedByMe = True

        connection = self.of(Confused)
        assert connection.protocol.closedByMe is False
        self.end(connection.receive(close(1000)))
