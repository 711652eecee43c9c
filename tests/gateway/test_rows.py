"""Every row of the comparison through upgradegw alone: the same rows as ``compare.py`` has for the others, too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.gateway.compare import ROWS
from tests.gateway.rows import Front, Row
from tests.gateway.servers import upgradegw
from tests.gateway.upstream import Upstream
from tests.source_tree import ROOT

#: The outcomes that the documentation promises, and what each is for.
_PAGE = (ROOT / "docs" / "reference" / "what-gets-through.md").read_text()
_ROWS = re.findall(r"^\| (.+) \| (.+) \| (.+) \|$", _PAGE, re.MULTILINE)[1:]
SHOWN = {name: (word, about) for name, word, about in _ROWS}


class Fronts:
    """The gateway, started at the first row and anew behind a row that has ended it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running = ExitStack()
        self._front: Front | None = None

    def front(self) -> Front:
        """Return a gateway that runs."""
        if self._front is None:
            upstream = self._running.enter_context(Upstream())
            running = self._running.enter_context(upgradegw(self._folder, upstream.port))
            self._front = Front(running.port, upstream, running.process, running.stop)
        return self._front

    def end(self) -> None:
        """End it."""
        self._front = None
        self._running.close()
        assert "Traceback" not in (log := (self._folder / "log").read_text()), log


@pytest.fixture(scope="module")
def fronts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fronts]:
    """The gateway; it must not have logged an error of its own."""
    fronts = Fronts(tmp_path_factory.mktemp("gateway"))
    yield fronts
    fronts.end()


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_row(fronts: Fronts, row: Row) -> None:
    """A-01, A-03, A-32: what real clients send gets through, and nothing becomes a tunnel that should not."""
    if missing := row.missing():
        pytest.skip(missing)
    outcome = row.run(fronts.front())
    if row.ends_the_gateway:
        fronts.end()
    assert outcome.right, outcome.word
    assert outcome.word == SHOWN[row.name][0]


def test_the_page_shows_every_row() -> None:
    """The rows of the documentation are those that are run, with what they are for."""
    assert {row.name: row.run.__doc__ for row in ROWS} == {name: about for name, (_, about) in SHOWN.items()}
