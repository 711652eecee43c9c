"""The guard sees what is lost, and believes it only when it is seen twice."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import pytest

from tests.benchmarks import guard
from tests.benchmarks.results import Figures, Outcome


def outcome(ours: float, theirs: float, *more: float) -> Outcome:
    """Return costs of ours and of nginx, and of ours in more rounds."""
    rounds = [ours, *more]
    others = [theirs] * len(rounds)
    return Outcome({"upgradegw": Figures(rounds, rounds), "nginx": Figures(others, others)}, "", 1.0)


def test_a_quarter_of_an_advantage_may_go() -> None:
    """What cost half as much as the peer may cost two thirds of it, and no more."""
    then = {"tunnel-1m": outcome(50, 100)}
    assert guard.lost({"tunnel-1m": outcome(66, 100)}, then) == {}
    worse = guard.lost({"tunnel-1m": outcome(67, 100)}, then)
    assert worse == {"tunnel-1m": ["tunnel-1m: nginx: 1.49 where it was 2"]}
    assert guard.lost({"tunnel-1m": outcome(100, 200)}, then) == {}, "a slow machine is slow for both"


def test_the_worst_round_is_what_counts() -> None:
    """Where rounds differ, a quarter less than the worst of them may be an accident."""
    then = {"tunnel-1m": outcome(40, 100, 50, 30)}
    assert guard.lost({"tunnel-1m": outcome(66, 100, 10, 90)}, then) == {}
    assert guard.lost({"tunnel-1m": outcome(67, 100, 10, 90)}, then) != {}


def test_memory_is_compared_with_itself() -> None:
    """An idle connection has no peer in its goal: a third more than it was is too much."""
    then = {"idle": Outcome({"upgradegw": Figures([9000.0], [1.0])}, "", 1.0)}
    assert guard.lost({"idle": Outcome({"upgradegw": Figures([11900.0], [1.0])}, "", 1.0)}, then) == {}
    assert guard.lost({"idle": Outcome({"upgradegw": Figures([12100.0], [1.0])}, "", 1.0)}, then) != {}


def test_rows_without_results_are_nobodys_loss() -> None:
    """A new row has nothing that it could be compared with."""
    assert guard.lost({"tunnel-1m": outcome(1000, 1)}, {}) == {}


@pytest.mark.parametrize(("again", "status"), [(50.0, 0), (80.0, 1)])
def test_what_seems_worse_is_measured_again(monkeypatch: pytest.MonkeyPatch, again: float, status: int) -> None:
    """Once may be an accident; the second time only the rows that seemed worse are measured, and longer."""
    monkeypatch.setattr(guard, "load", lambda: ({"tunnel-1m": outcome(50, 100), "idle": outcome(1, 1)}, {}))
    asked: list[tuple[list[str], float]] = []

    def measure(names: Sequence[str], arguments: argparse.Namespace) -> dict[str, Outcome]:
        asked.append((list(names), arguments.rounds * arguments.seconds))
        ours = 90 if len(asked) == 1 else again
        return {"tunnel-1m": outcome(ours, 100), "idle": outcome(1, 1)}

    said: list[str] = []
    assert guard.run(argparse.Namespace(rows=[]), measure, said.append) == status
    assert [names for names, _ in asked] == [["idle", "tunnel-1m"], ["tunnel-1m"]]
    assert asked[1][1] > asked[0][1]
    assert said[-1] == f"{2 - status} rows are as they were, {status} have lost more than a quarter"
