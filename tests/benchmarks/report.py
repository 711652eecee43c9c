"""The page of the documentation, and the lines of the terminal: tables made from what was measured."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from tests.benchmarks import chart
from tests.benchmarks.contenders import CONTENDERS
from tests.benchmarks.results import Figures, Outcome, judged, load, ratio
from tests.benchmarks.rows import OURS, ROWS, Goal, Row

_DOCS = Path(__file__).parents[2] / "docs"
PAGE = _DOCS / "reference" / "benchmarks.md"
CHART = _DOCS / "images" / "benchmarks.svg"

_INTRODUCTION = """# Benchmarks

What upgradegw does beside other servers and gateways, one process on one core each, no compression. Autobahn's
classes are used as Autobahn documents them, in `twistd upgradegw`. Where it says nothing else, its reactor is the one
on uvloop, and its {ref}`parts in C <compiled-part>` are there.

```console
$ python tests/benchmarks/run.py --write
```

installs the others, measures everything in one run, and writes this page. Figures differ from machine to machine and
from day to day; **only ratios within one run say something**. The server has one core, the load generator another; each
row is measured in rounds that visit every server for a moment, ratios are taken within a round, and what stands here is
the median of the rounds, with the least and the most in parentheses.
"""

_GOALS_HEAD = """## Goals

In bold: reached. The second of a row is what would be better still.

| work | goal | measured | better still | measured |
|---|---|---|---|---|
"""

_IMAGE = """```{image} ../images/benchmarks.svg
:alt: The rows below as bars, ours beside the others. A line reaches from the least to the most of the rounds.
```
"""

_LIMIT = """## The load generator is not the limit

It is written in C (`tests/benchmarks/load`; for HTTP/2 requests it is `h2load`), checks every byte that comes back, and
has a core to itself, of which it would use all if it were the limit. *Share* is how much of that core it used under the
fastest server that somebody could run; *alone* is what it gets out of a server in C that does nothing but echo.

