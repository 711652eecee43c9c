"""Reading many connections in one go, in C, and sending what they answer in another.

uvloop reads from a connection at first. One that goes on talking is read from here: of all that a small message costs
beside the application, uvloop's calls from and to Python are the larger part. What was read is delivered from
connection to connection, in the order in which it came; what they have to send then leaves together. Everything
uncommon (an end, an error, what a socket does not take) is left to uvloop's transport, which goes on where this stops.

A protocol of WebSocket may be given short frames without their mask: its ``dataReceived`` then has an attribute
``upgradegw_frame``, a function that gets the protocol, a frame's first octet and its content, and tells whether it took
it.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from weakref import finalize
from zlib import crc32

_PATH = Path(__file__).with_name("reading.c.so")

#: Octets read at once, and of all that is read before it is delivered.
_MOST, _ROOM = 65536, 1 << 20

#: Reads in one turn; others of the reactor come in between.
_EVENTS = 256

#: Octets of a turn behind which no more is read in it: much at once gains nothing by that, and delays others.
_SMALL = 256 * 1024

#: Pieces sent at once.
_PIECES = 64

#: ``struct record``: a key, where the octets begin and end, and the first one of a frame, whose content these are.
_RECORD = struct.Struct("QIII4x")
_UNCOMMON = 1

#: Octets of a frame's head and its mask; what lies in the arena begins at a multiple of the second.
_HEAD, _ALIGNED = 6, 8


class _Reading(ctypes.Structure):
    """The first members of ``struct reading``."""

    _fields_ = (
        ("records", ctypes.c_void_p),
        ("epoll", ctypes.c_int32),
        ("left", ctypes.c_int32),
        ("small", ctypes.c_int64),
    )


_Pointer = ctypes.POINTER(_Reading)

_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "reading_new": (_Pointer, (ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32)),
    "reading_delete": (None, (_Pointer,)),
    "reading_put": (ctypes.c_uint64, (_Pointer, ctypes.c_int32, ctypes.c_int)),
    "reading_forget": (None, (_Pointer, ctypes.c_uint64)),
    "reading_frames": (None, (_Pointer, ctypes.c_uint64, ctypes.c_int)),
    "reading_go": (ctypes.c_int, (_Pointer,)),
    "reading_send": (
        ctypes.c_int,
        (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p),
    ),
}


@cache
def library(path: Path = _PATH) -> Any:
    """Return what was compiled, or None: it is not there or not of this source, or UPGRADEGW_PURE is set.

    Args:
        path: Where it would be, beside its source.
    """
    if os.environ.get("UPGRADEGW_PURE", "0") not in {"", "0"}:
        return None
    try:
        found = ctypes.CDLL(str(path), use_errno=True)
        found.reading_version.restype = ctypes.c_uint32
        if found.reading_version() != crc32(path.with_suffix("").read_bytes()):
            return None
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(found, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError):
        return None
    return found


class Reader(Protocol):
    """A connection that is read from here.

    Attributes:
        protocol: Who gets what was read.
        spoken: Who that was when ``frame`` was looked for.
        frame: Takes a short frame without its mask, or returns False; None where nobody wants that.
        key: The key that it was given; 0 while it is not read from.
        descriptor: The socket's.
        batched: What it has to send at the end of the turn.
    """

    protocol: Any
    spoken: Any
    frame: Callable[[int, bytes], bool] | None
    key: int
    descriptor: int
    batched: bytes | None

    def take(self, key: int, data: bytes) -> None:
        """Deliver what was read."""

    def hand_back(self) -> None:
        """Let uvloop read."""

    def fail(self, what: str) -> None:
        """The application has raised something. Must not raise."""

    def send_rest(self, data: bytes) -> None:
        """The system has not taken this. Must not raise."""


class Reading:
    """Reads for the connections of one reactor.

    Attributes:
        number: Of what is being delivered.
    """

    def __init__(self, streams: Any) -> None:
        """Read from nobody yet; there must be a ``library``.

        Args:
            streams: What the connections share.

        Raises:
            OSError: The system has no more descriptors.
        """
        self._streams = streams
        self._library = library()
        self._arena = mmap.mmap(-1, _ROOM)
        place = ctypes.addressof(ctypes.c_char.from_buffer(self._arena))
        self._pointer = self._library.reading_new(place, _ROOM, _MOST)
        if not self._pointer:
            raise _error()
        self._delete = finalize(self, self._library.reading_delete, self._pointer)
        self._reading: _Reading = self._pointer.contents
        size = _PIECES * _RECORD.size
        self._records = memoryview((ctypes.c_char * size).from_address(self._reading.records)).cast("B")
        self._sent = (ctypes.c_uint32 * _PIECES)()
        self._connections: dict[int, Reader] = {}
        self._present = memoryview(b"")  # the records that are being delivered
        self.number = 0
        self._forgotten: list[int] | None = None  # while something is delivered: they may still get some
        streams.loop.add_reader(self._reading.epoll, self._go)

    def put(self, descriptor: int, connection: Reader, *, frames: bool) -> int:
        """Read from a connection from now on; uvloop does not.

        Args:
            descriptor: Its socket.
            connection: The connection.
            frames: Whether short frames are wanted without their mask.

        Returns:
            A key, which is not 0 and never another's.

        Raises:
            OSError: The system watches no more.
        """
        key: int = self._library.reading_put(self._pointer, descriptor, frames)
        if not key:
            raise _error()
        self._connections[key] = connection
        return key

    def forget(self, key: int) -> None:
        """Read no more from a connection, whose socket is open yet."""
        self._library.reading_forget(self._pointer, key)
        if self._forgotten is None:
            del self._connections[key]
        else:
            self._forgotten.append(key)

    def frames(self, key: int, *, wanted: bool) -> None:
        """Say whether short frames are wanted without their mask."""
        self._library.reading_frames(self._pointer, key, wanted)

    def close(self) -> None:
        """Let uvloop read, as at the beginning."""
        for connection in list(self._connections.values()):
            connection.hand_back()
        self._streams.loop.remove_reader(self._reading.epoll)
        self._records = self._present = memoryview(b"")
        self._delete()

    def _go(self) -> None:
        """Read and deliver until nothing more has come, or it is the others' turn."""
        if self._forgotten is not None:
            return  # the application turns the reactor while it is given something
        streams, go, pointer = self._streams, self._library.reading_go, self._pointer
        forgotten: list[int] = []
        self._forgotten = forgotten
        self._reading.left, self._reading.small = _EVENTS, _SMALL
        try:
            while number := go(pointer):
                streams.outbox.expected = True
                batch: list[Reader] = []
                streams.batch = batch
                try:
                    self._deliver(number)
                finally:
                    self._answer(batch)
        finally:
            self._forgotten = None
            for key in forgotten:
                del self._connections[key]

    def _answer(self, batch: list[Reader]) -> None:
        """Send what was answered to what was delivered."""
        streams, outbox = self._streams, self._streams.outbox
        streams.reading = streams.batch = None
        try:
            if batch:
                self._send(batch)
        finally:
            if outbox.waiting:
                outbox.flush()
            else:
                outbox.expected = False

    def _deliver(self, number: int) -> None:
        """Deliver what was read. What an application raises is its connection's end, and no other's."""
        connections, arena, streams = self._connections, self._arena, self._streams
        self.number += 1
        self._present = self._records[: number * _RECORD.size]
        for key, begin, end, first in _RECORD.iter_unpack(self._present):
            connection = connections[key]
            try:
                if first > _UNCOMMON:
                    frame = connection.frame
                    if frame is not None and connection.protocol is connection.spoken:
                        streams.reading = connection
                        if frame(first, arena[begin:end]):
                            continue
                    connection.take(key, arena[_frame_at(begin, end)])
                elif first != _UNCOMMON:
                    connection.take(key, arena[begin:end])
                elif connection.key == key:
                    connection.hand_back()
            except BaseException:  # noqa: BLE001 - as where uvloop reads; others have been read from as well
                connection.fail("dataReceived failed")

    def holds(self, connection: Reader) -> bool:
        """Tell whether something that was read from a connection in this go may not have been delivered yet.

        Args:
            connection: One that is open.
        """
        if self._forgotten is None:
            return False
        return any(self._connections.get(key) is connection for key, *_ in _RECORD.iter_unpack(self._present))

    def _send(self, batch: list[Reader]) -> None:
        """Send for those who have something, and have not been broken off meanwhile."""
        for start in range(0, len(batch), _PIECES):
            live = [connection for connection in batch[start : start + _PIECES] if connection.batched is not None]
            pieces: list[Any] = [connection.batched for connection in live]
            for connection in live:
                connection.batched = None
            number = len(live)
            sockets = struct.pack(f"{number}i", *[connection.descriptor for connection in live])
            sizes = struct.pack(f"{number}I", *map(len, pieces))
            if self._library.reading_send(sockets, sizes, number, b"".join(pieces), self._sent):
                for connection, piece, sent in zip(live, pieces, self._sent, strict=False):
                    if sent != len(piece):
                        connection.send_rest(piece[sent:])


def _frame_at(begin: int, end: int) -> slice:
    """Return where a frame lies, of which this is the content without its mask."""
    size = end - begin + _HEAD
    begin -= -(-size // _ALIGNED) * _ALIGNED
    return slice(begin, begin + size)


def _error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
