"""permessage-deflate: what is negotiated, and what is inflated."""

from __future__ import annotations

import random
import tracemalloc
import zlib
from typing import Any, ClassVar

import pytest
from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept

from tests.protocols.websocket.support import BINARY, PING, PONG, TEXT, Connection, WebSocketTestCase, close, frame


def offer(*offers: str) -> tuple[bytes, bytes]:
    return b"Sec-WebSocket-Extensions", ", ".join(offers).encode()


def deflate(data: bytes, memory_level: int = 8, *, finish: bool = False) -> bytes:
    """Compress a message as RFC 7692 section 7.2.1 has it."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15, memory_level)
    if finish:
        return compressor.compress(data) + compressor.flush(zlib.Z_FINISH)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


def inflate(data: bytes) -> bytes:
    return zlib.decompressobj(-15).decompress(data + b"\x00\x00\xff\xff")


def compressed(data: bytes, opcode: int = BINARY) -> bytes:
    return frame(opcode, deflate(data), rsv=4)


class CompressionTestCase(WebSocketTestCase):
    """A factory that accepts the first offer as Autobahn's examples do."""

    accept_options: ClassVar[dict[str, Any]] = {}

    def setUp(self) -> None:
        super().setUp()
        self.offers: list[Any] = []

        def accept(offers: list[Any]) -> Any:
            self.offers = offers
            return PerMessageDeflateOfferAccept(offers[0], **self.accept_options)

        self.factory.setProtocolOptions(perMessageCompressionAccept=accept)

    def answer_to(self, *offers: str, **options: Any) -> str | None:
        connection = self.connect(offer(*offers), **options)
        self.end(connection)
        value = dict(connection.accept.fields).get(b"Sec-WebSocket-Extensions")
        return None if value is None else value.decode()


class Negotiation(CompressionTestCase):
    """PD-01 to PD-06, as far as this side of the seam goes."""

    def test_the_factory_decides(self) -> None:
        """Not given: the factory's function is asked, with Autobahn's own objects."""
        assert self.answer_to("permessage-deflate; client_max_window_bits") == "permessage-deflate"
        (found,) = self.offers
        assert isinstance(found, PerMessageDeflateOffer)
        assert found.accept_max_window_bits
        wanted = "permessage-deflate; server_no_context_takeover; server_max_window_bits=10"
        assert self.answer_to(wanted) == wanted
        assert not self.offers[0].accept_max_window_bits

    def test_fallback(self) -> None:
        """PD-01, PD-02: an offer that is wrong is passed over for the next; if none is left, nobody is asked."""
        assert self.answer_to("permessage-deflate; foo", "permessage-deflate") == "permessage-deflate"
        assert len(self.offers) == 1
        self.offers = []
        assert self.answer_to("permessage-deflate; foo", "permessage-bzip2", "x-other") is None
        assert self.offers == []

    def test_the_factory_refuses(self) -> None:
        """A factory on which nothing was set accepts nothing."""
        self.factory = self.make_factory()
        assert self.answer_to("permessage-deflate") is None

    def test_never(self) -> None:
        """compression=False: nobody is asked."""
        assert self.answer_to("permessage-deflate", compression=False) is None
        assert self.offers == []

    def test_ours(self) -> None:
        """A-24: compression=True takes small windows, and asks for them where the client allows it."""
        answers = {
            "permessage-deflate": "permessage-deflate",
            "permessage-deflate; client_max_window_bits": "permessage-deflate; client_max_window_bits=12",
            "permessage-deflate; client_max_window_bits=15": "permessage-deflate; client_max_window_bits=12",
            "permessage-deflate; client_max_window_bits=10": "permessage-deflate",
            "permessage-deflate; client_max_window_bits=8": "permessage-deflate",
            "permessage-deflate; server_max_window_bits=9": "permessage-deflate; server_max_window_bits=9",
            "permessage-deflate; server_no_context_takeover": "permessage-deflate; server_no_context_takeover",
        }
        for offered, answer in answers.items():
            assert self.answer_to(offered, compression=True) == answer
        connection = self.connect(offer("permessage-deflate"), compression=True)
        (compressor,) = connection.protocol.websocket_extensions_in_use
        assert (compressor.server_max_window_bits, compressor.mem_level) == (12, 5)
        assert compressor.max_message_size == 1 << 20
        assert connection.receive(compressed(b"abc" * 100)).frames[0][0] == 64 | BINARY
        self.end(connection)

    def test_a_clients_limit_is_respected(self) -> None:
        """PD-04: whatever the factory asks for, a client is never told to use a window larger than it has."""
        self.accept_options = {"request_max_window_bits": 14}
        for hint, answer in {"": "; client_max_window_bits=14", "=10": "; client_max_window_bits=10", "=8": ""}.items():
            assert self.answer_to("permessage-deflate; client_max_window_bits" + hint) == "permessage-deflate" + answer

    def test_the_factory_fails(self) -> None:
        """A-45: an exception in perMessageCompressionAccept comes before the 101."""
        self.accept_options = {"request_max_window_bits": 14}
        with pytest.raises(Exception, match="unsupported by client"):
            self.prepare(offer("permessage-deflate"))
        assert self.factory.getConnectionCount() == 0


