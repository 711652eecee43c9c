"""The page for people who come from nginx, Caddy or Traefik names nothing of ours that does not exist."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import pytest
from msgspec.inspect import StructType
from twisted.scripts.twistd import ServerOptions

import upgradegw
from tests.source_tree import ROOT
from upgradegw.service.config import kinds
from upgradegw.service.options import Options

PAGE = (ROOT / "docs" / "reference" / "settings-of-others.md").read_text()
OTHERS = ("nginx", "Caddy", "Traefik")

#: What the command line has, and what twistd has beside it.
OURS = set(re.findall(r"--[a-z][\w-]*", str(Options()).split("Options:", 1)[1]))
TWISTD = set(re.findall(r"--[a-z][\w-]*", str(ServerOptions())))


def rows(heading: str) -> list[list[str]]:
    """The table below a heading, row by row."""
    text = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [
        [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split(" | ")] for line in lines[1:]
    ]


def is_key(path: list[str]) -> bool:
    """Tell whether the configuration file has a key, told by the tables that lead to it."""
    table: StructType | None = kinds.top()
    for step in path:
        field = None if table is None else kinds.fields(table).get(step)
        if field is None:
            return False
        table = kinds.table_of(field.type)
    return True


def exists(span: str) -> bool:
    """Tell whether something of ours goes by this name."""
    if span.startswith("--"):
        return span in OURS
    if span.startswith("twistd "):
        return span.removeprefix("twistd ") in TWISTD
    if key := re.fullmatch(r"(?:\[+(\w+)\]+ )?([a-z_0-9.]+)", span):
        return is_key([*([key[1]] if key[1] else []), *key[2].split(".")])
    found = re.fullmatch(r"(\w+)(?:\((?:(\w+)=)?\))?", span)
    thing = getattr(upgradegw, found[1], None) if found else None
    if thing is None or found is None:
        return False
    parameters = inspect.signature(thing.__init__ if inspect.isclass(thing) else thing).parameters if found[2] else {}
    site = "timeout" if thing is upgradegw.UpgradeSite else ""  # it takes what twisted.web's Site takes
    return not found[2] or found[2] in parameters or found[2] == site


@pytest.mark.parametrize("other", OTHERS)
def test_what_is_ours_exists(other: str) -> None:
    """Each option, argument and function in the second column, and each option in the third."""
    table = rows(other)
    assert len(table) >= 25
    wrong = []
    for cells in table:
        assert len(cells) in {2, 3}, cells
        spans = re.findall(r"`([^`]+)`", cells[1])
        assert spans or cells[1] in {"not supported", "not needed", "SIGHUP"}, cells
        remarks = re.findall(r"`(--[^`]+)`", cells[-1])
        wrong += [span for span in [*spans, *remarks] if not exists(span)]
    assert wrong == []


@pytest.mark.parametrize(
    "span",
    [
        "--no-such",
        "UpgradeSite(no_such=)",
        "no_such()",
        "twistd --no-such",
        "websocket(timeout=)",
        "tcp:8080",
        "[[route]] cert",
        "cert",
    ],
)
def test_what_does_not_exist_is_found(span: str) -> None:
    """The comparison above can fail."""
    assert not exists(span)


def test_each_setting_is_there_once() -> None:
    """Nobody has to guess which of two rows counts."""

    def settings() -> Iterator[tuple[str, str]]:
        for other in OTHERS:
            for cells in rows(other):
                yield other, cells[0]

    found = list(settings())
    assert len(set(found)) == len(found)
