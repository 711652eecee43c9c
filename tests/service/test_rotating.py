"""The access log of a running server is moved away under load, and opened anew at SIGHUP."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.support.access_lines import assert_complete, load, static_folder, target_of, wait_for
from tests.support.process import serving
from tests.support.sockets import ask
from upgradegw.service.formats import FORMATS


@pytest.mark.parametrize("form", FORMATS)
def test_no_line_is_lost(form: str, tmp_path: Path) -> None:
    """Each request has one whole line, in the file that was there before the signal or in one behind it."""
    log = tmp_path / "access.log"
    options = static_folder(tmp_path), f"--access-log={log}", f"--access-log-format={form}"
    with serving(*options) as server:
        with load(server) as done:
            moved = 0
            while not done.is_set():
                wait_for(log)
                moved += 1
                log.rename(tmp_path / f"access.log.{moved}")
                server.send(signal.SIGHUP)
                done.wait(0.02)
        wait_for(log)
        server.stop()
    assert "Traceback" not in server.text
    assert moved > 2
    assert_complete(tmp_path.glob("access.log*"), form)


@pytest.mark.parametrize("form", FORMATS)
def test_lines_behind_a_signal_are_in_the_new_file(form: str, tmp_path: Path) -> None:
    """What is asked once the new file is there leaves its line there, and the moved file stays as it is."""
    log, moved = tmp_path / "access.log", tmp_path / "access.log.1"
    with serving(f"--access-log={log}", f"--access-log-format={form}") as server:
        ask(server, b"/gone/before")
        log.rename(moved)
        server.send(signal.SIGHUP)
        wait_for(log)
        ask(server, b"/gone/behind")
        server.stop()
    found = [[target_of(line, form) for line in path.read_text().splitlines()] for path in (moved, log)]
    assert found == [["/gone/before"], ["/gone/behind"]]


def test_hostile_requests_stay_in_their_line(tmp_path: Path) -> None:
    """A-36: bytes that a socket brings are one line of printable ASCII in a file of every format."""
    fields = b'User-Agent: \x9b31m"\\ \xc3\x85 a=b\r\nReferer: x\ty\xff\r\n'
    for form in FORMATS:
        log = tmp_path / form
        with serving(f"--access-log={log}", f"--access-log-format={form}") as server:
            ask(server, b"/gone/%22%0a" + b"x" * 5000, fields)
            server.stop()
        (line,) = log.read_bytes().splitlines()
        assert all(0x20 <= byte < 0x7F for byte in line)
        assert target_of(line.decode(), form).startswith("/gone/%22%0axxx")
        assert len(line) < 2000