class Messages(CompressionTestCase):
    """PD-05, PD-07, PD-09: messages both ways."""

    def open(self, **options: Any) -> Connection:
        return self.connect(offer("permessage-deflate; client_no_context_takeover"), ping_interval=None, **options)

    def echoed(self, connection: Connection) -> list[bytes]:
        """Inflate what the server sent, with one window for all."""
        inflater = zlib.decompressobj(-15)
        return [inflater.decompress(content + b"\x00\x00\xff\xff") for _, content in connection.frames]

    def test_messages(self) -> None:
        """Compressed, empty, uncompressed and fragmented messages, in every split."""
        large = bytes(range(256)) * 4
        whole = deflate(large)
        data = (
            compressed(b"Hello", TEXT)
            + compressed(b"")
            + frame(BINARY, b"plain")
            + frame(BINARY, whole[:10], fin=False, rsv=4)
            + frame(0, whole[10:11], fin=False)
            + frame(0, b"", fin=False)
            + frame(0, whole[11:])
        )
        for at in range(0, len(data), 7):
            connection = self.open().receive(data[:at], data[at:])
            assert connection.protocol.seen == ["open", b"Hello", b"", b"plain", large]
            assert self.echoed(connection) == [b"Hello", b"", b"plain", large]
            self.end(connection)

    def test_rsv1(self) -> None:
        """PD-07: RSV1 on a continuation or a control frame: 1002."""
        for wrong in (
            frame(BINARY, b"", fin=False, rsv=4) + frame(0, b"", rsv=4),
            frame(PING, rsv=4),
            frame(BINARY, rsv=6),
        ):
            connection = self.open().receive(wrong, close(1002))
            assert connection.close_code == 1002
            assert not connection.open
            self.assert_no_timers()

    def test_final_blocks(self) -> None:
        """PD-09: blocks with BFINAL set are part of the stream; what comes behind them is not lost."""
        # RFC 7692 section 7.2.3.4
        rfc = bytes.fromhex("f348cdc9c9070000")
        connection = self.open()
        connection.receive(frame(TEXT, rfc, rsv=4), frame(TEXT, rfc, rsv=4), compressed(b"more", TEXT))
        connection.receive(frame(TEXT, deflate(b"without a tail", finish=True), rsv=4), compressed(b"again", TEXT))
        two = deflate(b"one", finish=True) + deflate(b"two", finish=True) + deflate(b"three")
        connection.receive(frame(TEXT, two, rsv=4))
        for byte in frame(TEXT, two, rsv=4):
            connection.receive(bytes([byte]))
        expected = [b"Hello", b"Hello", b"more", b"without a tail", b"again", b"onetwothree", b"onetwothree"]
        assert connection.protocol.seen[1:] == expected
        self.end(connection)

    def test_a_flood_of_final_blocks(self) -> None:
        """A-23: a message of nothing but ended streams is corrupt (1007), at little cost."""
        connection = self.open().receive(frame(BINARY, deflate(b"", finish=True) * 30000, rsv=4), close(1007))
        assert connection.close_code == 1007
        assert not connection.open

    def test_final_blocks_are_within_the_limit(self) -> None:
        """PD-08: what follows a final block counts, too."""
        big = deflate(bytes(600_000), finish=True) + deflate(bytes(600_000))
        connection = self.open().receive(frame(BINARY, big, rsv=4), close(1009))
        assert connection.close_code == 1009
        connection = self.open(max_message_size=None).receive(frame(BINARY, big, rsv=4))
        assert len(connection.protocol.seen[1]) == 1200000
        self.end(connection)

    def test_corrupt(self) -> None:
        """PD-08: what is no deflate stream: 1007, and nothing is delivered."""
        for wrong in (b"\xff\xff\xff\xff", deflate(b"Hello")[:-1] + b"\x07\x07", b"\x06"):
            connection = self.open().receive(frame(BINARY, wrong, rsv=4), close(1007))
            assert connection.close_code == 1007, wrong
            assert not connection.open
            assert connection.protocol.seen[1:] == [("close", True, 1007, None)]


