"""What connections have to send when the event that is being handled is over.

A protocol writes in pieces: a head, fields, content, several frames. Each of uvloop's ``write`` is a system call, so
pieces are gathered and sent once: at the end of the read that caused them, or, written at another time, at the end of
the turn of the loop. Twisted's own reactors send at the next turn, which for a protocol is the same.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from typing import Protocol


class Sender(Protocol):
    """Has something to send, or to do once it is sent."""

    def flush(self) -> None:
        """Send it. Must not raise, and must not run code of applications."""


class Outbox:
    """The connections of one reactor that wait for the end of the event.

    Attributes:
        waiting: The connections, in the order in which they asked. One may be in it twice.
        expected: Whether somebody will call ``flush`` soon, so that nothing needs to be scheduled.
    """

    __slots__ = ("_loop", "expected", "waiting")

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self.waiting: list[Sender] = []
        self.expected = False

    def add(self, sender: Sender) -> None:
        """Have a connection flushed at the end of this event."""
        self.waiting.append(sender)
        if not self.expected:
            self.expected = True
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Flush all that wait."""
        waiting = self.waiting
        self.waiting = []
        self.expected = False
        for sender in waiting:
            sender.flush()
