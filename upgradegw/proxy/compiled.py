"""A turn in C, where ``turn.c`` was compiled when this was installed: half of what small messages cost is Python's.

What C tells is gone on with here, as ``PlainTurn`` does it.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache
from pathlib import Path
from socket import socket
from typing import Any
from weakref import finalize
from zlib import crc32

from upgradegw.proxy.frames import Frames
from upgradegw.proxy.turning import EVENTS, Source, tell, wanted

_PATH = Path(__file__).with_name("turn.c.so")

_UNCOMMON, _BROKEN, _UNFOLLOWED = 1, 2, 3

#: Instead of the bytes of a frame that are still to come: nobody follows frames; or Python does, for a while.
_NO_FRAMES, _ASK = -1, -2

#: Bytes of a turn behind which no further events belong to it: large messages gain nothing by that, and delay others.
_SMALL = 64 * 1024

#: Frames of more bytes than this are followed in Python.
_MOST = 1 << 62


class _Turn(ctypes.Structure):
    """The first members of ``struct turn``."""

    _fields_ = (
        ("buffer", ctypes.c_void_p),
        ("size", ctypes.c_uint64),
        ("sent", ctypes.c_uint64),
        ("epoll", ctypes.c_int32),
        ("place", ctypes.c_int32),
        ("left", ctypes.c_int32),
        ("small", ctypes.c_int64),
    )


_Pointer = ctypes.POINTER(_Turn)

_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "turn_new": (_Pointer, (ctypes.c_size_t,)),
    "turn_delete": (None, (_Pointer,)),
    "turn_put": (ctypes.c_int32, (_Pointer, ctypes.c_int32, ctypes.c_uint32, ctypes.c_int32, ctypes.c_int64)),
    "turn_forget": (None, (_Pointer, ctypes.c_int32)),
    "turn_passed": (ctypes.c_uint64, (_Pointer, ctypes.c_int32)),
    "turn_missing": (ctypes.c_int64, (_Pointer, ctypes.c_int32)),
    "turn_follow": (None, (_Pointer, ctypes.c_int32, ctypes.c_int64)),
    "turn_go": (ctypes.c_int, (_Pointer, ctypes.c_size_t)),
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
        found.turn_version.restype = ctypes.c_uint32
        if found.turn_version() != crc32(path.with_suffix("").read_bytes()):
            return None
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(found, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError):
        return None
    return found


class CompiledTurn:
    """A turn in C; there must be a ``library``."""

    def __init__(self, size: int) -> None:
        """Read from nobody yet.

        Args:
            size: Bytes of the buffer.

        Raises:
            OSError: The system has no more descriptors.
        """
        self._library = library()
        self._pointer = self._library.turn_new(size)
        if not self._pointer:
            raise _error()
        self._delete = finalize(self, self._library.turn_delete, self._pointer)
        self._turn: _Turn = self._pointer.contents
        self._buffer = memoryview((ctypes.c_char * size).from_address(self._turn.buffer)).cast("B")
        self._entries: dict[int, tuple[socket, Frames | None, Source]] = {}

    def fileno(self) -> int:
        """See ``Turn``."""
        return int(self._turn.epoll)

    def put(self, connected: socket, outlet: socket, frames: Frames | None, source: Source) -> int:
        """See ``Turn``."""
        missing = _NO_FRAMES if frames is None else _missing(frames)
        events = wanted(connected)
        place: int = self._library.turn_put(self._pointer, connected.fileno(), events, outlet.fileno(), missing)
        if place < 0:
            raise _error()
        self._entries[place] = (outlet, frames, source)
        return place

    def passed(self, place: int) -> int:
        """See ``Turn``."""
        return int(self._library.turn_passed(self._pointer, place))

    def forget(self, place: int) -> int:
        """See ``Turn``."""
        _, frames, _ = self._entries.pop(place)
        if frames is not None:
            self._tell(frames, place)
        passed = self.passed(place)
        self._library.turn_forget(self._pointer, place)
        return passed

    def go(self, most: int) -> None:
        """See ``Turn``."""
        turn, turn_go, pointer = self._turn, self._library.turn_go, self._pointer
        turn.left, turn.small = EVENTS, _SMALL
        while told := turn_go(pointer, most):
            outlet, frames, source = self._entries[turn.place]
            if told == _UNCOMMON:
                tell(source, source.hand_back)
            elif told == _BROKEN:
                tell(source, source.abort)
            else:
                size, sent = turn.size, turn.sent
                if told == _UNFOLLOWED and frames is not None:
                    sent = self._send(outlet, frames, self._buffer[:size])
                if sent != size:
                    tell(source, source.left, bytes(self._buffer[sent:size]))

    def _send(self, outlet: socket, frames: Frames, data: memoryview) -> int:
        """Follow what C did not, and send it; return how much was taken."""
        place = self._turn.place
        self._tell(frames, place)
        frames.feed(data)
        self._library.turn_follow(self._pointer, place, _missing(frames))
        try:
            return outlet.send(data)
        except OSError:
            return 0  # the transport will meet the same

    def _tell(self, frames: Frames, place: int) -> None:
        """Tell who follows frames in Python how far C has."""
        missing = self._library.turn_missing(self._pointer, place)
        if missing >= 0:
            frames.missing = missing

    def close(self) -> None:
        """See ``Turn``."""
        self._buffer = memoryview(b"")
        self._delete()


def _missing(frames: Frames) -> int:
    missing = frames.missing
    return _ASK if missing is None or missing >= _MOST else missing


def _error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
