"""logrotate as the page on the access log has it: the file is moved, the server gets SIGHUP, no line is lost."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from tests.clients.support import ROOT, run_tool, tool
from tests.support.access_lines import assert_complete, load, static_folder, wait_for
from tests.support.process import serving
from upgradegw.service.formats import FORMATS


@pytest.mark.parametrize("form", FORMATS)
def test_logrotate_under_load(form: str, tmp_path: Path) -> None:
    """The page's own configuration, but for the service that it names and the compression."""
    logrotate = tool("logrotate")
    log = tmp_path / "access.log"
    page = (ROOT / "docs" / "reference" / "events.md").read_text()
    found = re.search(r"```text\n(/var/log/upgradegw/access\.log \{\n.*?\n\})\n```", page, re.DOTALL)
    assert found is not None
    options = static_folder(tmp_path), f"--access-log={log}", f"--access-log-format={form}"
    with serving(*options) as server:
        text, signals = re.subn(r"systemctl kill .*", f"kill -HUP {server.process.pid}", found[1])
        assert signals == 1
        text = text.replace("/var/log/upgradegw/access.log", str(log)).replace("    compress\n    delaycompress\n", "")
        configuration = tmp_path / "logrotate.conf"
        configuration.write_text(text)
        configuration.chmod(0o644)
        command = logrotate, "--force", "--state", str(tmp_path / "state"), str(configuration)
        half = threading.Event()
        with load(server, half) as done:
            for _ in range(10):  # fewer than the page keeps
                wait_for(log)
                rotated = run_tool(command)
                assert (rotated.returncode, rotated.stderr) == (0, "")
                half.set()  # behind the first time, however fast the server is, and however slow this is
                if done.wait(0.05) and (tmp_path / "access.log.2").exists():
                    break
        wait_for(log)
        server.stop()
    assert (tmp_path / "access.log.2").exists()
    assert_complete(tmp_path.glob("access.log*"), form)
