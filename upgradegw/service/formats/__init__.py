"""The forms of an access line, by the names that ``--access-log-format`` has for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

from twisted.logger import LogEvent

from upgradegw.service.formats.combined import Combined
from upgradegw.service.formats.json_lines import JsonLines
from upgradegw.service.formats.logfmt import Logfmt

#: The one that is used if nobody chooses.
DEFAULT_FORMAT = "combined"


class Format(Protocol):
    """Makes an access event a line of printable ASCII."""

    def line(self, event: LogEvent) -> str:
        """Return a whole line with its time, without its line feed."""

    def message(self, event: LogEvent) -> str:
        """Return the same for Twisted's log, which sets a time in front by itself."""


FORMATS: Mapping[str, Callable[[], Format]] = MappingProxyType(
    {DEFAULT_FORMAT: Combined, "json": JsonLines, "logfmt": Logfmt}
)
