"""The short run: whether an advantage over a peer, or our thrift, has become worse by more than a quarter.

Processor time is compared and not how fast it goes, because a machine that tests run on does other things, too. It is
held against the worst of the rounds that the results have, for those differ as well. A row that seems to be worse is
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


def lost(now: dict[str, Outcome], then: dict[str, Outcome]) -> dict[str, list[str]]:
    """Return what has become worse, by row.

    Args:
        now: What was measured.
        then: What is compared with.
    """
    found: dict[str, list[str]] = {}
    for name, outcome in now.items():
        if name not in then:
            continue
        before = advantages(ROWS[name], then[name])
        if OURS not in outcome.figures:
            found[name] = [f"{name}: ours has failed"]
        for what, value in advantages(ROWS[name], outcome).items():
            if what in before and value.middle < (1 - _TOLERANCE) * before[what].least:
                found.setdefault(name, []).append(
                    f"{name}: {what}: {value.middle:.3g} where it was {before[what].least:.3g}"
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
    say(f"{len(names) - len(worse)} rows are as they were, {len(worse)} have lost more than a quarter")
    return 1 if worse else 0