class Bombs(CompressionTestCase):
    """A-23: what is inflated is limited while it is inflated."""

    def test_bomb(self) -> None:
        """200 MB in 200 KB: Close 1009, and memory grows by little more than the limit."""
        bomb = frame(BINARY, deflate(bytes(200 << 20)), rsv=4)
        assert len(bomb) < 220000
        for options in ({}, {"compression": True}):
            for chunks in ((bomb,), tuple(bomb[at : at + 60_000] for at in range(0, len(bomb), 60_000))):
                connection = self.connect(offer("permessage-deflate"), **options)
                tracemalloc.start()
                connection.receive(*chunks)
                peak = tracemalloc.get_traced_memory()[1]
                tracemalloc.stop()
                assert connection.close_code == 1009
                assert peak < 5 << 20
                connection.receive(close(1009))
                assert not connection.open
                assert connection.summary is not None
                assert connection.summary.reason == "message_too_big"
                self.assert_no_timers()

    def test_many_small_frames(self) -> None:
        """PD-08: the limit counts over the frames of a message."""
        whole = deflate(bytes(3 << 20))
        size = len(whole) // 50
        pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
        frames = [frame(BINARY if i == 0 else 0, piece, fin=False, rsv=0 if i else 4) for i, piece in enumerate(pieces)]
        connection = self.connect(offer("permessage-deflate")).receive(*frames, close(1009))
        assert connection.close_code == 1009
        assert not connection.open

    def test_exactly(self) -> None:
        """The limit itself passes, one byte more does not."""
        for size, code in ((1000, None), (1001, 1009)):
            connection = self.connect(offer("permessage-deflate"), max_message_size=1000).receive(
                compressed(bytes(size))
            )
            assert connection.close_code == code
            self.end(connection)

    def test_incompressible(self) -> None:
        """PD-08: content that deflate makes longer is measured as it is, in one read, in many, in many frames."""
        content = random.Random(7).randbytes(100_001)
        for size, code in ((100_000, None), (100_001, 1009)):
            wire = deflate(content[:size], 1)
            assert len(wire) > size
            half = len(wire) // 2
            whole = frame(BINARY, wire, rsv=4)
            for chunks in (
                (whole,),
                tuple(whole[at : at + 16_384] for at in range(0, len(whole), 16_384)),
                (frame(BINARY, wire[:half], fin=False, rsv=4), frame(PING), frame(0, wire[half:])),
            ):
                connection = self.connect(offer("permessage-deflate"), max_message_size=100_000).receive(*chunks)
                assert connection.close_code == code, (size, len(chunks))
                if code is None:
                    assert connection.protocol.seen[1] == content[:size]
                    self.end(connection)
                else:
                    connection.receive(close(1009))

    def test_streaming_of_pongs(self) -> None:
        """Control frames are never compressed."""
        connection = self.connect(offer("permessage-deflate")).receive(frame(PING, b"x"))
        assert connection.frames == [(PONG, b"x")]
        self.end(connection)
