"""The page that tells which of Twisted's own tests the reactor passes, and which it is not held to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.reactor.builder_exclusions import EXCLUSIONS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "reactor.md"


def exclusions_table() -> str:
    """Return the exclusions and their reasons as a table, one row a reason."""
    by_reason: dict[str, list[str]] = {}
    for exclusion in EXCLUSIONS:
        by_reason.setdefault(exclusion.reason, []).append(exclusion.tests)
    lines = ["| tests | why not |", "|---|---|"]
    for reason, tests in by_reason.items():
        lines.append(f"| {', '.join(f'`{name}`' for name in tests)} | {reason} |")
    return "\n".join(lines) + "\n"


def passed_table(outcomes: Sequence[Any]) -> str:
    """Return how many tests of each module passed, as a table with a sum."""
    lines = ["| module | passed | skipped | excluded |", "|---|--:|--:|--:|"]
    rows = [(f"`{each.module}`", each.passed, sum(each.skipped.values()), each.excluded) for each in outcomes]
    rows.append(("**all**", *(sum(row[number] for row in rows) for number in (1, 2, 3))))  # type: ignore[arg-type]
    lines += [
        f"| {name} | {passed:,} | {skipped or ''} | {excluded or ''} |" for name, passed, skipped, excluded in rows
    ]
    return "\n".join(lines) + "\n"


def skipped_table(outcomes: Sequence[Any]) -> str:
    """Return why tests of Twisted's left themselves out, as a table, the most frequent reason first."""
    reasons: Counter[str] = Counter()
    for outcome in outcomes:
        reasons.update(outcome.skipped)
    lines = ["| reason given by the test | tests |", "|---|--:|"]
    for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0])):
        told = reason.replace("|", "/").replace("<", "&lt;") or "(none)"
        lines.append(f"| {told} | {count} |")
    return "\n".join(lines) + "\n"


def filled(page: str, name: str, table: str) -> str:
    """Return the page with a table between its marks."""
    pattern = rf"(<!-- made: {name} -->\n).*?(<!-- end -->)"
    new, found = re.subn(pattern, lambda marks: f"{marks[1]}\n{table}\n{marks[2]}", page, flags=re.DOTALL)
    if found != 1:
        raise ValueError(f"the page has {found} places for what is {name}")
    return new


def write_page(outcomes: Sequence[Any]) -> None:
    """Write what became of all modules into the page."""
    page = filled(PAGE.read_text(), "passed", passed_table(outcomes))
    page = filled(page, "skipped", skipped_table(outcomes))
    PAGE.write_text(filled(page, "exclusions", exclusions_table()))
