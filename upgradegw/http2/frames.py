"""Bytes to frames (RFC 9113 section 4), judged by their nine-byte heads before anything is kept or passed on.

What is wrong with a frame by itself, or with the order of frames on the connection, ends here: sizes, stream
identifiers, header blocks that are interrupted or do not end, floods. What a frame means to its stream is told in
``streams`` and ``connection``.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from h2.errors import ErrorCodes

from upgradegw.http2.faults import ConnectionFault, flood
from upgradegw.http2.limits import Http2Limits
from upgradegw.http2.meters import Meters
from upgradegw.http2.padding import judge_dependency, unpadded, without_priority

#: What a client sends first (RFC 9113 section 3.4).
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

#: Bytes of a frame's payload that we take and send: the least that everybody must take (RFC 9113 section 4.2).
MAX_FRAME = 16 * 1024

_HEAD = Struct(">HBBBL")  # length (16 + 8 bits), type, flags, R and stream identifier
_STREAM_ID = 0x7FFFFFFF


class Kind:
    """Frame types (RFC 9113 section 6); plain numbers, for the same reason as ``http1.closing.State``."""

    DATA = 0
    HEADERS = 1
    PRIORITY = 2
    RST_STREAM = 3
    SETTINGS = 4
    PUSH_PROMISE = 5
    PING = 6
    GOAWAY = 7
    WINDOW_UPDATE = 8
    CONTINUATION = 9


_NAMES = {number: name for name, number in vars(Kind).items() if name.isupper()}


class Flag:
    """Flags (RFC 9113 section 6)."""

    ACK = 0x1
    END_STREAM = 0x1
    END_HEADERS = 0x4
    PADDED = 0x8
    PRIORITY = 0x20


class Frame(NamedTuple):
    """A frame; HEADERS with its CONTINUATION frames is one.

    Attributes:
        kind: The type.
        flags: The flags.
        stream_id: The stream, or 0 for the connection.
        payload: The payload as received; of HEADERS the header block alone.
    """

    kind: int
    flags: int
    stream_id: int
    payload: bytes


def frame_head(length: int, kind: int, flags: int, stream_id: int) -> bytes:
    """Return the nine bytes before a payload."""
    return _HEAD.pack(length >> 8, length & 0xFF, kind, flags, stream_id)


def goaway(last_stream_id: int, code: int) -> bytes:
    """Return a GOAWAY frame (RFC 9113 section 6.8)."""
    payload = last_stream_id.to_bytes(4, "big") + code.to_bytes(4, "big")
    return frame_head(len(payload), Kind.GOAWAY, 0, 0) + payload


_ANY = range(MAX_FRAME + 1)
# Whether a type belongs to streams or to the connection, and the lengths that it may have.
_RULES: dict[int, tuple[tuple[bool, ...], range]] = {
    Kind.DATA: ((True,), _ANY),
    Kind.HEADERS: ((True,), _ANY),
    Kind.PRIORITY: ((True,), range(5, 6)),
    Kind.RST_STREAM: ((True,), range(4, 5)),
    Kind.SETTINGS: ((False,), range(0, MAX_FRAME + 1, 6)),
    Kind.PUSH_PROMISE: ((), _ANY),  # RFC 9113 section 8.4: not from a client
    Kind.PING: ((False,), range(8, 9)),
    Kind.GOAWAY: ((False,), range(8, MAX_FRAME + 1)),
    Kind.WINDOW_UPDATE: ((True, False), range(4, 5)),
    Kind.CONTINUATION: ((True,), _ANY),
}


#: Frames that need no second look, and the flags that they have then, of those that change how a payload is read.
_COMMON = {int(Kind.DATA): 0, int(Kind.HEADERS): int(Flag.END_HEADERS)}
_COMMON_FLAGS = int(Flag.END_HEADERS | Flag.PADDED | Flag.PRIORITY)


class FrameReader:
    """Cuts what a client sends, from the preface on.

    Attributes:
        has_preface: Whether the preface is complete.
        has_settings: Whether the client's first SETTINGS has come.
        in_block: Whether a header block has begun, and more of it is to come in a frame of its own.
    """

    def __init__(self, limits: Http2Limits, max_block: int, meters: Meters) -> None:
        """Wait for the preface.

        Args:
            limits: The bounds.
            max_block: Bytes of a header block, as compressed.
            meters: What is taken from for each oddity.
        """
        self.has_preface = False
        self.has_settings = False
        self.in_block = False
        self._limits = limits
        self._max_block = max_block
        self._common = min(max_block, MAX_FRAME)
        self._meters = meters
        self._in: bytes | bytearray = b""
        self._at = 0
        self._block = bytearray()
        self._block_flags = 0
        self._block_stream = 0
        self._continuations = 0
        self._empty = 0

    def feed(self, data: bytes) -> None:
        """Take bytes from the connection."""
        if self._at >= len(self._in):
            self._in, self._at = data, 0
            return
        if not isinstance(self._in, bytearray):
            self._in = bytearray(self._in)
        if self._at:
            del self._in[: self._at]
            self._at = 0
        self._in += data

    def next(self) -> Frame | None:
        """Return the next frame that is complete and not to be ignored, or None.

        Raises:
            ConnectionFault: What came is no HTTP/2, breaks a bound, or stands in the wrong place.
        """
        if not self.has_preface and not self._take_preface():
            return None
        while True:
            data, at = self._in, self._at
            if len(data) - at < _HEAD.size:
                if at >= len(data):
                    self._in, self._at = b"", 0  # an idle connection keeps nothing
                return None
            high, low, kind, flags, stream_id = _HEAD.unpack_from(data, at)
            length = high << 8 | low
            stream_id &= _STREAM_ID
            end = at + _HEAD.size + length
            # Whole heads and content, which is most that ever comes, are in order wherever a stream is named.
            common = stream_id and self.has_settings and not self.in_block and length <= self._common
            if not common or _COMMON.get(kind) != flags & _COMMON_FLAGS:
                self._judge(length, kind, flags, stream_id)
                common = False
            if len(data) < end:
                return None
            self._at = end
            if common and length:
                self._empty = 0
                return Frame(kind, flags, stream_id, bytes(data[at + _HEAD.size : end]))
            frame = self._complete(kind, flags, stream_id, bytes(data[at + _HEAD.size : end]))
            if frame is not None:
                return frame

    @property
    def head_begun(self) -> bool:
        """Whether a header block has begun and is not complete."""
        kind = self._in[self._at + 3 : self._at + 4]  # of the frame that has not arrived in full
        return self.in_block or kind == b"\x01"

    def _take_preface(self) -> bool:
        start = self._in[self._at : self._at + len(PREFACE)]
        if not PREFACE.startswith(start):
            raise ConnectionFault(ErrorCodes.PROTOCOL_ERROR, "no connection preface")
        if len(start) == len(PREFACE):
            self._at += len(PREFACE)
            self.has_preface = True
        return self.has_preface

    # --- By the head alone; called again while the payload arrives, so nothing is counted here.

    def _judge(self, length: int, kind: int, flags: int, stream_id: int) -> None:
        """Refuse a frame that must not come, or not now."""
        if length > MAX_FRAME:
            raise ConnectionFault(ErrorCodes.FRAME_SIZE_ERROR, f"a frame of {length} bytes")
        if self.in_block != (kind == Kind.CONTINUATION) or (self.in_block and stream_id != self._block_stream):
            raise ConnectionFault(ErrorCodes.PROTOCOL_ERROR, "a header block without its beginning or its end")
        if not self.has_settings and (kind != Kind.SETTINGS or flags & Flag.ACK):
            raise ConnectionFault(ErrorCodes.PROTOCOL_ERROR, "the first frame is not SETTINGS")
        rule = _RULES.get(kind)
        if rule is None:
            return  # RFC 9113 section 5.5: types that are not known are ignored
        on_streams, lengths = rule
        if bool(stream_id) not in on_streams:
            raise ConnectionFault(ErrorCodes.PROTOCOL_ERROR, f"{_NAMES[kind]} on stream {stream_id}")
        if length not in lengths:
            raise ConnectionFault(ErrorCodes.FRAME_SIZE_ERROR, f"{_NAMES[kind]} of {length} bytes")
        if kind == Kind.SETTINGS:
            self._judge_settings(length, flags)
        elif len(self._block) + length > self._max_block and kind in {Kind.HEADERS, Kind.CONTINUATION}:
            raise flood(f"a header block of more than {self._max_block} bytes")

    def _judge_settings(self, length: int, flags: int) -> None:
        entries = length // 6  # RFC 9113 section 6.5.1
        if entries and flags & Flag.ACK:
            raise ConnectionFault(ErrorCodes.FRAME_SIZE_ERROR, f"an acknowledgement of {length} bytes")
        if entries > self._limits.max_settings:
            raise flood(f"SETTINGS with {entries} entries")

    # --- With the payload.

    def _complete(self, kind: int, flags: int, stream_id: int, payload: bytes) -> Frame | None:
        """Count a complete frame; return what is to be looked at further."""
        if kind == Kind.DATA:
            padding = 1 + payload[0] if flags & Flag.PADDED and payload else 0
            self._count_empty(len(payload) > padding or bool(flags & Flag.END_STREAM))
        elif kind in {Kind.HEADERS, Kind.CONTINUATION}:
            return self._take_block(kind, flags, stream_id, payload)
        elif kind in {Kind.SETTINGS, Kind.PING}:
            self.has_settings = True
            self._meters.control()
        elif kind == Kind.PRIORITY:
            judge_dependency(payload, stream_id)
            self._meters.glitch()  # RFC 9113 section 5.3.2: deprecated, and ignored
            return None
        elif kind not in _RULES:
            self._meters.glitch()
            return None
        return Frame(kind, flags, stream_id, payload)

    def _count_empty(self, full: bool) -> None:
        if full:
            self._empty = 0
            return
        self._empty += 1
        self._meters.glitch()
        if self._empty > self._limits.max_empty_frames:
            raise flood("too many empty frames in a row")

    def _take_block(self, kind: int, flags: int, stream_id: int, payload: bytes) -> Frame | None:
        """Add a piece of a header block; return the block when it is complete."""
        if kind == Kind.HEADERS:
            self._block_flags, self._block_stream = flags, stream_id
            self._continuations = 0
            piece = unpadded(payload) if flags & Flag.PADDED else payload
            if flags & Flag.PRIORITY:
                piece = without_priority(piece, stream_id)
        else:
            self._continuations += 1
            if self._continuations > self._limits.max_continuations:
                raise flood("too many CONTINUATION frames")
            piece = payload
        ends = bool(flags & Flag.END_HEADERS)
        self._count_empty(ends or bool(piece))
        self.in_block = not ends
        if not ends or self._block:
            self._block += piece
        if not ends:
            return None
        block, self._block = bytes(self._block) or piece, bytearray()
        return Frame(Kind.HEADERS, self._block_flags, stream_id, block)
