"""Access lines: where they go, and that nothing is formatted that nobody reads."""

from __future__ import annotations

import json
from typing import Any

import pytest
from twisted.logger import globalLogPublisher

from tests.service.formats.events import REQUEST, SWITCH
from upgradegw.events import access_events
from upgradegw.service.access_log import AccessLog
from upgradegw.service.formats import FORMATS
from upgradegw.service.log_file import LogFile


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
            access_events.emit("{token}", **SWITCH)
        finally:
            log.stop()
            globalLogPublisher.removeObserver(events.append)
        return [event for event in events if event["log_namespace"] == "upgradegw.access"]

    def test_twisteds_own_log_is_the_default(self) -> None:
        """Lines have the fields of their events, for observers that want more than text."""
        request, switch = self.seen(AccessLog(None))
        assert request["line"] == '192.0.2.7 "GET /ws?a=1 HTTP/1.1" 200 12 "-" "curl/8" seconds=0.012 id=c1'
        assert (request["status"], switch["path"], request["log_format"]) == (200, "/ws", "{line}")
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

    @pytest.mark.parametrize("form", FORMATS)
    def test_a_format_has_the_same_lines_everywhere(self, form: str, tmp_path: Any) -> None:
        """What stands in a file stands in Twisted's log, but for the time that it sets itself."""
        path = tmp_path / "access.log"
        self.seen(AccessLog(LogFile.append_to(str(path)), form=form))
        written = path.read_text().splitlines()
        said = [event["line"] for event in self.seen(AccessLog(None, form=form))]
        assert [self.without_time(line) for line in written] == [self.without_time(line) for line in said]
        assert len(written) == 2

    @staticmethod
    def without_time(line: str) -> object:
        """Return what does not depend on when it was written."""
        if line.startswith("{"):
            return {name: value for name, value in json.loads(line).items() if name != "time"}
        return [word for word in line.split(" ") if not word.startswith(("time=", "[", "+", "-"))]

    def test_a_format_that_nobody_reads_is_not_made(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """With ``off`` no line is formatted, whatever the format."""

        made: list[str] = []

        class Watched:
            def line(self, event: Any) -> str:
                made.append(event["event"])
                return ""

            message = line

        monkeypatch.setattr("upgradegw.service.access_log.FORMATS", {"json": Watched})
        self.seen(AccessLog(None, off=True, form="json"))
        assert made == []
        self.seen(AccessLog(None, form="json"))
        assert made == ["request", "switch"]
