"""The client's end of a WebSocket: what it does by itself, and what it objects to."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.protocol import Factory, Protocol

from tests.testing.applications import EchoFactory, ws_tree
from upgradegw import UpgradeResource, stream
from upgradegw.testing import Client, Unanswered, Violation, WebSocket
from upgradegw.testing.exchange import Exchange
from upgradegw.testing.frames import BINARY, CLOSE, PING, TEXT, Frame
from upgradegw.testing.opening import check_opening
from upgradegw.testing.responses import Response


def unmasked(frame: Frame) -> bytes:
    """Write a short frame as a server does."""
    return bytes([(0x80 if frame.fin else 0) | frame.opcode, len(frame.content)]) + frame.content


class Way:
    """Notes what a WebSocket does to its connection."""

    def __init__(self) -> None:
        self.sent = b""
        self.left = False

    def send(self, data: bytes) -> None:
        self.sent += data

    def lose(self) -> None:
        self.left = True

    half_close = abort = pause = resume = lose

    def turn(self) -> None:
        """Nothing is on its way."""


class Heard:
    """A WebSocket that hears what a test says."""

    def __init__(self) -> None:
        self.way = Way()
        self.exchange = Exchange(self.way, (), 101)
        self.exchange.head_received(101, ())
        self.socket = WebSocket(self.exchange)

    def hear(self, *frames: Frame) -> WebSocket:
        for frame in frames:
            self.exchange.data_received(unmasked(frame))
        return self.socket


def test_fragments_are_joined() -> None:
    """RFC 6455 section 5.4: a message may come in pieces, with control frames between them."""
    heard = Heard()
    socket = heard.hear(Frame(TEXT, b"te", fin=False), Frame(PING, b"?"), Frame(0, b"a", fin=False), Frame(0, b"!"))
    assert socket.messages == ["tea!"]
    assert heard.way.sent[:2] == b"\x8a\x81"


@pytest.mark.parametrize(
    ("frames", "why"),
    [
        ([Frame(0, b"x")], "without its message"),
        ([Frame(TEXT, b"x", fin=False), Frame(BINARY, b"x")], "inside of another"),
        ([Frame(TEXT, b"\xff")], "no UTF-8"),
        ([Frame(CLOSE, b"\x03")], "half a code"),
        ([Frame(CLOSE, b"\x03\xe8\xff")], "no UTF-8"),
        ([Frame(CLOSE, b"\x03\xe8"), Frame(TEXT, b"x")], "behind the Close"),
    ],
)
def test_what_no_server_may_send(frames: list[Frame], why: str) -> None:
    """A message that breaks the rules fails the test that gets it."""
    with pytest.raises(Violation, match=why):
        Heard().hear(*frames)


def test_a_close_without_a_code() -> None:
    """RFC 6455 section 7.1.5: 1005, and the answer has none, either."""
    heard = Heard()
    assert heard.hear(Frame(CLOSE)).close_code == 1005
    assert heard.way.sent == b"\x88\x80\x37\xfa\x21\x3d"


def test_a_close_is_answered_once() -> None:
    """Who has sent a Close does not send another, and answers no ping any more."""
    heard = Heard()
    heard.socket.close(1000, "bye")
    sent = heard.way.sent
    heard.hear(Frame(PING, b"?"), Frame(CLOSE, b"\x03\xe8"))
    assert heard.way.sent == sent
    assert heard.socket.close_code == 1000


def test_a_client_that_answers_nothing() -> None:
    """Pings and Close can be left unanswered, to see what the server does about it."""
    heard = Heard()
    heard.socket.answers_pings = heard.socket.answers_close = False
    heard.hear(Frame(PING, b"?"), Frame(CLOSE, b"\x03\xe8"))
    assert heard.way.sent == b""


def test_an_end_without_close() -> None:
    """1006; and a client that is told of the end closes, too."""
    heard = Heard()
    assert heard.socket.close_code is None
    heard.exchange.end_received()
    assert (heard.socket.close_code, heard.way.left) == (1006, True)


def test_messages_one_by_one() -> None:
    """``receive`` returns each message once and says so when there is none; ``messages`` has them all."""
    heard = Heard()
    heard.hear(Frame(TEXT, b"one"), Frame(BINARY, b"two"))
    assert (heard.socket.receive(), heard.socket.receive()) == ("one", b"two")
    with pytest.raises(Unanswered, match="behind the first 2"):
        heard.socket.receive()
    assert heard.socket.messages == ["one", b"two"]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({b"Sec-WebSocket-Accept": b"x"}, "Sec-WebSocket-Accept"),
        ({}, "Sec-WebSocket-Accept"),
        ({b"Sec-WebSocket-Accept": b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", b"Sec-WebSocket-Protocol": b"y"}, "subprotocol"),
        ({b"Sec-WebSocket-Accept": b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", b"Sec-WebSocket-Extensions": b"y"}, "extension"),
    ],
)
def test_the_handshake_is_judged(fields: dict[bytes, bytes], why: str) -> None:
    """WS-09, WS-10, WS-11: a wrong accept value, subprotocol or extension raises (RFC 6455 section 4.1)."""
    switch = ((b"Upgrade", b"websocket"), (b"Connection", b"upgrade"))
    sent = (*switch, (b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="), (b"Sec-WebSocket-Protocol", b"x"))
    with pytest.raises(Violation, match=why):
        check_opening(Response(101, (*switch, *fields.items())), sent)


def test_a_server_that_is_none(over: Any) -> None:
    """What no server may send raises in the test, wherever it comes up, and not in a log."""

    class Rude(Protocol):
        def dataReceived(self, data: bytes) -> None:
            self.transport.write(b"\x83\x00")  # type: ignore[union-attr]

    factory = Factory.forProtocol(Rude)
    factory.noisy = False
    accept = [("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")]
    with Client(ws_tree(), over) as client:
        fields = () if client.http2 else accept
        client.site.resource.putChild(b"ws", UpgradeResource([stream("websocket", factory, fields=fields)]))
        socket = client.websocket("/ws")
        with pytest.raises(Violation, match="no opcode 3"):
            socket.send("tea")


def test_lengths(over: Any) -> None:
    """RFC 6455 section 5.2: all three forms of the length, both ways."""
    with Client(ws_tree(EchoFactory()), over) as client:
        socket = client.websocket("/ws")
        for size in (0, 125, 126, 65535, 65536):
            socket.send(b"x" * size)
            assert len(socket.receive()) == size
