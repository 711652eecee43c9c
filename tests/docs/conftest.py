"""The examples of the documentation, imported as a reader would run them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from tests.source_tree import ROOT

EXAMPLES = ROOT / "docs" / "examples"
#: The tutorial's folder, whose protocol other examples serve, too.
OWN_PROTOCOL = EXAMPLES / "own_protocol"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModuleType]]:
    """Return a function that imports an example afresh."""
    folders = EXAMPLES, OWN_PROTOCOL
    for folder in folders:
        monkeypatch.syspath_prepend(str(folder))
    names = {path.stem for folder in folders for path in folder.glob("*.py")}

    def forget() -> None:
        for name in names & sys.modules.keys():
            del sys.modules[name]

    forget()
    yield importlib.import_module
    forget()
