"""The documentation as a whole: every page is linked, every link leads somewhere, every example is shown and run."""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import re
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from tests.docs.conftest import EXAMPLES
from tests.source_tree import MADE, ROOT

DOCS = ROOT / "docs"
PAGES = {path.relative_to(DOCS).with_suffix("").as_posix(): path for path in sorted(DOCS.rglob("*.md"))}
TEXTS = {name: path.read_text() for name, path in PAGES.items()}

#: What a reader is shown as it is: links in it are none.
_BLOCK = re.compile(r"^(`{3,})(?!\{note|\{toctree|\{eval-rst).*?^\1\s*$", re.MULTILINE | re.DOTALL)


def in_toctrees() -> list[str]:
    """Return every page that a toctree names, as often as it is named."""
    found = []
    for name, text in TEXTS.items():
        for tree in re.findall(r"```\{toctree\}\n(.*?)```", text, re.DOTALL):
            entries = [line.strip() for line in tree.splitlines() if line.strip() and not line.startswith(":")]
            found += [_target(name, re.sub(r".*<(.*)>", r"\1", entry)) for entry in entries]
    return found


def _target(page: str, name: str) -> str:
    """Return a page's name as seen from the top, from how another one writes it."""
    return os.path.normpath(name.lstrip("/") if name.startswith("/") else f"{Path(page).parent}/{name}")


def test_every_page_is_linked_once() -> None:
    """Each page but the first is in one toctree, and a toctree names only pages that are there."""
    assert sorted(in_toctrees()) == sorted(PAGES.keys() - {"index"})


def slug(heading: str) -> str:
    """Return the anchor of a heading, as GitHub and MyST make it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page."""
    text = _BLOCK.sub("", path.read_text())
    return {slug(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)} | set(
        re.findall(r"^\(([\w-]+)\)=$", text, re.MULTILINE)
    )


def links(name: str) -> Iterator[str]:
    """Yield what is wrong with the links of a page."""
    text = _BLOCK.sub("", TEXTS[name])
    for target in re.findall(r"\{doc\}`(?:[^`<]*<)?([^`>]+)>?`", text):
        if _target(name, target) not in PAGES:
            yield f"{{doc}} {target}"
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
        file, _, anchor = target.partition("#")
        path = PAGES[name].parent / file if file else PAGES[name]
        if not path.exists() or (anchor and anchor not in anchors(path)):
            yield target
    for target in re.findall(r"\{(?:literalinclude|image|figure)\} (\S+)", TEXTS[name]):
        if not (PAGES[name].parent / target).is_file():
            yield target


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    """The pages, files, anchors and examples that a page names are there."""
    assert list(links(name)) == []


#: What is left behind where somebody has run an example in place.
LEFT = MADE | {"_trial_temp", "_trial_temp.lock", "db.sqlite3"}
FILES = [path for path in sorted(EXAMPLES.rglob("*")) if path.is_file() and not LEFT & set(path.parts)]
FOLDER_TESTS = sorted(EXAMPLES.glob("*/test_*.py"))


@pytest.mark.parametrize("path", FILES, ids=[path.relative_to(EXAMPLES).as_posix() for path in FILES])
def test_every_example_is_on_a_page(path: Path) -> None:
    """No file among the examples is there for itself."""
    name = path.relative_to(EXAMPLES).as_posix()
    assert [page for page, text in TEXTS.items() if re.search(rf"examples/{re.escape(name)}\b", text)]


def uses(path: Path, other: Path) -> bool:
    """Tell whether an example imports another one, or serves the folder that it lies in."""
    if path.suffix != ".py":
        return False
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    texts = {node.value for node in nodes if isinstance(node, ast.Constant)}
    return other.stem in names or (other.parent != EXAMPLES and other.parent.name in texts)


def test_every_example_is_run() -> None:
    """A folder has tests, which its tutorial runs; a single file is named by a test, or used by one that is."""
    tests = {path: path.read_text() for path in (ROOT / "tests").rglob("*.py")}
    tested = {path.parent for path in FOLDER_TESTS}
    alone = {path for path in FILES if not tested & set(path.parents)}
    run = {
        path
        for path in alone
        for test, text in tests.items()
        if f'"{path.name}"' in text or (test.parent.name == "docs" and f'"{path.stem}"' in text)
    }
    while more := {other for other in alone - run for path in run if uses(path, other)}:
        run |= more
    assert [str(path.relative_to(EXAMPLES)) for path in sorted(alone - run)] == []


@pytest.mark.parametrize("path", FOLDER_TESTS, ids=[path.parent.name for path in FOLDER_TESTS])
def test_the_tests_of_a_folder_are_run(path: Path) -> None:
    """A tutorial shows the tests beside its example and runs them, and so does whoever follows it word for word."""
    shown = f"{{literalinclude}} ../examples/{path.parent.name}/{path.name}\n:caption: {path.name}\n```\n"
    command = f"\n```sh\n.venv/bin/python -m twisted.trial {path.stem}\n```\n\n```text\n…\nPASSED (successes="
    pages = [text for name, text in TEXTS.items() if name.startswith("tutorials/")]
    assert [text for text in pages if command in text.partition(shown)[2]]


#: The modules that the page of the interface shows in full: all that they export.
SHOWN = re.findall(r"\.\. automodule:: (\S+)\n   :members:\n   :imported-members:\n", TEXTS["reference/api"])
PUBLIC = [(module, name) for module in SHOWN for name in importlib.import_module(module).__all__]


def test_every_public_name_is_in_the_reference() -> None:
    """The page of the interface shows the package and what it has for tests."""
    assert {"upgradegw", "upgradegw.testing"} <= set(SHOWN)


def undocumented(function: Any, docs: str, *, method: bool = False) -> list[str]:
    """Return the arguments of a function that its documentation does not tell of."""
    if "rguments as for ``" in docs:
        return []
    kinds = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
    names = [name for name, each in inspect.signature(function).parameters.items() if each.kind not in kinds]
    return [name for name in names[method:] if not re.search(rf"^ *{name}: ", docs, re.MULTILINE)]


def own_methods(found: type) -> Iterator[tuple[str, Any]]:
    """Yield a class's public methods, without those that override one of a base, and with what makes an instance."""
    bases = found.__mro__[1:]
    for name, value in vars(found).items():
        if inspect.isfunction(value) and not name.startswith("_") and not any(hasattr(base, name) for base in bases):
            yield name, value
    if not issubclass(found, Enum) and getattr(found.__init__, "__module__", "").startswith("upgradegw"):
        yield "__init__", found.__init__


@pytest.mark.parametrize(("module", "name"), PUBLIC)
def test_every_argument_is_in_the_reference(module: str, name: str) -> None:
    """Whatever can be given to a public function, class or method is told of in its documentation."""
    found = getattr(sys.modules[module], name)
    docs = inspect.getdoc(found) or ""
    if inspect.isfunction(found):
        assert undocumented(found, docs) == []
    elif inspect.isclass(found):
        for method, value in own_methods(found):
            about = f"{docs if method == '__init__' else ''}\n{inspect.getdoc(value)}"
            assert undocumented(value, about, method=True) == [], method
    else:
        assert name in {"IUpgradeProvider", "IUpgradeResource", "access_events"}, "neither function nor class"
