"""The table of what happens when the application fails names tests that exist."""

from __future__ import annotations

import ast
import re

import pytest

from tests.source_tree import ROOT, functions

PAGE = (ROOT / "docs" / "reference" / "failures.md").read_text()
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| what fails")]
TESTS = {found.name for path in (ROOT / "tests").rglob("test_*.py") for found in functions(ast.parse(path.read_text()))}


@pytest.mark.parametrize("row", ROWS)
def test_every_row_is_kept_by_a_test(row: str) -> None:
    """Each kind of failure has a test of its own, which the page names."""
    cited = re.findall(r"`(test_\w+)`", row)
    assert cited
    assert set(cited) - TESTS == set()
