"""The rule about skipped tests, each case in a test run of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

CONFTEST = Path(__file__).with_name("conftest.py")

CASES = {
    "function": "import pytest\ndef test_it():\n    pytest.skip({reason!r})\n",
    "mark": "import pytest\n@pytest.mark.skipif(True, reason={reason!r})\ndef test_it(): pass\n",
    "module": "import pytest\npytest.skip({reason!r}, allow_module_level=True)\n",
    "trial": (
        "from twisted.trial.unittest import SynchronousTestCase, SkipTest\n"
        "class It(SynchronousTestCase):\n    def test_it(self):\n        raise SkipTest({reason!r})\n"
    ),
    "others": (
        "import pytest\ndef test_a(): pass\ndef test_b(): pass\n"
        "@pytest.mark.xfail(reason='known')\ndef test_c(): assert 0\n"
    ),
}


def run(folder: Path, reason: str, **environment: str) -> str:
    """Run every case with one reason, and return what pytest printed."""
    shutil.copy(CONFTEST, folder)
    (folder / "pytest.ini").write_text("[pytest]\n")
    for name, source in CASES.items():
        (folder / f"test_{name}.py").write_text(source.format(reason=reason))
    kept = {key: value for key, value in os.environ.items() if key != "CI" and not key.startswith(("PYTEST_", "COV"))}
    command = [sys.executable, "-m", "pytest", "-rs", "--continue-on-collection-errors", "-p", "no:cacheprovider"]
    done = subprocess.run(
        command, cwd=folder, env=kept | environment, capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout


def test_a_skip_with_a_reason_may_stand_outside_ci(tmp_path: Path) -> None:
    """Where CI is not set, a skip that says why is a skip."""
    printed = run(tmp_path, "no chromium")
    assert "= 2 passed, 4 skipped, 1 xfailed in" in printed


def test_a_skip_fails_in_ci(tmp_path: Path) -> None:
    """Where CI is set, a skip is a failure that says what is missing; what does not skip keeps its outcome."""
    printed = run(tmp_path, "no chromium", CI="true")
    assert "= 2 failed, 2 passed, 1 xfailed, 2 errors in" in printed
    assert printed.count("skipped, which is a failure in CI: no chromium") >= 4


def test_a_skip_without_a_reason_fails_everywhere(tmp_path: Path) -> None:
    """Nobody can tell what a skip without a reason leaves untested."""
    printed = run(tmp_path, "")
    assert "= 2 failed, 2 passed, 1 xfailed, 2 errors in" in printed
    assert printed.count("skipped without a reason") >= 4
