"""What was measured, and what it says: figures of the rounds, ratios within one round, medians and spread."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.rows import OURS, ROWS, Goal, Row

#: The figures that the page shows, and that the guard compares with.
RESULTS = Path(__file__).with_name("results.json")


@dataclass
class Figures:
    """What one contender did in one row, a figure a round.

    Attributes:
        values: The row's own figure.
        costs: Microseconds of the server's processor time for each that was counted.
        shares: How much of its core the load generator used.
    """

    values: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)

    def add(self, row: Row, report: dict[str, Any]) -> None:
        """Take a report of the load."""
        self.values.append(round(report[row.figure], 3))
        self.costs.append(round(report["server_us"], 3))
        self.shares.append(round(report.get("own_share", 0.0), 3))


@dataclass
class Outcome:
    """What became of one row.

    Attributes:
        figures: By contender.
        date: When it was measured.
        seconds: How long each round put load on each.
    """

    figures: dict[str, Figures]
    date: str
    seconds: float


@dataclass(frozen=True)
class Ratio:
    """Several rounds of one ratio."""

    middle: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.middle:.2f} ({self.least:.2f} to {self.most:.2f})"


def ratio(ours: list[float], theirs: list[float]) -> Ratio:
    """Compare two contenders, each round for itself.

    Args:
        ours: Figures of the rounds.
        theirs: The other's, of the same rounds.
    """
    each = [one / other for one, other in zip(ours, theirs, strict=True)]
    return Ratio(median(each), min(each), max(each))


def judged(row: Row, goal: Goal, figures: dict[str, Figures]) -> tuple[Ratio, bool] | None:
    """Return what stands against a goal, and whether it is reached; None where somebody was not there."""
    if OURS not in figures or (goal.peer and goal.peer not in figures):
        return None
    ours = figures[OURS].values
    found = ratio(ours, figures[goal.peer].values if goal.peer else [1.0] * len(ours))
    return found, found.middle >= goal.bound if row.more_is_better else found.middle <= goal.bound


def save(outcomes: dict[str, Outcome], about: dict[str, str], path: Path = RESULTS) -> None:
    """Put rows in the place of those that were there before.

    Args:
        outcomes: By row.
        about: What machine and what versions they are of.
        path: The file.
    """
    before = json.loads(path.read_text()) if path.exists() else {"rows": {}}
    for name, outcome in outcomes.items():
        before["rows"][name] = {
            "date": outcome.date,
            "seconds": outcome.seconds,
            "figures": {who: vars(figures) for who, figures in outcome.figures.items()},
        }
    rows = {name: before["rows"][name] for name in ROWS if name in before["rows"]}
    path.write_text(_written({"about": about, "rows": rows}))


def _written(results: dict[str, Any]) -> str:
    """Write a list on one line, and everything else on lines of its own."""
    lists: list[str] = []

    def leave(value: Any) -> Any:
        if isinstance(value, list):
            lists.append(json.dumps(value))
            return f"@{len(lists) - 1}@"
        return {key: leave(each) for key, each in value.items()} if isinstance(value, dict) else value

    text = json.dumps(leave(results), indent=1, ensure_ascii=False)
    for number, each in enumerate(lists):
        text = text.replace(f'"@{number}@"', each, 1)
    return text + "\n"


def load(path: Path = RESULTS) -> tuple[dict[str, Outcome], dict[str, str]]:
    """Return the rows that were saved, and what they are of."""
    saved = json.loads(path.read_text())
    outcomes = {
        name: Outcome({who: Figures(**figures) for who, figures in row["figures"].items()}, row["date"], row["seconds"])
        for name, row in saved["rows"].items()
    }
    return outcomes, saved["about"]
