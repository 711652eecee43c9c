"""uvloop in memory: a loop that turns when told to, and a transport that takes as much as told to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from upgradegw.reactor.streams import Streams
from upgradegw.reactor.tcp import TcpConnection


class MemoryLoop:
    """Calls what is due when a test says so."""

    def __init__(self) -> None:
        self.soon: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []

    def call_soon(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.soon.append((function, arguments))

    def turn(self) -> None:
        """Make the calls that wait, and not those that they add."""
        soon, self.soon = self.soon, []
        for function, arguments in soon:
            function(*arguments)

    def turns(self) -> None:
        """Turn until nothing waits."""
        while self.soon:
            self.turn()


class MemorySocket:
    """Remembers options."""

    def __init__(self) -> None:
        self.options: dict[tuple[int, int], Any] = {}

    def setsockopt(self, level: int, name: int, value: Any) -> None:
        self.options[level, name] = value

    def getsockopt(self, level: int, name: int) -> Any:
        return self.options.get((level, name), 0)

    def fileno(self) -> int:
        return 99


class MemoryTransport:
    """As uvloop's: sends at once what the system takes, and says when something is left and when nothing is.

    Attributes:
        room: How many octets the system takes; None for all.
        writes: What it has taken, one entry a system call.
    """

    def __init__(self, loop: MemoryLoop, connection: Any) -> None:
        self.loop = loop
        self.connection = connection
        self.room: int | None = None
        self.writes: list[bytes] = []
        self.left = b""
        self.reading = False
        self.closing = self.aborted = self.ended = False
        self.socket = MemorySocket()

    def set_write_buffer_limits(self, high: int, low: int) -> None:
        assert (high, low) == (0, 0)

    def get_extra_info(self, name: str) -> Any:
        return {
            "socket": self.socket,
            "peername": ("192.0.2.1", 4711),
            "sockname": ("192.0.2.2", 80),
        }[name]

    def get_write_buffer_size(self) -> int:
        return len(self.left)

    def write(self, data: bytes) -> None:
        assert not self.ended
        taken = data if self.room is None else data[: self.room]
        self.room = None if self.room is None else self.room - len(taken)
        if taken:
            self.writes.append(taken)
        self.left += data[len(taken) :]
        if self.left:
            self.connection.pause_writing()

    def writelines(self, pieces: Iterable[bytes]) -> None:
        self.write(b"".join(pieces))

    def drain(self) -> None:
        """The system takes all."""
        self.room = None
        left, self.left = self.left, b""
        self.writes.append(left)
        self.connection.resume_writing()
        if self.closing:
            self.loop.call_soon(self.connection.connection_lost, None)

    def write_eof(self) -> None:
        self.ended = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def close(self) -> None:
        if not self.closing:
            self.closing = True
            self.reading = False
            if not self.left:
                self.loop.call_soon(self.connection.connection_lost, None)

    def abort(self) -> None:
        if not self.aborted:
            self.aborted = self.closing = True
            self.reading = False
            self.loop.call_soon(self.connection.connection_lost, None)


class Owner:
    """Connects one protocol."""

    addr = ("192.0.2.1", 4711)
    keeps_alive = False

    def __init__(self, protocol: Any) -> None:
        self.protocol = protocol
        self.reason: Any = None

    def opened(self, connection: Any) -> None:
        connection.speak(self.protocol)

    def closed(self, connection: Any, reason: Any) -> None:
        self.reason = reason


class Link:
    """A connection in memory, with its protocol connected.

    Attributes:
        connection: What is tested.
        transport: What stands in for uvloop's.
        loop: Its loop.
    """

    def __init__(self, protocol: Any, *, is_client: bool = False) -> None:
        self.loop = MemoryLoop()
        self.streams = Streams(self.loop)  # type: ignore[arg-type]
        self.owner = Owner(protocol)
        self.connection = TcpConnection(None, self.streams, self.owner, is_client=is_client)
        self.transport = MemoryTransport(self.loop, self.connection)
        self.connection.connection_made(self.transport)
        self.transport.reading = True  # as uvloop, whatever the protocol has said

    @property
    def written(self) -> list[bytes]:
        """What was written, one entry a system call."""
        return self.transport.writes

    def read(self, data: bytes) -> None:
        """Let uvloop read."""
        assert self.transport.reading
        buffer = self.connection.get_buffer(65536)
        buffer[: len(data)] = data
        self.connection.buffer_updated(len(data))
