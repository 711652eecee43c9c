"""The chart of the documentation: each row a panel of bars, drawn as SVG by hand."""

from __future__ import annotations

from html import escape
from statistics import median

from tests.benchmarks.contenders import CONTENDERS
from tests.benchmarks.results import Outcome
from tests.benchmarks.rows import OURS, ROWS, Row

#: Which rows, in which order, two beside each other.
_PANELS = (
    *("echo-32x1", "echo-32x16", "echo-16k", "handshakes", "gets", "idle", "tls-32x1", "tls-resumed"),
    *("h2-tls", "h2-websocket", "tunnel-32x1", "tunnel-1m"),
)

#: Pixels. A page of the documentation is about as wide as two panels.
_WIDTH, _GAP, _BAR, _STEP, _HEAD, _NAMES = 430, 24, 12, 18, 44, 186

_STYLE = """
text { font: 11px system-ui, sans-serif; fill: #333 }
.title { font-weight: 600; font-size: 13px; fill: #111 }
.unit { fill: #777 }
.ours { font-weight: 600; fill: #111 }
rect.page { fill: #fff }
rect.other { fill: #b8c4d0 }
rect.limit { fill: none; stroke: #b8c4d0; stroke-dasharray: 3 2 }
rect.ours { fill: #d9480f }
rect.second { fill: #f4a77f }
line { stroke: #333; stroke-width: 1.5; opacity: 0.6 }
"""


def _short(name: str) -> str:
    """Return a label without what the table says, too."""
    label = CONTENDERS[name].label.removeprefix("limit: ")
    for part in (" in twisted.web", ", websockets-sansio", " (Cython)", "Cython, "):
        label = label.replace(part, "")
    return label


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _kind(name: str) -> str:
    if name.startswith(OURS):
        return "ours" if name == OURS else "second"
    return "limit" if CONTENDERS[name].limit else "other"


def _whisker(values: list[float], scale: float, top: int) -> str:
    """Draw the least and the most of the rounds."""
    ends = [value * scale + _NAMES for value in (min(values), max(values))]
    middle = top + _BAR // 2
    return f'<line x1="{ends[0]:.1f}" y1="{middle}" x2="{ends[1]:.1f}" y2="{middle}"/>'


def _panel(row: Row, outcome: Outcome) -> tuple[list[str], int]:
    """Draw a panel at the origin; return its elements and its height."""
    values = {name: median(figures.values) for name, figures in outcome.figures.items()}
    # A limit that nothing written in Python comes near would leave no bar to look at.
    values.pop("bare-c", None)
    names = sorted(values, key=lambda name: values[name], reverse=row.more_is_better)
    room = _WIDTH - _NAMES - 64
    most = max(max(outcome.figures[name].values) for name in values)
    better = "more is better" if row.more_is_better else "less is better"
    parts = [
        f'<text class="title" x="0" y="14">{escape(row.title)}</text>',
        f'<text class="unit" x="0" y="30">{escape(row.unit)}; {better}</text>',
    ]
    for number, name in enumerate(names):
        top = _HEAD + number * _STEP
        length = max(1.0, values[name] / most * room)
        kind = _kind(name)
        parts.append(
            f'<text class="{"ours" if kind == "ours" else "name"}" x="{_NAMES - 6}" y="{top + 10}"'
            f' text-anchor="end">{escape(_short(name))}</text>'
        )
        parts.append(f'<rect class="{kind}" x="{_NAMES}" y="{top}" width="{length:.1f}" height="{_BAR}" rx="2"/>')
        parts.append(_whisker(outcome.figures[name].values, room / most, top))
        end = max(outcome.figures[name].values) / most * room
        parts.append(f'<text x="{_NAMES + end + 5:.1f}" y="{top + 10}">{_figure(values[name])}</text>')
    return parts, _HEAD + len(names) * _STEP


def drawn(outcomes: dict[str, Outcome]) -> str:
    """Return the chart.

    Args:
        outcomes: What was measured, by row.
    """
    names = [name for name in _PANELS if name in outcomes and outcomes[name].figures]
    panels = [_panel(ROWS[name], outcomes[name]) for name in names]
    top, body = _GAP, []
    for first in range(0, len(panels), 2):
        pair = panels[first : first + 2]
        for column, (parts, _) in enumerate(pair):
            left = _GAP + column * (_WIDTH + _GAP)
            body.append(f'<g transform="translate({left} {top})">\n' + "\n".join(parts) + "\n</g>")
        top += max(height for _, height in pair) + _GAP
    width = 2 * _WIDTH + 3 * _GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top}" width="{width}" height="{top}"'
        f' role="img">\n<title>upgradegw beside other servers and gateways</title>\n<style>{_STYLE}</style>\n'
        f'<rect class="page" width="{width}" height="{top}"/>\n' + "\n".join(body) + "\n</svg>\n"
    )
