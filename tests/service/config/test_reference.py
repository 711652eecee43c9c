"""The reference of keys: every key of the model has its row, once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec import structs

from tests.service.config.files import loaded
from tests.source_tree import ROOT
from upgradegw.service.config.kinds import table_of, top
from upgradegw.service.config.model import Config
from upgradegw.service.config.reference import GROUPS, table

PAGE = (ROOT / "docs" / "reference" / "configuration.md").read_text()


def rows(group: str) -> list[str]:
    """Return the keys of a group."""
    return re.findall(r"^\| `(\w+)` \|", table(group), re.MULTILINE)


@pytest.mark.parametrize(("group", "kind"), [(group, kind) for group, kind in GROUPS.items()])
def test_the_page_has_every_key(group: str, kind: type) -> None:
    """Each group is on the page, and a table's keys are in its group or in those of its bases."""
    assert f"<!-- made: keys {group} -->\n{table(group)}" in PAGE
    groups = [name for name, each in GROUPS.items() if issubclass(kind, each)]
    assert sorted(key for name in groups for key in rows(name)) == sorted(field.name for field in structs.fields(kind))


def test_every_table_is_a_group() -> None:
    """Also one that only another table names."""
    seen, waiting = set(), [top()]
    while waiting:
        found = waiting.pop()
        seen.add(found.cls)
        inner = (table_of(field.type) for field in found.fields)
        waiting += [each for each in inner if each is not None and each.cls not in seen]
    assert {kind for kind in seen if kind.__name__ != "Otherwise"} <= set(GROUPS.values())
    assert Config in seen


def test_the_example_is_right(tmp_path: Path) -> None:
    """The one at the page's beginning can be loaded as it stands."""
    config = loaded(tmp_path, PAGE.split("```toml\n", 2)[1].split("```", 1)[0])
    assert [(route.path, route.plain) for route in config.route] == [
        ("/", "static"),
        ("/chat", None),
        ("/api", "proxy"),
    ]
    assert [listen.redirect for listen in config.listen] == [None, "https"]


def test_a_row() -> None:
    """Key, what may be there, the default, and what it is for."""
    assert "| `max_fields` | a whole number, 1 or more | `100` | Field lines of a request" in table("limits")
    assert "| `path` | a text that begins with a slash | must be given | " in table("route")
    assert '| `upgrades` | a list of texts | `["websocket"]` | ' in table("proxy")
    assert '| `max_connections_per_client` | a whole number, 1 or more or "none" | `"none"` | ' in table("limits")
