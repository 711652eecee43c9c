"""The page and the chart say what was measured."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from tests.benchmarks import chart, report
from tests.benchmarks.results import Figures, Outcome, load
from tests.benchmarks.rows import ROWS

ECHO = Outcome(
    {
        "aiohttp": Figures([50000.0, 60000.0], [20.0, 20.0], [0.4, 0.4]),
        "upgradegw": Figures([100000.0, 90000.0], [10.0, 10.0], [0.8, 0.8]),
        "bare-c": Figures([150000.0, 150000.0], [5.0, 5.0], [0.9, 0.9]),
    },
    "2026-01-01",
    1.0,
)
TUNNEL = Outcome(
    {"upgradegw": Figures([900.0], [900.0]), "nginx": Figures([1000.0], [1000.0])},
    "2026-01-01",
    1.0,
)
ABOUT = {"processor": "Some", "cores": "2", "system": "Linux 6", "python": "3.11.7", "programs": "nginx 1.22.1"}


def test_the_page_and_the_chart_are_those_of_the_results() -> None:
    """``python tests/benchmarks/run.py --render`` has been run since the results or the texts changed."""
    outcomes, about = load()
    assert report.PAGE.read_text() == report.page(outcomes, about)
    assert report.CHART.read_text() == chart.drawn(outcomes)


def test_a_row_for_the_terminal() -> None:
    """The faster first, limits last, each with its cost and the ratio to ours; goals with what became of them."""
    lines = report.as_text(ROWS["echo-32x1"], ECHO).splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["upgradegw", "aiohttp", "bare-c"]
    assert "ours/theirs 1.75 (1.50 to 2.00), processor time 0.50" in lines[2]
    assert "≥ 1.2 times aiohttp: 1.75 (1.50 to 2.00) reached" in lines[4]


def test_only_goals_that_must_be_reached_are_missed() -> None:
    """A stretch goal that is missed fails nothing."""
    assert report.missed({"echo-32x1": ECHO, "tunnel-1m": TUNNEL}) == [
        "tunnel-1m: ≤ 0.5 times nginx: 0.90 (0.90 to 0.90)"
    ]


def test_the_page_has_goals_rows_and_the_proof() -> None:
    """Reached goals are bold; each row has its command; the generator's share under the fastest server is told."""
    text = report.page({"echo-32x1": ECHO, "tunnel-1m": TUNNEL}, ABOUT)
    assert "| Echo of 32 B, 64 connections, 1 in flight | ≥ 1.2 times aiohttp | **1.75** |  |  |" in text
    assert "| Tunnel, 1 MiB, 1 in flight | ≤ 0.5 times nginx | 0.90 |  |  |" in text
    assert "`run.py tunnel-1m`, 2026-01-01" in text
    assert "| Echo of 32 B, 64 connections, 1 in flight | upgradegw | 95,000 | 80% | 150,000 |" in text


def test_the_chart_is_one_that_a_browser_can_read() -> None:
    """Well-formed, a panel a row, ours marked, and no bar for the limit that nobody comes near."""
    tree = ET.fromstring(chart.drawn({"echo-32x1": ECHO, "tunnel-1m": TUNNEL}))
    space = "{http://www.w3.org/2000/svg}"
    panels = tree.findall(f"{space}g")
    assert len(panels) == 2
    bars = [[bar.get("class") for bar in panel.findall(f"{space}rect")] for panel in panels]
    assert bars == [["ours", "other"], ["ours", "other"]]
