"""The examples of the documentation, imported as a reader would run them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from tests.source_tree import ROOT

EXAMPLES = ROOT / "docs" / "examples"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModuleType]]:
    """Return a function that imports an example afresh."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    names = {path.stem for path in EXAMPLES.glob("*.py")}

    def forget() -> None:
        for name in names & sys.modules.keys():
            del sys.modules[name]

    forget()
    yield importlib.import_module
    forget()
