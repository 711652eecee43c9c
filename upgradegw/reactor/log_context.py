"""Who is speaking, for log lines that say so: the connection or the descriptor that is being read from.

Twisted's other reactors put the prefix of a connection into the context of every call; here it is worked out when a
line is written.
"""

from __future__ import annotations

from typing import Any

from upgradegw.reactor.streams import Streams


class LogContext(dict[str, Any]):
    """What ``twisted.python.log`` adds to its lines."""

    def __init__(self, streams: Streams) -> None:
        super().__init__(isError=0, system="-")
        self._streams = streams

    def __getitem__(self, key: str) -> Any:
        if key == "system" and self._streams.reading is not None:
            try:
                return self._streams.reading.logPrefix()
            except Exception:  # noqa: BLE001 - whatever it is, the line is written
                return "(buggy logPrefix method)"  # Twisted's words
        return super().__getitem__(key)

    def copy(self) -> dict[str, Any]:
        """What one line gets."""
        return {**self, "system": self["system"]}
