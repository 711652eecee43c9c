"""Whose turn it is to send: streams by urgency, and in turns among those of one urgency (RFC 9218 section 10)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class Sender(Protocol):
    """A stream that has something to send.

    Attributes:
        urgency: From 0, at once, to 7.
        waiting: Whether it stands in the queue; the queue's own.
    """

    urgency: int
    waiting: bool


S = TypeVar("S", bound=Sender)


class Turns(Generic[S]):
    """The streams that can send, in the order of their turns."""

    __slots__ = ("_queues", "_waiting")

    def __init__(self) -> None:
        """Have nobody wait."""
        self._queues: dict[int, deque[S]] = {}  # most clients know of one urgency
        self._waiting = 0  # a bit for each queue in which somebody waits

    def add(self, sender: S) -> None:
        """Let a stream wait for its turn, if it does not already."""
        if not sender.waiting:
            sender.waiting = True
            queue = self._queues.get(sender.urgency)
            if queue is None:
                queue = self._queues[sender.urgency] = deque()
            queue.append(sender)
            self._waiting |= 1 << sender.urgency

    def run(self, may_go_on: Callable[[], bool], send: Callable[[S], bool]) -> None:
        """Let streams send, one frame of content each at a time, the most urgent first.

        Args:
            may_go_on: Asked before each turn.
            send: Lets a stream send no more than a frame; returns whether it could send more at once.
        """
        while self._waiting and may_go_on():
            lowest = self._waiting & -self._waiting
            queue = self._queues[lowest.bit_length() - 1]
            sender = queue.popleft()
            if not queue:
                self._waiting ^= lowest
            sender.waiting = False
            if send(sender):
                self.add(sender)
