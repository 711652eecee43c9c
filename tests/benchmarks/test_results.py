"""Figures of rounds become ratios, and are kept."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.results import Figures, Outcome, judged, load, ratio, save
from tests.benchmarks.rows import ROWS, Goal, Row

MORE = ROWS["echo-32x1"]
LESS = ROWS["tunnel-1m"]


def figures(*values: float) -> Figures:
    """Return figures whose costs do not matter."""
    return Figures(list(values), [1.0] * len(values), [0.5] * len(values))


def test_a_ratio_is_taken_within_each_round() -> None:
    """A machine that is slow in one round is so for both; the median of the rounds counts, with the spread."""
    found = ratio([10.0, 100.0, 30.0], [10.0, 50.0, 10.0])
    assert (found.middle, found.least, found.most) == (2.0, 1.0, 3.0)
    assert str(found) == "2.00 (1.00 to 3.00)"


def test_a_goal_is_a_bound_in_the_direction_of_the_row() -> None:
    """A rate must be at least so many times the peer's, a cost at most; without a peer the figure itself is bounded."""

    def reached(row: Row, goal: Goal, ours: float, theirs: float) -> bool:
        found = judged(row, goal, {"upgradegw": figures(ours), "nginx": figures(theirs)})
        assert found is not None
        return found[1]

    assert reached(MORE, Goal(1.2, "nginx"), 13, 10)
    assert not reached(MORE, Goal(1.2, "nginx"), 11, 10)
    assert reached(LESS, Goal(0.5, "nginx"), 5, 10)
    assert not reached(LESS, Goal(0.5, "nginx"), 6, 10)
    assert reached(LESS, Goal(12), 11, 1)
    assert not reached(LESS, Goal(12), 13, 100)


def test_a_goal_without_its_peer_is_not_judged() -> None:
    """Who is not installed makes nobody fail, and nobody win."""
    assert judged(LESS, Goal(0.5, "nginx"), {"upgradegw": figures(1)}) is None
    assert judged(LESS, Goal(0.5, "nginx"), {"nginx": figures(1)}) is None


def test_rows_are_kept_until_they_are_measured_again(tmp_path: Path) -> None:
    """A single row takes the place of itself only, and all come back as they were saved, in their order."""
    path = tmp_path / "results.json"
    old = Outcome({"upgradegw": figures(1, 2)}, "2026-01-01", 1.0)
    new = Outcome({"upgradegw": figures(3, 4), "nginx": figures(5.5, 6)}, "2026-01-02", 0.5)
    save({"tunnel-1m": old, "echo-32x1": old}, {"cores": "2"}, path)
    save({"tunnel-1m": new}, {"cores": "4"}, path)
    outcomes, about = load(path)
    assert list(outcomes) == ["echo-32x1", "tunnel-1m"]
    assert outcomes == {"echo-32x1": old, "tunnel-1m": new}
    assert about == {"cores": "4"}


def test_a_report_becomes_figures() -> None:
    """The row says which member of a report counts; processor time is kept beside it."""
    found = Figures()
    found.add(MORE, {"per_second": 1234.5678, "server_us": 8.1, "own_share": 0.4})
    found.add(ROWS["idle"], {"bytes": 7000, "server_us": 9.0})
    assert found == Figures([1234.568, 7000], [8.1, 9.0], [0.4, 0.0])
