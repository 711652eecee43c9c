"""A client that costs little: WebSocket echoes on many streams of one HTTP/2 connection, one in flight on each.

Frames are cut by hand, so that what is measured is the server and not this side. Windows are opened as wide as they go
at the beginning, so that no answer waits for one.
"""

from __future__ import annotations

import socket
import struct
import time

from hpack import Decoder, Encoder

STREAMS = 50
_MESSAGE = b"thirty-two bytes for the server."

_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _GOAWAY, _WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
_END_HEADERS, _ACK, _PADDED_OR_PRIORITY = 0x04, 0x01, 0x28
_WIDEST = 2**31 - 1
_INITIAL_WINDOW_SIZE, _ENABLE_CONNECT_PROTOCOL = 4, 8

#: A binary message, masked with zeros (RFC 6455 section 5.2), and its echo, which is not masked.
_SENT = bytes([0x82, 0x80 | len(_MESSAGE)]) + bytes(4) + _MESSAGE
_ECHO = bytes([0x82, len(_MESSAGE)]) + _MESSAGE


def _frame(kind: int, flags: int, stream: int, content: bytes = b"") -> bytes:
    return struct.pack(">HBBBL", len(content) >> 8, len(content) & 0xFF, kind, flags, stream) + content


class _Connection:
    """The connection, and what its streams have received."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""
        self._credit = 65535  # of the connection; a stream has as much and sends as little as any other
        self._decoder = Decoder()
        self.extended = False
        self.answered: set[int] = set()
        self.echoes = 0
        wide = struct.pack(">HL", _INITIAL_WINDOW_SIZE, _WIDEST)
        settings = _frame(_SETTINGS, 0, 0, wide)
        window = _frame(_WINDOW_UPDATE, 0, 0, struct.pack(">L", _WIDEST - 65535))
        self._socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings + window)

    def close(self) -> None:
        """Close it at once."""
        self._socket.close()

    def send(self, data: bytes, counted: int = 0) -> None:
        """Send frames, of which so many bytes count against the window."""
        self._credit -= counted
        assert self._credit >= 0, "the server does not give its window back"
        self._socket.sendall(data)

    def receive(self) -> list[int]:
        """Wait for bytes; return the streams whose echo has come."""
        data = self._rest + self._socket.recv(1 << 18)
        assert len(data) > len(self._rest), "the server has closed the connection"
        came: list[int] = []
        at = 0
        while len(data) - at >= 9:
            high, low, kind, flags, stream = struct.unpack_from(">HBBBL", data, at)
            end = at + 9 + (high << 8 | low)
            if end > len(data):
                break
            if kind == _DATA:
                self._echoed(stream, data[at + 9 : end], came)
            else:
                self._control(kind, flags, stream, data[at + 9 : end])
            at = end
        self._rest = data[at:]
        return came

    def _echoed(self, stream: int, content: bytes, came: list[int]) -> None:
        if content:  # an empty frame says nothing
            assert content == _ECHO, f"stream {stream}: {content!r}"
            came.append(stream)
            self.echoes += 1

    def _control(self, kind: int, flags: int, stream: int, content: bytes) -> None:
        assert kind not in (_GOAWAY, _RST_STREAM), f"frame {kind} on stream {stream}: {content!r}"
        if kind == _WINDOW_UPDATE and stream == 0:
            self._credit += int(struct.unpack(">L", content)[0])
        elif kind == _SETTINGS and not flags & _ACK:
            self.extended |= struct.pack(">HL", _ENABLE_CONNECT_PROTOCOL, 1) in content
            self._socket.sendall(_frame(_SETTINGS, _ACK, 0))
        elif kind == _PING and not flags & _ACK:
            self._socket.sendall(_frame(_PING, _ACK, 0, content))
        elif kind == _HEADERS:
            assert flags & _END_HEADERS, "the head of the answer is long"
            assert not flags & _PADDED_OR_PRIORITY, "the head of the answer is padded"
            fields = dict(self._decoder.decode(content, raw=True))
            assert fields[b":status"] == b"200", fields
            self.answered.add(stream)


def _opened(port: int) -> _Connection:
    """Open the connection and a WebSocket on each of its streams."""
    connection = _Connection(port)
    while not connection.extended:
        connection.receive()
    encoder = Encoder()
    head = [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/ws")]
    head += [(":authority", f"127.0.0.1:{port}"), ("sec-websocket-version", "13")]
    streams = range(1, 2 * STREAMS, 2)
    for stream in streams:
        connection.send(_frame(_HEADERS, _END_HEADERS, stream, encoder.encode(head)))
    while len(connection.answered) < len(streams):
        connection.receive()
    return connection


def echoes(port: int, seconds: float) -> float:
    """Messages a second that come back, over all streams of one connection."""
    connection = _opened(port)
    # Streams take turns, so that none uses up its window while the connection, which is looked after, has some left.
    frames = {stream: _frame(_DATA, 0, stream, _SENT) for stream in range(1, 2 * STREAMS, 2)}
    connection.send(b"".join(frames.values()), len(_SENT) * STREAMS)
    began = time.perf_counter()
    while (passed := time.perf_counter() - began) < seconds:
        came = connection.receive()
        if came:
            connection.send(b"".join(map(frames.__getitem__, came)), len(_SENT) * len(came))
    connection.close()
    return connection.echoes / passed
