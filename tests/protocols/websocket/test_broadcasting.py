"""One message on many connections."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.web.resource import Resource

from tests.protocols.websocket.support import BINARY, TEXT, Echo, Several, WebSocketTestCase, close, frame
from tests.testing.applications import EchoFactory
from upgradegw.protocols.websocket import WebSocketUpgrade, websocket
from upgradegw.testing import Client
from upgradegw.testing.client import TRANSPORTS
from upgradegw.web.resource import UpgradeResource

KIB = 1 << 10


@pytest.mark.parametrize("over", TRANSPORTS)
def test_on_every_transport(over: Any) -> None:
    """All get text as text and bytes as binary, in order; the one that is closing gets none."""
    factory = EchoFactory()
    upgrade = websocket(factory)
    root = Resource()
    root.putChild(b"ws", UpgradeResource([upgrade]))
    with Client(root, over) as client:
        sockets = [client.websocket("/ws") for _ in range(4)]
        assert len(upgrade.connections) == 4
        sockets[3].answers_close = False
        factory.opened[3].sendClose(3000)
        assert upgrade.broadcast("té") == 3
        assert upgrade.broadcast(b"\x00\xff") == 3
        assert upgrade.broadcast("some", where=lambda protocol: protocol is factory.opened[1]) == 1
        assert sockets[0].messages == ["té", b"\x00\xff"]
        assert sockets[1].messages == ["té", b"\x00\xff", "some"]
        assert sockets[3].messages == []
        sockets[1].close()
        assert upgrade.broadcast("") == 2
        assert sockets[2].messages[-1] == ""


class Lives(WebSocketTestCase):
    """Who is among the connections."""

    def test_from_opening_to_closing(self) -> None:
        """A protocol is there in onOpen and no more in onClose, also where onOpen fails."""
        failing = False
        seen: list[tuple[str, bool]] = []
        upgrade: list[WebSocketUpgrade] = []

        class Noting(Echo):
            def onConnect(self, request: Any) -> None:
                seen.append(("connect", self in upgrade[0].connections))

            def onOpen(self) -> None:
                seen.append(("open", self in upgrade[0].connections))
                if failing:
                    raise RuntimeError("the application failed")

            def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
                seen.append(("close", self in upgrade[0].connections))

        for fails in (False, True):
            failing = fails
            self.factory.protocol = Noting
            upgrade = [websocket(self.factory)]
            self.end(self.connect(upgrade=upgrade[0]))
            assert seen == [("connect", False), ("open", True), ("close", False)]
            assert len(upgrade[0].connections) == 0
            seen.clear()
        assert len(self.flushLoggedErrors(RuntimeError)) == 1

    def test_a_handshake_in_vain(self) -> None:
        """A protocol that was never opened was never among them."""
        upgrade = websocket(self.factory)
        accept = self.prepare(upgrade=upgrade)
        assert len(upgrade.connections) == 0
        accept.release()
        assert len(upgrade.connections) == 0

    def test_the_protocols_are_the_users(self) -> None:
        """What is there are instances of the application's class."""
        upgrade = websocket(self.factory)
        connection = self.connect(upgrade=upgrade)
        (protocol,) = upgrade.connections
        assert isinstance(protocol, Echo)
        assert protocol is connection.protocol
        self.end(connection)


class Streaming(WebSocketTestCase):
    """A message that the application sends piece by piece is not cut into."""

    def test_behind_the_message(self) -> None:
        """What is broadcast meanwhile comes behind it, in order, and counts as sent."""
        upgrade = websocket(self.factory)
        connection = self.connect(upgrade=upgrade)
        protocol = connection.protocol
        protocol.beginMessage(isBinary=True)
        assert upgrade.broadcast("one") == 1
        protocol.beginMessageFrame(4)
        protocol.sendMessageFrameData(b"te")
        assert upgrade.broadcast(b"two") == 1
        protocol.sendMessageFrameData(b"a!")
        protocol.endMessage()
        assert upgrade.broadcast("three") == 1
        connection.flush()
        expected = [(BINARY | 0x100, b"tea!"), (0, b""), (TEXT, b"one"), (BINARY, b"two"), (TEXT, b"three")]
        assert connection.frames == expected
        self.end(connection)

    def test_closed_meanwhile(self) -> None:
        """What waits is dropped with the connection."""
        upgrade = websocket(self.factory)
        connection = self.connect(upgrade=upgrade)
        connection.protocol.beginMessage()
        upgrade.broadcast("one")
        upgrade.broadcast("two")
        connection.receive(close(1000))
        connection.protocol.endMessage()
        assert connection.messages == []
        self.end(connection)

    def test_a_message_without_end(self) -> None:
        """What waits has the same limit as what is unsent; beyond it the connection is dropped, or left out."""
        upgrade = websocket(self.factory, max_unsent=10 * KIB)
        connection = self.connect(upgrade=upgrade)
        connection.protocol.beginMessage()
        sent = [upgrade.broadcast(bytes(4 * KIB), slow="skip") for _ in range(10)]
        assert sent == [1] * 3 + [0] * 7
        assert connection.open
        assert upgrade.broadcast("more") == 0
        assert connection.wire.aborted
        assert connection.summary is not None
        assert connection.summary.reason == "slow_reader"
        self.assert_no_timers()

    def test_slow_within_a_frame(self) -> None:
        """Within a frame no Close can be said, so a slow client is dropped at once; between two it is told."""
        for inside in (True, False):
            upgrade = websocket(self.factory, max_unsent=10, ping_interval=None)
            connection = self.connect(upgrade=upgrade, window=0)
            connection.protocol.beginMessage()
            if inside:
                connection.protocol.beginMessageFrame(100)
            connection.wire.write(bytes(11))
            assert upgrade.broadcast("tea") == 0
            assert connection.wire.aborted is inside
            self.end(connection)
            assert connection.summary is not None
            assert connection.summary.reason == "slow_reader"


