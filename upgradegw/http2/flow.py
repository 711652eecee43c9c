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

    __slots__ = ("_queues",)

    def __init__(self) -> None:
        """Have nobody wait."""
        self._queues: tuple[deque[S], ...] = tuple(deque() for _ in range(8))

    def add(self, sender: S) -> None:
        """Let a stream wait for its turn, if it does not already."""
        if not sender.waiting:
            sender.waiting = True
            self._queues[sender.urgency].append(sender)

    def run(self, may_go_on: Callable[[], bool], send: Callable[[S], bool]) -> None:
        """Let streams send, one frame of content each at a time, the most urgent first.

        Args:
            may_go_on: Asked before each turn.
            send: Lets a stream send no more than a frame; returns whether it could send more at once.
        """
        while may_go_on():
            queue = next((queue for queue in self._queues if queue), None)
            if queue is None:
                return
            sender = queue.popleft()
            sender.waiting = False
            if send(sender):
                self.add(sender)
