r"""The access log: one line for a request, one for a switch, one for the end of an upgraded connection.

A request's line begins as in the combined format of Apache and nginx and goes on with named values::

    192.0.2.1 - - [22/Nov/2026:10:42:00 +0000] "GET /ws HTTP/1.1" 426 73 "-" "curl/8" seconds=0.001 id=c1f reason=…
    192.0.2.1 - - [22/Nov/2026:10:42:00 +0000] switch path="/ws" token="websocket" subprotocol="-" id=c20
    192.0.2.1 - - [22/Nov/2026:10:43:00 +0000] end path="/ws" token="websocket" … close_code=1000 reason=closed id=c20

What a client sent stands between quotation marks, at most ``LONGEST`` characters of it, with everything but printable
ASCII, and quotation marks and backslashes, written as ``\xhh``: no value can end its quotes, add a line or reach a
terminal's controls.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from twisted.logger import ILogObserver, LogEvent, Logger
from zope.interface import implementer

from upgradegw.events import NAMESPACE, access_events
from upgradegw.service.log_file import LogFile

#: Characters of a value that are shown; nginx shows all of up to 32 KiB, but a log is read by people.
LONGEST = 1024

#: Not an attribute of a class, which would put its own name in place of this one.
_log = Logger(namespace=NAMESPACE)

_UNSAFE = re.compile(r"[^ !#-\[\]-~]")


def escape(value: object) -> str:
    """Return a value as it may stand between quotation marks; ``-`` for none."""
    if value is None:
        return "-"
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    more = len(text) > LONGEST
    text = _UNSAFE.sub(_hexadecimal, text[:LONGEST])
    return (text + "..." if more else text) or "-"


def _hexadecimal(match: re.Match[str]) -> str:
    character = ord(match[0])
    if character <= 0xFF:  # noqa: PLR2004 - two digits are enough
        return f"\\x{character:02x}"
    return f"\\u{character:04x}" if character <= 0xFFFF else f"\\U{character:08x}"  # noqa: PLR2004 - four are


def format_event(event: LogEvent) -> str:
    """Return the part of an access event's line that follows the time."""
    kind = event.get("event")
    if kind in ("request", "refuse"):
        return _request(event)
    if kind == "switch":
        return f"switch {_upgrade(event)} id={escape(event.get('connection_id'))}"
    return (
        f"end {_upgrade(event)} seconds={_seconds(event)} bytes_in={event.get('bytes_in', 0)}"
        f" bytes_out={event.get('bytes_out', 0)} close_code={escape(event.get('close_code'))}"
        f" reason={escape(event.get('reason'))} id={escape(event.get('connection_id'))}"
    )


def _request(event: LogEvent) -> str:
    get = event.get
    line = (
        f'"{escape(get("method"))} {escape(get("target"))} {escape(get("http_version"))}" {get("status")}'
        f' {get("bytes_out", 0)} "{escape(get("referer"))}" "{escape(get("user_agent"))}"'
        f" seconds={_seconds(event)} id={escape(get('connection_id'))}"
    )
    if get("reason"):
        line += f' reason={escape(get("reason"))} detail="{escape(get("detail"))}" hint="{escape(get("hint"))}"'
    return line


def _upgrade(event: LogEvent) -> str:
    return " ".join(f'{name}="{escape(event.get(name))}"' for name in ("path", "token", "subprotocol", "http_version"))


def _seconds(event: LogEvent) -> str:
    seconds = event.get("seconds")
    return f"{seconds:.3f}" if isinstance(seconds, (int, float)) else "-"


def client_of(event: LogEvent) -> str:
    """Return who asked: an address, or ``-`` on a UNIX socket."""
    client = event.get("client")
    return escape(getattr(client, "address", client))


class Timestamps:
    """The time in the form of the combined format, made once a second."""

    def __init__(self) -> None:
        """Start without a cached second."""
        self._second = -1
        self._text = ""

    def text(self, seconds: float) -> str:
        """Return a time.

        Args:
            seconds: Since 1970, as ``time.time()`` has it.
        """
        if int(seconds) != self._second:
            self._second = int(seconds)
            self._text = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(self._second))
        return self._text


@implementer(ILogObserver)
class LineObserver:
    """Writes access events as lines of their own log."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        """Write lines.

        Args:
            write: Takes a line with its line feed; must not raise.
        """
        self._write = write
        self._times = Timestamps()

    def __call__(self, event: LogEvent) -> None:
        """Write one event."""
        when = self._times.text(event.get("log_time") or time.time())
        self._write(f"{client_of(event)} - - [{when}] {format_event(event)}\n".encode("ascii"))


@implementer(ILogObserver)
class TwistedLogObserver:
    """Writes access events into Twisted's own log, which sets the time in front of each line by itself."""

    def __call__(self, event: LogEvent) -> None:
        """Write one event; its own fields stay with it for structured observers."""
        fields: dict[str, Any] = {name: value for name, value in event.items() if not name.startswith("log_")}
        fields["line"] = f"{client_of(event)} {format_event(event)}"
        _log.info("{line}", **fields)


class AccessLog:
    """The access log of a running server: where it goes, and when."""

    def __init__(self, target: LogFile | None, *, off: bool = False) -> None:
        """Decide where access lines go.

        Args:
            target: A file, or None for Twisted's own log.
            off: Whether nothing is written, and nothing formatted.
        """
        self._file = target
        self._off = off
        self._unsubscribe: Callable[[], None] | None = None

    def start(self) -> None:
        """Begin to write."""
        if self._off:
            access_events.silent = True
        elif self._file is None:
            self._unsubscribe = access_events.subscribe(TwistedLogObserver())
        else:
            self._unsubscribe = access_events.subscribe(LineObserver(self._file.write))

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
