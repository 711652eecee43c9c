"""The short run: whether a row falls short of what it must show, or of what it has shown, by more than a quarter.

Processor time is compared and not how fast it goes, because a machine that tests run on does other things, too. What a
row must show is its goal, for on another machine an advantage of five may be one of three and nothing is lost; where
the goal is not reached yet, it is the worst of the rounds that the results have. A row that seems to be worse is
measured a second time, and longer, before that is believed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from tests.benchmarks.results import Outcome, Ratio, load, ratio
from tests.benchmarks.rows import OURS, ROWS, Row

#: What may be lost.
_TOLERANCE = 0.25

#: What is measured, and for how long.
_ROUNDS, _SECONDS = 2, 0.4
_AGAIN_ROUNDS, _AGAIN_SECONDS = 4, 0.8

Measure = Callable[[Sequence[str], argparse.Namespace], dict[str, Outcome]]


def advantages(row: Row, outcome: Outcome) -> dict[str, Ratio]:
    """Return by peer how many times as cheap ours is; for memory and growth ours alone, the less the better."""
    figures = outcome.figures
    if OURS not in figures:
        return {}
    if row.figure in {"bytes", "growth"}:
        values = figures[OURS].values
        return {row.figure: ratio([1.0] * len(values), values)}
    peers = {goal.peer for goal in row.goals if goal.peer in figures}
    return {str(peer): ratio(figures[str(peer)].costs, figures[OURS].costs) for peer in peers}


def wanted(row: Row, then: Outcome) -> dict[str, float]:
    """Return by peer how many times as cheap ours must be, if not a quarter less.

    Args:
        row: The row.
        then: What it has shown.
    """
    found = {what: value.least for what, value in advantages(row, then).items()}
    for goal in row.goals:
        what = row.figure if goal.peer is None else goal.peer
        if what in found:
            found[what] = min(found[what], goal.bound if row.more_is_better else 1 / goal.bound)
    return found


def lost(now: dict[str, Outcome], then: dict[str, Outcome]) -> dict[str, list[str]]:
    """Return what is too little, by row.

    Args:
        now: What was measured.
        then: What is compared with.
    """
    found: dict[str, list[str]] = {}
    for name, outcome in now.items():
        if name not in then:
            continue
        before = wanted(ROWS[name], then[name])
        if OURS not in outcome.figures:
            found[name] = [f"{name}: ours has failed"]
        for what, value in advantages(ROWS[name], outcome).items():
            if what in before and value.middle < (1 - _TOLERANCE) * before[what]:
                found.setdefault(name, []).append(
                    f"{name}: {what}: {value.middle:.3g} where {before[what]:.3g} is wanted"
                )
    return found


def run(arguments: argparse.Namespace, measure: Measure, say: Callable[[str], None]) -> int:
    """Measure the rows that have goals, and those that seem to be worse again; return the status.

    Args:
        arguments: The command line's.
        measure: Measures rows.
        say: Writes a line.
    """
    then, _ = load()
    names = [name for name in arguments.rows or ROWS if ROWS[name].goals and name in then]
    arguments.goals, arguments.rounds, arguments.seconds = True, _ROUNDS, _SECONDS
    worse = lost(measure(names, arguments), then)
    if worse:
        arguments.rounds, arguments.seconds = _AGAIN_ROUNDS, _AGAIN_SECONDS
        say("again: " + ", ".join(worse))
        worse = lost(measure(list(worse), arguments), then)
    for lines in worse.values():
        say("\n".join(lines))
    say(f"{len(names) - len(worse)} rows are as they must be, {len(worse)} fall short by more than a quarter")
    return 1 if worse else 0
