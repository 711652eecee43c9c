"""Producers of content."""

from __future__ import annotations

from typing import Any


class Producer:
    """A push producer that counts."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def pauseProducing(self) -> None:
        self.log.append("pause")

    def resumeProducing(self) -> None:
        self.log.append("resume")

    def stopProducing(self) -> None:
        self.log.append("stop")


class Pulled:
    """A pull producer that writes so many pieces."""

    def __init__(self, request: Any, pieces: int, size: int = 10_000) -> None:
        self.request, self.pieces, self.size, self.asked = request, pieces, size, 0

    def resumeProducing(self) -> None:
        self.asked += 1
        if self.pieces:
            self.pieces -= 1
            self.request.write(b"x" * self.size)
        if not self.pieces:
            self.request.unregisterProducer()
            self.request.finish()

    def stopProducing(self) -> None:
        self.pieces = 0