class Faults(Several):
    """What must not keep a message from the others."""

    def test_an_application_that_fails(self) -> None:
        """A-45: its connection is closed with 1011, as behind any failure of the application's; the others get it."""

        class Failing(Echo):
            def sendMessage(self, *args: Any, **kwargs: Any) -> None:
                if self is built[0].protocol:
                    raise RuntimeError("the application failed")
                super().sendMessage(*args, **kwargs)

        self.factory.protocol = Failing
        upgrade = websocket(self.factory)
        built = [self.connect(upgrade=upgrade) for _ in range(3)]
        assert upgrade.broadcast("tea") == 2
        for connection in built:
            connection.flush()
        assert built[0].close_code == 1011
        assert [connection.messages for connection in built[1:]] == [[b"tea"], [b"tea"]]
        assert len(self.flushLoggedErrors(RuntimeError)) == 1
        self.end_all(*built)

    def test_an_application_that_cannot_even_close(self) -> None:
        """Its connection is dropped."""

        class Failing(Echo):
            def sendFrame(self, *args: Any, **kwargs: Any) -> None:
                raise RuntimeError("the application failed")

        self.factory.protocol = Failing
        upgrade = websocket(self.factory)
        connection = self.connect(upgrade=upgrade)
        assert upgrade.broadcast("tea") == 0
        assert not connection.open
        assert len(self.flushLoggedErrors(RuntimeError)) == 2
        self.assert_no_timers()

    def test_where_is_asked_first(self) -> None:
        """What ``where`` raises is the caller's, and nothing has been sent; whom it closes gets nothing."""
        upgrade = websocket(self.factory)
        one, other = self.connect(upgrade=upgrade), self.connect(upgrade=upgrade)

        def failing(protocol: Any) -> bool:
            return bool(1 // (protocol is one.protocol))

        with pytest.raises(ZeroDivisionError):
            upgrade.broadcast("tea", where=failing)

        def closing(protocol: Any) -> bool:
            if protocol is other.protocol:
                protocol.sendClose()
            return True

        assert upgrade.broadcast("coffee", where=closing) == 1
        one.flush()
        other.flush()
        assert (one.messages, other.messages) == ([b"coffee"], [])
        self.end_all(one, other)

    def test_a_message_that_closes_another(self) -> None:
        """Whom an earlier connection's write closes gets nothing, and does not count."""
        upgrade = websocket(self.factory)
        one, other = self.connect(upgrade=upgrade), self.connect(upgrade=upgrade)
        one.protocol.sendMessage = lambda *_: other.wire.abortConnection()
        assert upgrade.broadcast("tea") == 1
        self.end(one)

    def test_arguments(self) -> None:
        """What is no message, and an unknown way with slow clients, are errors before anything is sent."""
        upgrade = websocket(self.factory)
        connection = self.connect(upgrade=upgrade)
        for wrong in (bytearray(b"tea"), None, 7):
            with pytest.raises(TypeError, match="a message is str"):
                upgrade.broadcast(wrong)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="slow="):
            upgrade.broadcast("tea", slow="wait")  # type: ignore[arg-type]
        with pytest.raises(UnicodeEncodeError):
            upgrade.broadcast("\ud800")
        assert upgrade.broadcast(type("Bytes", (bytes,), {})(b"tea")) == 1
        connection.receive(frame(TEXT, b"tea"))
        assert connection.messages == [b"tea", b"tea"]
        self.end(connection)
