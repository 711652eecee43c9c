"""``upgradegw.testing`` in an application outside of this repository, whose tests are those of the documentation."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.source_tree import ROOT

PAGE = ROOT / "docs" / "how-to" / "test-your-upgrade.md"
EXAMPLES = ROOT / "docs" / "examples"

(COMMANDS,) = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
TRIAL, PYTEST = COMMANDS.splitlines()


@pytest.fixture
def application(tmp_path: Path) -> Path:
    """Return a folder with the application that the page tests, and with the page's tests."""
    folder = tmp_path / "application"
    folder.mkdir()
    tests = re.findall(r"literalinclude\} \.\./examples/(\S+)", PAGE.read_text())
    assert tests == ["test_chat.py", "test_chat_with_pytest.py"]
    modules = {
        name for test in tests for name in re.findall(r"^import (\w+)$", (EXAMPLES / test).read_text(), re.MULTILINE)
    } - {"pytest"}
    for name in [*tests, *(f"{module}.py" for module in modules)]:
        found = next(path for path in (EXAMPLES / name, EXAMPLES / "own_protocol" / name) if path.exists())
        shutil.copy(found, folder)
    return folder


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of the page as a user would: there, with nothing of this repository but what is installed."""
    program, *arguments = command.split()
    assert program == "python"
    environment = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment | {"HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.parametrize(("command", "passed"), [(TRIAL, r"Ran (\d+) tests"), (PYTEST, r"(\d+) passed")])
def test_its_tests_pass(command: str, passed: str, application: Path) -> None:
    """The commands of the page, in the application's folder, run the tests of the page, and all pass."""
    done = run(command, application)
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(passed, done.stdout)
    assert found is not None, done.stdout
    assert int(found[1]) >= (14 if command == TRIAL else 18)


@pytest.mark.parametrize(("command", "broken"), [(TRIAL, "pass"), (TRIAL, "1 / 0"), (PYTEST, "pass")])
def test_a_broken_application_fails(command: str, broken: str, application: Path) -> None:
    """An application that delivers nothing, and one that raises, make them fail."""
    chat = application / "chat.py"
    text = chat.read_text()
    line = "participant.sendMessage(payload, isBinary)"
    assert line in text
    chat.write_text(text.replace(line, broken))
    done = run(command, application)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "test_what_one_says_all_hear" in done.stdout
