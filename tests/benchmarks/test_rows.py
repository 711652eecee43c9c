"""Rows and contenders fit each other."""

from __future__ import annotations

import string

import pytest

from tests.benchmarks.contenders import CONTENDERS, FILES
from tests.benchmarks.environments import HERE
from tests.benchmarks.rows import OURS, ROWS, Row

PLACES = {"python", "bin", "port", "served", "cert", "key", "upstream", "folder", "load", *FILES}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_row_names_who_can_be_started_for_it(row: Row) -> None:
    """Ours is in every row; everybody in it has a command for its mode, or needs none; a goal's peer is in its row."""
    assert row.among[0] == OURS
    for name in row.among:
        assert getattr(CONTENDERS[name], row.mode.removesuffix("-p256")) or name == "h2-alone"
    assert {goal.peer for goal in row.goals if goal.peer} <= set(row.among)


def test_a_stretch_goal_is_no_less_than_what_must_be() -> None:
    """Of the goals against one peer the stretch goal is the harder one."""
    for row in ROWS.values():
        for stretch in (goal for goal in row.goals if goal.stretch):
            for goal in row.goals:
                if not goal.stretch and goal.peer == stretch.peer:
                    assert (stretch.bound > goal.bound) is row.more_is_better


def test_commands_name_places_that_are_filled_in() -> None:
    """No command has a place that nobody fills; every contender is in some row."""
    for contender in CONTENDERS.values():
        for text in (contender.plain, contender.tls, contender.gateway, *contender.variables.values()):
            assert {place for _, place, _, _ in string.Formatter().parse(text) if place} <= PLACES
    assert {name for row in ROWS.values() for name in row.among} == set(CONTENDERS)


def test_what_is_served_is_there() -> None:
    """Each script that a command names lies in its folder, and versions of what pip installs are held."""
    for contender in CONTENDERS.values():
        for word in f"{contender.plain} {contender.tls} {contender.gateway}".split():
            if word.startswith("{served}/"):
                assert (HERE / "served" / word.removeprefix("{served}/")).is_file(), word
        assert all("==" in requirement for requirement in contender.requirements)
