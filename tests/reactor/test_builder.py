"""The list of what Twisted's own tests are left out is honest, and its page is what the list says."""

from __future__ import annotations

import importlib
import re

import pytest

from tests.reactor import builder_page
from tests.reactor.builder import BUILDER, Outcome, modules
from tests.reactor.builder_exclusions import EXCLUSIONS, Exclusion, excluded_because


@pytest.mark.parametrize("exclusion", EXCLUSIONS, ids=lambda exclusion: exclusion.tests)
def test_an_exclusion_names_one_test_and_says_why(exclusion: Exclusion) -> None:
    """What is left out exists in this release of Twisted, is no more than a test, and has a reason in a sentence."""
    module, case, method = exclusion.tests.split(".")
    (name,) = [
        each for each in modules() if each.endswith(f".{module}") and hasattr(importlib.import_module(each), case)
    ]
    assert callable(getattr(getattr(importlib.import_module(name), case), method))
    assert re.fullmatch(r"[A-Z].{20,}\.", exclusion.reason)


def test_every_reactor_has_its_own_name_in_the_tests_that_are_made_of_a_builder() -> None:
    """``ReactorBuilder`` appends the reactor's name to the class, which an exclusion need not know."""
    for exclusion in EXCLUSIONS:
        module, case, method = exclusion.tests.split(".")
        if not exclusion.only_root:
            assert excluded_because(f"twisted.any.test.{module}.{case}_UvReactorTests.{method}") == exclusion.reason
            assert excluded_because(f"twisted.any.test.{module}.{case}.{method}") == exclusion.reason
        assert excluded_because(f"twisted.any.test.{module}.{case}.{method}Else") is None


def test_the_modules_are_those_that_judge_reactors_and_all_that_use_them() -> None:
    """All ten of ``ReactorBuilder``'s own come first; endpoints and ``twisted.test`` are there, too."""
    found = modules()
    assert tuple(found[: len(BUILDER)]) == BUILDER
    assert len(set(found)) == len(found)
    assert {"twisted.internet.test.test_endpoints", "twisted.test.test_tcp", "twisted.test.test_ssl"} <= set(found)


def test_the_page_has_every_exclusion_and_every_module() -> None:
    """Whoever adds an exclusion writes it into the page; the page tells what passed in each module.

    An older release of Twisted has fewer modules.
    """
    page = builder_page.PAGE.read_text()
    assert builder_page.filled(page, "exclusions", builder_page.exclusions_table()) == page
    assert set(modules()) <= set(re.findall(r"^\| `(twisted\.\S+)` \| [0-9,]+ \|", page, re.MULTILINE))


def test_what_the_page_is_filled_with() -> None:
    """Sums are sums, and reasons that several modules give are counted together."""
    outcomes = [Outcome("a.b", 1200, 1, {"no | tty": 2}), Outcome("c", 3, 0, {"no | tty": 1, "x": 1})]
    assert builder_page.passed_table(outcomes).splitlines()[2:] == [
        "| `a.b` | 1,200 | 2 | 1 |",
        "| `c` | 3 | 2 |  |",
        "| **all** | 1,203 | 4 | 1 |",
    ]
    assert builder_page.skipped_table(outcomes).splitlines()[2:] == ["| no / tty | 3 |", "| x | 1 |"]
