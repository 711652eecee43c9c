r"""``combined``: a request's line begins as in the combined format of Apache and nginx, and goes on with named values.

A switch and the end of an upgraded connection have lines of their own::

    192.0.2.1 - - [22/Nov/2026:10:42:00 +0000] "GET /ws HTTP/1.1" 426 73 "-" "curl/8" seconds=0.001 id=c1f reason=…
    192.0.2.1 - - [22/Nov/2026:10:42:00 +0000] switch path="/ws" token="websocket" subprotocol="-" id=c20
    192.0.2.1 - - [22/Nov/2026:10:43:00 +0000] end path="/ws" token="websocket" … close_code=1000 reason=closed id=c20

What a client sent stands between quotation marks, at most ``LONGEST`` characters of it, with everything but printable
ASCII, and quotation marks and backslashes, written as ``\xhh``: no value can end its quotes, add a line or reach a
terminal's controls.
"""

from __future__ import annotations

import time

from twisted.logger import LogEvent

from upgradegw.service.formats.escaping import escape
from upgradegw.service.formats.timestamps import Timestamps


class Combined:
    """The form that log analysers know."""

    def __init__(self) -> None:
        """Start without a cached second."""
        self._times = Timestamps("%d/%b/%Y:%H:%M:%S +0000")

    def line(self, event: LogEvent) -> str:
        """Return a whole line with its time, without its line feed."""
        when = self._times.text(event.get("log_time") or time.time())
        return f"{client_of(event)} - - [{when}] {format_event(event)}"

    def message(self, event: LogEvent) -> str:
        """Return the line without its time."""
        return f"{client_of(event)} {format_event(event)}"


def format_event(event: LogEvent) -> str:
    """Return the part of an access event's line that follows the time."""
    kind = event.get("event")
    if kind in ("request", "refuse"):
        return _request(event)
    if kind == "switch":
        return f"switch {_upgrade(event)} id={escape(event.get('connection_id'))}{_subject(event)}"
    return (
        f"end {_upgrade(event)} seconds={_seconds(event)} bytes_in={event.get('bytes_in', 0)}"
        f" bytes_out={event.get('bytes_out', 0)} close_code={escape(event.get('close_code'))}"
        f" reason={escape(event.get('reason'))} id={escape(event.get('connection_id'))}{_subject(event)}"
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
    return line + _subject(event)


def _upgrade(event: LogEvent) -> str:
    return " ".join(f'{name}="{escape(event.get(name))}"' for name in ("path", "token", "subprotocol", "http_version"))


def _subject(event: LogEvent) -> str:
    """Whose certificate the client has shown, if it has shown one."""
    subject = event.get("client_subject")
    return "" if subject is None else f' client_subject="{escape(subject)}"'


def _seconds(event: LogEvent) -> str:
    seconds = event.get("seconds")
    return f"{seconds:.3f}" if isinstance(seconds, (int, float)) else "-"


def client_of(event: LogEvent) -> str:
    """Return who asked: an address, or ``-`` on a UNIX socket."""
    return escape(event.get("client"))
