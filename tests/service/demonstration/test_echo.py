"""The two echoes of the demonstration site."""

from __future__ import annotations

import json

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from tests.memory import WEBSOCKET, Memory, content_of, fields_of, upgrade_request
from upgradegw.service import demonstration
from upgradegw.service.demonstration.echo import RAW_IDLE, RawEcho

#: "Hi" as a client sends it, masked with zeros (RFC 6455 section 5.3), and as the server sends it.
ASKED = b"\x81\x82\0\0\0\0Hi"
ANSWERED = b"\x81\x02Hi"


def websocket_request(*lines: bytes) -> bytes:
    """A WebSocket handshake with more fields."""
    return WEBSOCKET[:-2] + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


class WebSocket(SynchronousTestCase):
    """``/ws``."""

    def test_a_plain_client_gets_a_pure_echo(self) -> None:
        """Nothing is sent that was not received; the public test suite relies on it."""
        site = Memory(demonstration.site())
        assert content_of(site.send(WEBSOCKET)) == b""
        assert content_of(site.send(ASKED)) == ANSWERED

    def test_the_page_is_told_what_the_server_saw(self) -> None:
        """HTTP version, client address, encryption, subprotocol and extensions, in the first message."""
        site = Memory(demonstration.site())
        offer = b"Sec-WebSocket-Protocol: chat, demo.upgradegw"
        answer = site.send(websocket_request(offer))
        assert fields_of(answer)[b"sec-websocket-protocol"] == b"demo.upgradegw"
        frame = content_of(answer)
        assert (frame[0], frame[1]) == (0x81, len(frame) - 2)
        assert json.loads(frame[2:]) == {
            "http_version": "HTTP/1.1",
            "client": "192.0.2.7",
            "secure": False,
            "subprotocol": "demo.upgradegw",
            "extensions": [],
        }
        assert content_of(site.send(ASKED)).endswith(ANSWERED)

    def test_other_subprotocols_are_not_spoken(self) -> None:
        """WS-10: none in common, none in the answer."""
        answer = Memory(demonstration.site()).send(websocket_request(b"Sec-WebSocket-Protocol: chat"))
        assert b"sec-websocket-protocol" not in fields_of(answer)
        assert content_of(answer) == b""

    def test_permessage_deflate_is_accepted(self) -> None:
        """The demonstration compresses for those who offer it."""
        answer = Memory(demonstration.site()).send(websocket_request(b"Sec-WebSocket-Extensions: permessage-deflate"))
        assert fields_of(answer)[b"sec-websocket-extensions"].startswith(b"permessage-deflate")

    def test_a_plain_request_gets_426(self) -> None:
        """UP-13: the path is upgrade-only."""
        answer = Memory(demonstration.site()).send(b"GET /ws HTTP/1.1\r\nHost: a.example\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 426 ")
        assert fields_of(answer)[b"upgrade"] == b"websocket"


class Transport(StringTransport):
    """A transport that its own protocol may register as a producer, as a socket."""

    def pauseProducing(self) -> None:
        """Stop reading."""

    def resumeProducing(self) -> None:
        """Read on."""


class Raw(SynchronousTestCase):
    """``/echo``."""

    def connect(self) -> tuple[RawEcho, Transport, Clock]:
        """Connect a raw echo."""
        clock, transport, protocol = Clock(), Transport(), RawEcho()
        protocol.callLater = clock.callLater  # type: ignore[method-assign]
        protocol.makeConnection(transport)
        return protocol, transport, clock

    def test_bytes_come_back_behind_a_switch(self) -> None:
        """The first bytes may come with the request."""
        site = Memory(demonstration.site())
        request = upgrade_request(b"echo", path=b"/echo")
        answer = site.send(request + b"ab", b"c")
        assert answer.startswith(b"HTTP/1.1 101 ")
        assert content_of(answer) == b"abc"
        site.transport.lose()

    def test_a_plain_request_gets_426(self) -> None:
        """UP-13: the path is upgrade-only."""
        answer = Memory(demonstration.site()).send(b"GET /echo HTTP/1.1\r\nHost: a.example\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 426 ")
        assert fields_of(answer)[b"upgrade"] == b"echo"

    def test_it_reads_no_faster_than_the_client(self) -> None:
        """A full transport pauses its own reading: the transport is its own producer."""
        _protocol, transport, _clock = self.connect()
        assert (transport.producer, transport.streaming) == (transport, True)

    def test_a_half_close_is_answered_in_full(self) -> None:
        """What is buffered is sent, then the connection ends."""
        protocol, transport, _clock = self.connect()
        protocol.dataReceived(b"abc")
        protocol.readConnectionLost()
        assert (transport.value(), transport.disconnecting, transport.producer) == (b"abc", True, None)

    def test_a_client_that_takes_nothing_any_more_is_left(self) -> None:
        """With nobody to send to there is no echo."""
        protocol, transport, _clock = self.connect()
        protocol.writeConnectionLost()
        assert transport.disconnected

    def test_silence_ends_it(self) -> None:
        """A demonstration that stands in the open keeps no dead connections."""
        protocol, transport, clock = self.connect()
        clock.advance(RAW_IDLE - 1)
        protocol.dataReceived(b"x")
        clock.advance(RAW_IDLE - 1)
        assert not transport.disconnected
        clock.advance(1)
        assert transport.disconnected

    def test_the_end_leaves_no_timer(self) -> None:
        """A lost connection is forgotten."""
        protocol, _transport, clock = self.connect()
        protocol.connectionLost()
        assert clock.getDelayedCalls() == []
