"""The time of an access line: its text is made once a second."""

from __future__ import annotations

import time


class Timestamps:
    """Times in one form, in UTC."""

    def __init__(self, pattern: str) -> None:
        """Start without a cached second.

        Args:
            pattern: As ``time.strftime`` has it.
        """
        self._pattern = pattern
        self._second = -1
        self._text = ""

    def text(self, seconds: float) -> str:
        """Return a time.

        Args:
            seconds: Since 1970, as ``time.time()`` has it.
        """
        if int(seconds) != self._second:
            self._second = int(seconds)
            self._text = time.strftime(self._pattern, time.gmtime(self._second))
        return self._text
