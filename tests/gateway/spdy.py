"""As much of SPDY/3.1 as Kubernetes speaks: streams that the client opens, data on them, and their ends."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Protocol

SYN_STREAM, SYN_REPLY, RST_STREAM, SETTINGS, PING, GOAWAY = 1, 2, 3, 4, 6, 7
FIN = 1

#: The dictionary that both ends give zlib, as the protocol has it: words with their lengths, and then a text.
_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow"
    " authorization cache-control connection content-base content-encoding content-language content-length"
    " content-location content-md5 content-range content-type date etag expect expires from host if-match"
    " if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma"
    " proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade"
    " user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie"
    " keep-alive origin"
)
_TEXT = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative"
    " Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500"
    " Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec"
    " 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,"
    "application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8"
    "charset=iso-8859-1,utf-,*,enq=0."
)


def _sized(text: bytes) -> bytes:
    return struct.pack(">I", len(text)) + text


DICTIONARY = b"".join(_sized(word.replace("_", " ").encode()) for word in _WORDS.split()) + _TEXT.encode()
assert zlib.adler32(DICTIONARY) == 0xE3C6A7C2, "zlib's name for the dictionary of SPDY/3"


@dataclass(frozen=True)
class Opened:
    """A stream has been opened, with its fields."""

    stream: int
    fields: dict[str, str]


@dataclass(frozen=True)
class Data:
    """Data has come on a stream, perhaps its last."""

    stream: int
    data: bytes
    final: bool


class Carrier(Protocol):
    """What a session runs on: a connection, or something in one."""

    def take(self, count: int) -> bytes:
        """Return the next bytes, or the fewer that came."""

    def send(self, data: bytes) -> None:
        """Send bytes."""


class Session:
    """The server's end of a session."""

    def __init__(self, wire: Carrier) -> None:
        self._wire = wire
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def event(self) -> Opened | Data | None:
        """Return the next event; None at the end."""
        while len(head := self._wire.take(8)) == 8:
            first, second = struct.unpack(">II", head)
            flags, body = second >> 24, self._wire.take(second & 0xFFFFFF)
            if not first >> 31:
                return Data(first, body, bool(flags & FIN))
            kind = first & 0xFFFF
            if kind == SYN_STREAM:
                stream = struct.unpack(">I", body[:4])[0] & 0x7FFFFFFF
                return Opened(stream, self._fields(body[10:]))
            if kind == PING:
                self._wire.send(head + body)
            elif kind == GOAWAY:
                return None
        return None

    def _fields(self, packed: bytes) -> dict[str, str]:
        data = self._inflate.decompress(packed)
        (count,), place, texts = struct.unpack(">I", data[:4]), 4, []
        for _ in range(2 * count):
            (size,) = struct.unpack(">I", data[place : place + 4])
            texts.append(data[place + 4 : place + 4 + size].decode())
            place += 4 + size
        return dict(zip(texts[::2], texts[1::2], strict=True))

    def reply(self, stream: int) -> None:
        """Accept a stream."""
        packed = self._deflate.compress(struct.pack(">I", 0)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        body = struct.pack(">I", stream) + packed
        self._wire.send(struct.pack(">HHI", 0x8003, SYN_REPLY, len(body)) + body)

    def send(self, stream: int, data: bytes, *, final: bool = False) -> None:
        """Send data on a stream."""
        self._wire.send(struct.pack(">II", stream, final << 24 | len(data)) + data)

    def close(self) -> None:
        """Say that no more streams will be."""
        self._wire.send(struct.pack(">HHIII", 0x8003, GOAWAY, 8, 0, 0))
