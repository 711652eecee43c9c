"""The guard sees what is lost, and believes it only when it is seen twice."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import pytest

from tests.benchmarks import guard
from tests.benchmarks.results import Figures, Outcome
from tests.benchmarks.rows import ROWS


def outcome(ours: float, theirs: float, *more: float) -> Outcome:
    """Return costs of ours and of nginx, and of ours in more rounds."""
    rounds = [ours, *more]
    others = [theirs] * len(rounds)
    return Outcome({"upgradegw": Figures(rounds, rounds), "nginx": Figures(others, others)}, "", 1.0)


def test_a_quarter_of_an_advantage_may_go() -> None:
    """What must cost half as much as the peer may cost two thirds of it, and no more."""
    then = {"tunnel-1m": outcome(20, 100)}
    assert guard.lost({"tunnel-1m": outcome(66, 100)}, then) == {}
    worse = guard.lost({"tunnel-1m": outcome(67, 100)}, then)
    assert worse == {"tunnel-1m": ["tunnel-1m: nginx: 1.49 where 2 is wanted"]}
    assert guard.lost({"tunnel-1m": outcome(100, 200)}, then) == {}, "a slow machine is slow for both"


def test_the_worst_round_counts_where_the_goal_is_far() -> None:
    """Where rounds differ, a quarter less than the worst of them may be an accident."""
    then = {"tunnel-1m": outcome(70, 100, 80, 60)}
    assert guard.lost({"tunnel-1m": outcome(106, 100, 10, 190)}, then) == {}
    assert guard.lost({"tunnel-1m": outcome(107, 100, 10, 190)}, then) != {}


def test_memory_is_compared_with_its_goal() -> None:
    """An idle connection has no peer in its goals, the furthest of which is 12,000 bytes: a third more is too much."""
    then = {"idle": Outcome({"upgradegw": Figures([5000.0], [1.0])}, "", 1.0)}
    assert guard.lost({"idle": Outcome({"upgradegw": Figures([15900.0], [1.0])}, "", 1.0)}, then) == {}
    assert guard.lost({"idle": Outcome({"upgradegw": Figures([16100.0], [1.0])}, "", 1.0)}, then) != {}


def test_every_goal_is_held() -> None:
    """Each peer in a goal has its own bound, from rates as from costs."""
    then, _ = guard.load()
    for name, row in ROWS.items():
        peers = {goal.peer or row.figure for goal in row.goals}
        assert not row.goals or guard.wanted(row, then[name]).keys() == peers, name
    echo = guard.wanted(ROWS["echo-32x16"], then["echo-32x16"])
    assert echo == {"picows": 2.0}, "the goal that must be reached, not the one that would be nice"


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
    assert said[-1] == f"{2 - status} rows are as they must be, {status} fall short by more than a quarter"
