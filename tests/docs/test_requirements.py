"""The pages that map requirements and attacks to modules and tests, and the page of reasons, say what is so."""

from __future__ import annotations

import importlib.util
import re

import pytest

from tests.source_tree import MODULES, ROOT
from upgradegw.negotiation.reasons import Reason

REFERENCE = ROOT / "docs" / "reference"
_spec = importlib.util.spec_from_file_location("update_tables", ROOT / "docs" / "update_tables.py")
assert _spec is not None
assert _spec.loader is not None
update_tables = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(update_tables)

ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for page in ("requirements.md", "attacks.md")
    for line in (REFERENCE / page).read_text().splitlines()
    if update_tables.ID.match(line.removeprefix("| "))
]
CITATIONS = update_tables.citations()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_requirement_has_its_module_and_test(row: list[str]) -> None:
    """Each row names modules that exist, and test files that exist and cite its id."""
    identifier, _, _, kept_by, shown_by = row
    modules = re.findall(r"`([\w.]+)`", kept_by)
    assert modules
    assert [name for name in modules if f"upgradegw.{name}" not in MODULES] == []
    files = re.findall(r"`([\w./]+)`", shown_by)
    assert files, f"no test's docstring cites {identifier}"
    assert [name for name in files if name not in CITATIONS[identifier]] == []


def test_the_rows_are_in_order_and_unique() -> None:
    """An id stands once, so that it is found where it is looked for."""
    identifiers = [row[0] for row in ROWS]
    assert len(set(identifiers)) == len(identifiers)


def test_every_cited_id_is_listed() -> None:
    """A docstring cites no id that the pages do not have."""
    assert CITATIONS.keys() - {row[0] for row in ROWS} == set()


def test_a_range_cites_all_that_is_in_it() -> None:
    """From one id to another cites all between them; a number of another kind cites none."""
    assert update_tables.cited("A-04 to A-06, PD-01: RFC-11, WAMP-12, A-123") == {"A-04", "A-05", "A-06", "PD-01"}


def test_the_pages_are_up_to_date() -> None:
    """``python docs/update_tables.py`` would change nothing."""
    stale = [path.name for path, text in update_tables.pages().items() if path.read_text() != text]
    assert stale == []


def test_every_reason_is_explained() -> None:
    """The page of reasons has a row for each, with its hint, under one of its headings."""
    page = (REFERENCE / "reasons.md").read_text()
    assert [reason.value for reason in Reason if f"| `{reason.value}` | {reason.hint} |" not in page] == []
    assert page.index("## ") < page.index(f"`{next(iter(Reason)).value}`")


@pytest.mark.parametrize(
    "page", ["how-to/troubleshoot.md", "reference/answers.md", "reference/failures.md", "how-to/nginx.md"]
)
def test_pages_name_reasons_that_exist(page: str) -> None:
    """What looks like a reason on a page that explains answers is one."""
    known = {reason.value for reason in Reason}
    cells = re.findall(r"`([a-z0-9]+(?:_[a-z0-9]+)+)`", (ROOT / "docs" / page).read_text())
    others = {"authorize_timeout", "prepare_timeout", "allowed_hosts", "head_timeout", "max_fragments", "max_streams"}
    others.add("http_upgrade")
    assert {name for name in cells if not name.startswith(("proxy_", "test_"))} - known - others == set()
