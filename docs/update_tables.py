"""Bring the tables that are made from the source up to date: who shows which requirement, and the reasons.

``python docs/update_tables.py`` rewrites the pages; a test compares them with what this would write.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

from upgradegw.negotiation.reasons import Reason

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"

#: A requirement's id, as rows of a page begin with it and docstrings cite it.
ID = re.compile(r"(?<![\w-])(?:UP|WS|PD|CL|A)-[0-9]{2}(?![0-9])")
_RANGE = re.compile(rf"({ID.pattern}) to ({ID.pattern})")
_ROW = re.compile(rf"^\| ({ID.pattern}) (\|.*\|) [^|]*\|$", re.MULTILINE)

#: The reasons' page, and the reason with which each of its parts begins.
_PARTS = (
    (Reason.NO_UPGRADE, "The offer was passed over", "The request was answered as if it had not been made."),
    (Reason.PROTECTED_CONNECTION_OPTION, "The request was refused at once", "Nobody was asked."),
    (Reason.DENIED, "The application was asked", "And said no, failed, or said nothing."),
    (Reason.HEAD_TIMEOUT, "The channel would not read on", "These close the connection."),
    (Reason.CLOSED, "An upgraded connection ended", "The reason of its second line in the log."),
)
_REASONS_INTRODUCTION = """# Reasons

Why a request was not switched, or a connection ended: `reason=` in the access log, beside the values that were
compared. A name that has been released does not change. Clients are not told reasons. This page is made from
`upgradegw.negotiation.reasons` by `python docs/update_tables.py`.
"""


def cited(docstring: str) -> set[str]:
    """Return the ids that a docstring cites; ``UP-01 to UP-03`` cites three."""
    found = set(ID.findall(docstring))
    for first, last in _RANGE.findall(docstring):
        kind, _, start = first.partition("-")
        found.update(f"{kind}-{number:02d}" for number in range(int(start), int(last.partition("-")[2]) + 1))
    return found


def citations() -> dict[str, list[str]]:
    """Return for each id the test files in which a docstring cites it."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                for identifier in cited(ast.get_docstring(node) or ""):
                    found.setdefault(identifier, set()).add(str(path.relative_to(ROOT / "tests")))
    return {identifier: sorted(files) for identifier, files in found.items()}


def with_citations(page: str, by_id: dict[str, list[str]]) -> str:
    """Return a page with the last column of its rows filled in."""

    def row(match: re.Match[str]) -> str:
        files = ", ".join(f"`{name}`" for name in by_id.get(match[1], []))
        return f"| {match[1]} {match[2]} {files} |"

    return _ROW.sub(row, page)


def reasons_page() -> str:
    """Return the page of all reasons."""
    begins = {first: (title, text) for first, title, text in _PARTS}
    page = _REASONS_INTRODUCTION
    for reason in Reason:
        if reason in begins:
            title, text = begins[reason]
            page += f"\n## {title}\n\n{text}\n\n| reason | what to look at |\n|---|---|\n"
        page += f"| `{reason.value}` | {reason.hint} |\n"
    return page


def pages() -> dict[Path, str]:
    """Return the pages as they should be."""
    by_id = citations()
    made = {
        path: with_citations(path.read_text(), by_id)
        for path in (REFERENCE / "requirements.md", REFERENCE / "attacks.md")
    }
    made[REFERENCE / "reasons.md"] = reasons_page()
    return made


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text)
