"""Producers of content."""

from __future__ import annotations

from typing import Any


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