| row | fastest server | a second | share | alone, a second |
|---|---|--:|--:|--:|
"""


def _number(value: float, row: Row) -> str:
    if row.figure == "growth":
        return f"{value:.2f}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _better(row: Row, ours: Figures, theirs: Figures) -> str:
    """Return how many times as much ours does, or costs."""
    return str(ratio(ours.values, theirs.values))


def _sorted(row: Row, outcome: Outcome) -> list[tuple[str, Figures]]:
    found = sorted(outcome.figures.items(), key=lambda one: median(one[1].values), reverse=row.more_is_better)
    return sorted(found, key=lambda one: CONTENDERS[one[0]].limit)


def as_text(row: Row, outcome: Outcome) -> str:
    """Return a row for the terminal."""
    lines = [f"{row.title}: {row.unit}"]
    ours = outcome.figures.get(OURS)
    for name, figures in _sorted(row, outcome):
        line = f"  {name:18}{_number(median(figures.values), row):>10}"
        line += f"  {median(figures.costs):9.2f} us  load at {median(figures.shares):4.0%}"
        if ours and name != OURS:
            cost = ratio(ours.costs, figures.costs)
            line += f"  ours/theirs {ratio(ours.values, figures.values)}, processor time {cost.middle:.2f}"
        lines.append(line)
    for goal in row.goals:
        result = judged(row, goal, outcome.figures)
        if result:
            lines.append(f"  {_said(row, goal)}: {result[0]} {'reached' if result[1] else 'NOT REACHED'}")
    return "\n".join(lines)


def _said(row: Row, goal: Goal) -> str:
    sign = "≥" if row.more_is_better else "≤"
    if goal.peer is None:
        return f"{sign} {goal.bound:,g}{' bytes' if row.figure == 'bytes' else ' times as much'}"
    return f"{sign} {goal.bound:g} times {CONTENDERS[goal.peer].label.partition(',')[0]}"


def missed(outcomes: dict[str, Outcome]) -> list[str]:
    """Return the goals that must be reached and are not."""
    found = []
    for name, outcome in outcomes.items():
        if OURS not in outcome.figures:
            found.append(f"{name}: ours has failed, or was left out")
        for goal in ROWS[name].goals:
            result = judged(ROWS[name], goal, outcome.figures)
            if result and not result[1] and not goal.stretch:
                found.append(f"{name}: {_said(ROWS[name], goal)}: {result[0]}")
    return found


def _goals(outcomes: dict[str, Outcome]) -> str:
    lines = []
    for name, outcome in outcomes.items():
        row = ROWS[name]
        cells = []
        for stretch in (False, True):
            goals = [(goal, judged(row, goal, outcome.figures)) for goal in row.goals if goal.stretch is stretch]
            there = [(goal, found) for goal, found in goals if found]
            cells.append(" · ".join(_said(row, goal) for goal, _ in there))
            cells.append(" · ".join(_marked(found[0].middle, row, goal, found[1]) for goal, found in there))
        if any(cells):
            lines.append(f"| {row.title} | {' | '.join(cells)} |")
    return _GOALS_HEAD + "\n".join(lines) + "\n"


def _marked(value: float, row: Row, goal: Goal, reached: bool) -> str:
    text = f"{value:.2f}" if goal.peer or row.figure == "growth" else f"{value:,.0f}"
    return f"**{text}**" if reached else text


def _table(name: str, outcome: Outcome) -> str:
    row = ROWS[name]
    ours = outcome.figures.get(OURS)
    lines = [f"### {row.title}", "", f"`run.py {name}`, {outcome.date}: {row.unit}.", ""]
    wanted = "ours is so many times as fast" if row.more_is_better else "ours is so many times as much"
    with_cost = row.figure == "per_second"
    columns = [f"{row.unit}", *(["µs of processor time"] if with_cost else []), wanted]
    lines += ["| | " + " | ".join(columns) + " |", "|---|" + "--:|" * len(columns)]
    for who, figures in _sorted(row, outcome):
        label = CONTENDERS[who].label
        cells = [_number(median(figures.values), row)]
        if with_cost:
            cells.append(f"{median(figures.costs):.1f}")
        cells.append(_better(row, ours, figures) if ours and who != OURS else "")
        mark = "**" if who == OURS else "*" if CONTENDERS[who].limit else ""
        lines.append(f"| {mark}{label}{mark} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _limit(outcomes: dict[str, Outcome]) -> str:
    lines = []
    for name, outcome in outcomes.items():
        if not ROWS[name].more_is_better:
            continue
        best = next(who for who, _ in _sorted(ROWS[name], outcome))
        figures, alone = outcome.figures[best], outcome.figures.get("bare-c")
        lines.append(
            f"| {ROWS[name].title} | {CONTENDERS[best].label} | {median(figures.values):,.0f} |"
            f" {median(figures.shares):.0%} | {f'{median(alone.values):,.0f}' if alone else ''} |"
        )
    return _LIMIT + "\n".join(lines) + "\n" if lines else ""


def page(outcomes: dict[str, Outcome], about: dict[str, str]) -> str:
    """Return the page.

    Args:
        outcomes: By row.
        about: What machine they are of.
    """
    beside = about.get("beside", "")  # written by hand where it has to be said
    parts = [_INTRODUCTION, beside and f"**{beside}**\n", _goals(outcomes)]
    parts.append(_IMAGE)
    parts.append("## Row by row\n")
    parts += [_table(name, outcome) for name, outcome in outcomes.items()]
    parts.append(_limit(outcomes))
    versions = sorted({word for one in CONTENDERS.values() for word in one.requirements})
    parts.append(
        f"## What was measured\n\n{about['processor']}, {about['cores']} cores, {about['system']}, CPython"
        f" {about['python']}. From PyPI: {', '.join(f'`{version}`' for version in versions)}. Programs:"
        f" {about['programs']}.\n"
    )
    return "\n".join(part for part in parts if part)


def write() -> None:
    """Write the page and the chart anew from what was saved."""
    outcomes, about = load()
    PAGE.write_text(page(outcomes, about))
    CHART.write_text(chart.drawn(outcomes))
