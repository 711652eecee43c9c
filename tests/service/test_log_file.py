"""A file of lines: appended to, reopened, never in the way."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from twisted.logger import LogEvent, globalLogPublisher

from upgradegw.service.log_file import LogFile


@pytest.fixture
def said() -> object:
    """Collect what goes to Twisted's log."""
    events: list[LogEvent] = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


def test_lines_are_appended_at_once(tmp_path: Path) -> None:
    """Nothing waits in a buffer, and what was there stays."""
    path = tmp_path / "access.log"
    path.write_text("old\n")
    log = LogFile.append_to(str(path))
    log.write(b"new\n")
    assert path.read_text() == "old\nnew\n"
    log.close()


def test_the_file_is_not_for_everybody(tmp_path: Path) -> None:
    """Addresses of people are read by the owner and the group."""
    log = LogFile.append_to(str(tmp_path / "access.log"))
    assert stat.S_IMODE((tmp_path / "access.log").stat().st_mode) & 0o027 == 0
    log.close()


def test_a_moved_file_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After ``logrotate`` and SIGHUP lines go to a new file, wherever the process stands by then."""
    monkeypatch.chdir(tmp_path)
    log = LogFile.append_to("access.log")
    monkeypatch.chdir("/")
    (tmp_path / "access.log").rename(tmp_path / "access.log.1")
    log.write(b"one\n")
    log.reopen()
    log.write(b"two\n")
    log.close()
    assert ((tmp_path / "access.log.1").read_text(), (tmp_path / "access.log").read_text()) == ("one\n", "two\n")


def test_a_file_that_cannot_be_reopened_stays_open(tmp_path: Path, said: list[LogEvent]) -> None:
    """No line is lost for a wrong permission; the log says so."""
    folder = tmp_path / "logs"
    folder.mkdir()
    log = LogFile.append_to(str(folder / "access.log"))
    folder.rename(tmp_path / "moved")
    log.reopen()
    log.write(b"kept\n")
    log.close()
    assert (tmp_path / "moved" / "access.log").read_text() == "kept\n"
    assert [event["log_format"] for event in said] == ["{path} cannot be opened anew: {error}"]


def test_a_full_disk_is_reported_once(said: list[LogEvent]) -> None:
    """A log that cannot be written never fails a request; /dev/full is a disk that is full."""
    log = LogFile(None, os.open("/dev/full", os.O_WRONLY))
    log.write(b"one\n")
    log.write(b"two\n")
    log.close()
    log.write(b"three\n")
    assert [event["error"] for event in said] == ["No space left on device"]


def test_standard_output_cannot_be_reopened() -> None:
    """SIGHUP leaves it alone."""
    log = LogFile.standard_output()
    log.reopen()
    log.close()
