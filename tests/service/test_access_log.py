"""Access lines: what is in them, and what no client can put in them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import globalLogPublisher

from upgradegw.events import access_events
from upgradegw.negotiation.model import Client
from upgradegw.negotiation.reasons import Reason
from upgradegw.service.access_log import LONGEST, AccessLog, LineObserver, Timestamps, escape, format_event
from upgradegw.service.log_file import LogFile

CLIENT = Client("192.0.2.7", b"http", b"a.example", "192.0.2.7")
REQUEST: dict[str, Any] = {
    "event": "request",
    "connection_id": "c1",
    "client": CLIENT,
    "method": b"GET",
    "target": b"/ws?a=1",
    "http_version": b"HTTP/1.1",
    "status": 200,
    "bytes_out": 12,
    "seconds": 0.0123,
    "referer": None,
    "user_agent": b"curl/8",
}
UPGRADED: dict[str, Any] = {
    "connection_id": "c1",
    "client": CLIENT,
    "path": b"/ws",
    "token": "websocket",
    "subprotocol": None,
    "http_version": "HTTP/2",
}


def lines_of(*events: dict[str, Any]) -> list[bytes]:
    """Return what is written for events of 22 November 2026, 10:42:00 UTC."""
    written: list[bytes] = []
    observer = LineObserver(written.append)
    for event in events:
        observer({"log_time": 1795344120.9, **event})  # type: ignore[misc]
    return written


def test_a_request_begins_as_in_the_combined_format() -> None:
    """Tools that read the combined format of other servers read ours."""
    assert lines_of(REQUEST) == [
        b'192.0.2.7 - - [22/Nov/2026:10:42:00 +0000] "GET /ws?a=1 HTTP/1.1" 200 12 "-" "curl/8" seconds=0.012 id=c1\n'
    ]


def test_a_refusal_has_reason_values_and_hint() -> None:
    """Who looks after the server finds what was compared, and what to do."""
    reason = Reason.ORIGIN_MISMATCH
    refused = {**REQUEST, "status": 403, "reason": reason.value, "detail": "https://b.example", "hint": reason.hint}
    assert format_event(refused).endswith(
        f' id=c1 reason=origin_mismatch detail="https://b.example" hint="{reason.hint}"'
    )


def test_a_refusal_on_a_stock_site_is_a_request() -> None:
    """The event ``refuse`` has no end of anything to tell, and fewer values than a request."""
    refused = {"event": "refuse", "method": "GET", "target": "/ws", "status": 400, "reason": "bad_key", "hint": "h"}
    assert format_event({**refused, "detail": "d"}) == (
        '"GET /ws -" 400 0 "-" "-" seconds=- id=- reason=bad_key detail="d" hint="h"'
    )


def test_switch_and_end_are_lines_of_their_own() -> None:
    """An upgraded connection can be followed by its id, from the switch to its bytes and close code."""
    end = {"event": "end", "seconds": 60.0, "bytes_in": 7, "bytes_out": 9, "close_code": 1001, "reason": "closed"}
    switched, ended = lines_of({"event": "switch", **UPGRADED}, {**UPGRADED, **end, "client": None})
    assert switched == (
        b'192.0.2.7 - - [22/Nov/2026:10:42:00 +0000] switch path="/ws" token="websocket" subprotocol="-"'
        b' http_version="HTTP/2" id=c1\n'
    )
    assert ended == (
        b'- - - [22/Nov/2026:10:42:00 +0000] end path="/ws" token="websocket" subprotocol="-"'
        b' http_version="HTTP/2" seconds=60.000'
        b" bytes_in=7 bytes_out=9 close_code=1001 reason=closed id=c1\n"
    )


@given(st.binary() | st.text())
def test_no_value_leaves_its_quotes(value: bytes | str) -> None:
    """A-36: control characters, quotation marks, backslashes and all beyond ASCII are written as escapes."""
    line = lines_of({**REQUEST, "user_agent": value, "detail": value, "reason": "bad_key", "hint": ""})[0]
    assert line.count(b"\n") == 1
    assert line.count(b'"') == 10
    assert all(0x20 <= byte < 0x7F for byte in line[:-1])


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"\x1b]0;title\x07", r"\x1b]0;title\x07"),
        (b'a"b\\c', r"a\x22b\x5cc"),
        (b"a\r\nb", r"a\x0d\x0ab"),
        ("Å".encode(), r"\xc3\x85"),
        ("\u2028\U0001f600", r"\u2028\U0001f600"),
        (b"", "-"),
        (None, "-"),
        (1001, "1001"),
    ],
)
def test_escapes(value: object, shown: str) -> None:
    """A-36: what a terminal would act on is shown in hexadecimal."""
    assert escape(value) == shown


def test_long_values_are_cut() -> None:
    """A-36: no client fills the disk with one request's fields."""
    assert escape(b"x" * LONGEST) == "x" * LONGEST
    assert escape(b"x" * (LONGEST + 1)) == "x" * LONGEST + "..."


def test_the_time_changes_with_the_second() -> None:
    """It is made once a second, also when the clock goes back."""
    times = Timestamps()
    assert times.text(0.0) == times.text(0.99) == "01/Jan/1970:00:00:00 +0000"
    assert times.text(1.0) == "01/Jan/1970:00:00:01 +0000"
    assert times.text(0.5) == "01/Jan/1970:00:00:00 +0000"


class TestAccessLog:
    """Where the lines go."""

    @staticmethod
    def seen(log: AccessLog) -> list[dict[str, Any]]:
        """Return what Twisted's log sees of a request and a switch while the access log is on."""
        events: list[dict[str, Any]] = []
        globalLogPublisher.addObserver(events.append)
        log.start()
        try:
            if access_events.wants_requests:
                access_events.emit("{method}", **REQUEST)
            access_events.emit("{token}", **{"event": "switch", **UPGRADED})
        finally:
            log.stop()
            globalLogPublisher.removeObserver(events.append)
        return [event for event in events if event["log_namespace"] == "upgradegw.access"]

    def test_twisteds_own_log_is_the_default(self) -> None:
        """Lines have the fields of their events, for observers that want more than text."""
        request, switch = self.seen(AccessLog(None))
        assert request["line"] == '192.0.2.7 "GET /ws?a=1 HTTP/1.1" 200 12 "-" "curl/8" seconds=0.012 id=c1'
        assert (request["status"], switch["path"], request["log_format"]) == (200, b"/ws", "{line}")
        assert switch["line"].startswith("192.0.2.7 switch ")

    def test_off_means_nothing_at_all(self) -> None:
        """Requests are not even gathered, switches and ends are dropped."""
        log = AccessLog(None, off=True)
        log.start()
        assert not access_events.wants_requests
        log.stop()
        assert self.seen(log) == []

    def test_a_file_gets_the_lines_and_twisteds_log_none(self, tmp_path: Any) -> None:
        """Each line goes to the file at once; after the end nothing is subscribed."""
        path = tmp_path / "access.log"
        assert self.seen(AccessLog(LogFile.append_to(str(path)))) == []
        assert [line.split(" ", 5)[5][:6] for line in path.read_text().splitlines()] == ['"GET /', "switch"]
        assert not access_events.wants_requests
