"""The example of --check on the command line's page is what the command prints."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.certificates import self_signed
from tests.source_tree import ROOT
from tests.support.process import run

PAGE = (ROOT / "docs" / "reference" / "command-line.md").read_text()


def test_the_example_of_check(tmp_path: Path) -> None:
    """Line by line; an ellipsis stands for what differs from run to run, or for more lines of the kind."""
    example = PAGE.split("## What --check prints", 1)[1].split("```text\n", 1)[1].split("```", 1)[0]
    command, *lines = example.splitlines()
    (tmp_path / "public").mkdir()
    (tmp_path / "chat.py").write_text("from autobahn.twisted.websocket import WebSocketServerFactory as factory\n")
    files = self_signed(tmp_path)
    files.cert.rename(tmp_path / "chat.pem")
    files.key.rename(tmp_path / "chat.key")
    before = set(tmp_path.iterdir())
    done = run(*shlex.split(command.removeprefix("$ upgradegw ")), folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    patterns = (r"(?:limit .*\n)*" if line == "…" else re.escape(line).replace("…", r"\S+") + "\n" for line in lines)
    assert re.fullmatch("".join(patterns), done.stdout), done.stdout
    assert set(tmp_path.iterdir()) == before
    stated = set(re.findall(r"^`(\w+)`$", PAGE.split("## What --check prints", 1)[1], re.MULTILINE))
    only_of_a_file = {"admin", "warning"}
    assert {line.partition(" ")[0] for line in done.stdout.splitlines()[:-1]} == stated - only_of_a_file
