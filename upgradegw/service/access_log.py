"""The access log: a line for a request, one for a switch and one for the end of an upgraded connection.

What is in a line is the format's to say; here it is decided where lines go, and that nothing is formatted that nobody
reads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.logger import ILogObserver, LogEvent, Logger
from zope.interface import implementer

from upgradegw.events import NAMESPACE, access_events
from upgradegw.service.formats import DEFAULT_FORMAT, FORMATS, Format
from upgradegw.service.log_file import LogFile

#: Not an attribute of a class, which would put its own name in place of this one.
_log = Logger(namespace=NAMESPACE)


@implementer(ILogObserver)
class LineObserver:
    """Writes access events as lines of their own log."""

    def __init__(self, write: Callable[[bytes], None], form: Format) -> None:
        """Write lines.

        Args:
            write: Takes a line with its line feed; must not raise.
            form: Makes events lines.
        """
        self._write = write
        self._line = form.line

    def __call__(self, event: LogEvent) -> None:
        """Write one event."""
        self._write(f"{self._line(event)}\n".encode("ascii"))


@implementer(ILogObserver)
class TwistedLogObserver:
    """Writes access events into Twisted's own log, which sets the time in front of each line by itself."""

    def __init__(self, form: Format) -> None:
        """Write lines.

        Args:
            form: Makes events lines.
        """
        self._message = form.message

    def __call__(self, event: LogEvent) -> None:
        """Write one event; its own fields stay with it for structured observers."""
        fields: dict[str, Any] = {name: value for name, value in event.items() if not name.startswith("log_")}
        fields["line"] = self._message(event)
        _log.info("{line}", **fields)


class AccessLog:
    """The access log of a running server: where it goes, and when."""

    def __init__(self, target: LogFile | None, *, off: bool = False, form: str = DEFAULT_FORMAT) -> None:
        """Decide where access lines go.

        Args:
            target: A file, or None for Twisted's own log.
            off: Whether nothing is written, and nothing formatted.
            form: One of ``FORMATS``.
        """
        self._file = target
        self._form = FORMATS[form]()
        self._off = off
        self._unsubscribe: Callable[[], None] | None = None

    def start(self) -> None:
        """Begin to write."""
        if self._off:
            access_events.silent = True
        elif self._file is None:
            self._unsubscribe = access_events.subscribe(TwistedLogObserver(self._form))
        else:
            self._unsubscribe = access_events.subscribe(LineObserver(self._file.write, self._form))

    def reopen(self) -> None:
        """Open the file anew."""
        if self._file is not None:
            self._file.reopen()

    def stop(self) -> None:
        """Write no more."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        if self._off:
            access_events.silent = False
        if self._file is not None:
            self._file.close()
