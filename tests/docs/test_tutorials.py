"""Each tutorial leads where it says: followed in an empty folder, with what is installed here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.source_tree import ROOT

PAGES = sorted((ROOT / "docs" / "tutorials").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_the_tutorial_can_be_followed(page: Path, tmp_path: Path) -> None:
    """Its files and commands alone do what it says; ``.ci/full`` does the same with environments made as it says."""
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "follow.py", page, tmp_path / "empty", "--installed"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_chat_has_forty_lines() -> None:
    """The page says forty lines of Python."""
    text = (ROOT / "docs" / "examples" / "chat_room" / "chat.py").read_text()
    assert len([line for line in text.splitlines() if line.strip()]) <= 40
