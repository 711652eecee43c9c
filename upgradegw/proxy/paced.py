"""The producer of a request's content, paused and resumed by whoever passes the content on."""

from __future__ import annotations

from typing import Any


class Paced:
    """The part of an ``Exchange`` that has such a producer, and tells it each thing once."""

    __slots__ = ("_producer", "_producer_paused")

    def __init__(self) -> None:
        """Have none yet."""
        self._producer: Any = None
        self._producer_paused = False

    def flow(self, more: bool) -> None:
        """Let the producer go on, or pause it."""
        if self._producer is not None and more == self._producer_paused:
            self._producer_paused = not more
            if more:
                self._producer.resumeProducing()
            else:
                self._producer.pauseProducing()

    def _take_producer(self, producer: Any, streaming: bool, *, wanted: bool) -> bool:
        """Take a producer, or stop it.

        Args:
            producer: The producer.
            streaming: Whether it writes without being asked.
            wanted: Whether its content is.

        Returns:
            Whether it was taken.

        Raises:
            RuntimeError: There is one already, or it is not streaming.
        """
        if self._producer is not None or not streaming:
            raise RuntimeError("one producer, and a streaming one")
        if not wanted:
            producer.stopProducing()
            return False
        self._producer = producer
        self._producer_paused = False
        return True

    def _dismiss_producer(self, *, complete: bool) -> None:
        """Forget the producer.

        Args:
            complete: Whether all of the content has come; else nobody wants the rest, and it is stopped.
        """
        producer, self._producer = self._producer, None
        if producer is not None and not complete:
            producer.stopProducing()
        elif producer is not None and self._producer_paused:
            producer.resumeProducing()
