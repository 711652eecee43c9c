"""The catalogue is complete: each class of attack is performed by a test of this folder, and stands in the docs."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "reference" / "attacks.md"

#: What a server of HTTP/1.1 and HTTP/2 can be attacked with.
NUMBERS = [1, *range(4, 11), *range(12, 38), *range(40, 43), 44, 45]


def _cited() -> set[str]:
    docstrings = [
        ast.get_docstring(node) or ""
        for path in HERE.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    return set(re.findall(r"\bA-[0-9]{2}\b", " ".join(docstrings)))


CITED = _cited()


@pytest.mark.parametrize("number", NUMBERS)
def test_each_attack_is_performed(number: int) -> None:
    """Each class has a test here that cites it, and one row in the documentation."""
    identifier = f"A-{number:02}"
    assert identifier in CITED
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith(f"| {identifier} |")]
    assert len(rows) == 1
    assert "`attacks/test_" in rows[0]
