"""What all stream connections of one reactor share: the buffer that is read into, the outbox, the loop."""

from __future__ import annotations

import contextlib
import mmap
from asyncio import AbstractEventLoop
from typing import Any

from upgradegw.reactor.outbox import Outbox
from upgradegw.reactor.reading import Reading, library

#: Octets read at once, the same as Twisted's ``FileDescriptor.bufferSize``.
READ_SIZE = 65536


class Streams:
    """Shared by the connections of a reactor.

    One buffer serves all: between the read and the call that takes the octets out nothing else reads, so an idle
    connection holds no buffer, and no read is larger than it.

    Attributes:
        loop: uvloop's loop.
        outbox: Who has something to send.
        buffer: What is read into. It is memory of the system's: of all kinds of buffers it is the one whose slices are
            ``bytes``, without a step between.
        connections: Those that are open.
        ports: Those that listen.
        reading: The connection whose protocol handles what it was sent, or the descriptor that reads, for the log.
        batch: Who has something to send behind what is delivered in a turn; None at other times.
        runs: Whether the reactor runs.
        turn: What reads from those who go on talking; None before there is one, and where nothing is compiled.
        get_buffer: What ``asyncio.BufferedProtocol.get_buffer`` is on each connection. libuv always suggests the same
            size, so a dictionary answers, without a frame of Python for each read.
    """

    __slots__ = ("batch", "buffer", "connections", "get_buffer", "loop", "outbox", "ports", "reading", "runs", "turn")

    def __init__(self, loop: AbstractEventLoop) -> None:
        self.loop = loop
        self.outbox = Outbox(loop)
        self.connections: set[Any] = set()
        self.ports: set[Any] = set()
        self.reading: Any = None
        self.runs = False
        self.turn: Reading | None = None
        self.batch: list[Any] | None = None
        self.buffer = mmap.mmap(-1, READ_SIZE)
        self.get_buffer = _Always(memoryview(self.buffer)).__getitem__

    def has_turns(self) -> bool:
        """Tell whether connections can be read from together, and begin with it if that was not possible before."""
        if self.turn is None and self.runs and library() is not None:
            with contextlib.suppress(OSError):  # too many files are open
                self.turn = Reading(self)
        return self.turn is not None

    def begin_turns(self) -> None:
        """Read from those who go on talking, from now on."""
        self.runs = True
        self.has_turns()

    def end_turns(self) -> None:
        """Let uvloop read from everybody."""
        self.runs = False
        turn, self.turn = self.turn, None
        if turn is not None:
            turn.close()


class _Always(dict[int, Any]):
    """The same value for every key; the first asking for a key is slower than the others."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self._value = value

    def __missing__(self, key: int) -> Any:
        self[key] = self._value
        return self._value
