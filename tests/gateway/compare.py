"""Run every row through upgradegw and, where they are installed, through nginx, HAProxy and nghttpx; print the table.

The exit status is 1 if any row of upgradegw is not right. What the others do is printed and not judged, but for a mark.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.gateway import rows_of_commands, rows_of_judgement, rows_of_protocols, rows_of_stopping, rows_of_tunnels
from tests.gateway.rows import Front, Outcome, Row
from tests.gateway.servers import GATEWAYS, Gateway
from tests.gateway.upstream import Upstream

ROWS: tuple[Row, ...] = (
    *rows_of_commands.ROWS,
    *rows_of_tunnels.ROWS,
    *rows_of_judgement.ROWS,
    *rows_of_protocols.ROWS,
    *rows_of_stopping.ROWS,
)
OURS = GATEWAYS[0].name


def outcomes(gateway: Gateway, rows: Sequence[Row]) -> Iterator[Outcome]:
    """Run rows through one gateway, which is started anew where a row has ended it."""
    remaining = list(rows)
    while remaining:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            upstream = stack.enter_context(Upstream())
            running = stack.enter_context(gateway.run(folder, upstream.port))
            front = Front(running.port, upstream, running.process, running.stop)
            for row in iter(lambda: remaining.pop(0) if remaining else None, None):
                try:
                    yield row.run(front)
                except Exception as error:  # noqa: BLE001 - a row that breaks is wrong, and the others go on
                    yield Outcome(f"{type(error).__name__}: {error}"[:40], right=False)
                if row.ends_the_gateway:
                    break


def table(names: Sequence[str], rows: Sequence[Row], found: Sequence[Sequence[Outcome]]) -> Iterator[str]:
    """Yield the lines of the table: a row each, a column for each gateway, wrong ones marked."""
    yield f"| case | {' | '.join(names)} |"
    yield "|---|" + "---|" * len(names)
    for row, *its in zip(rows, *found, strict=True):
        cells = (f"{outcome.word}" if outcome.right else f"✗ {outcome.word}" for outcome in its)
        yield f"| {row.name} | {' | '.join(cells)} |"


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", help="a gateway; may be repeated")
    parser.add_argument("--rows", default="", help="a regular expression that the names of the rows must match")
    arguments = parser.parse_args()
    wanted = [row for row in ROWS if re.search(arguments.rows, row.name)]
    rows = [row for row in wanted if not row.missing()]
    gateways = [each for each in GATEWAYS if each.installed and (not arguments.only or each.name in arguments.only)]
    found = [list(outcomes(gateway, rows)) for gateway in gateways]
    names = [f"{each.name} {each.says()}" for each in gateways]
    sys.stdout.write("\n".join(table(names, rows, found)) + "\n\n")
    for row in wanted:
        if row.missing():
            sys.stdout.write(f"left out: {row.name}: {row.missing()}\n")
    right = {gateway.name: sum(outcome.right for outcome in its) for gateway, its in zip(gateways, found, strict=True)}
    for name, count in right.items():
        sys.stdout.write(f"{name}: {count} of {len(rows)} right\n")
    if OURS not in right:
        return 0
    sys.stdout.write(f"{right[OURS]} passed, {len(rows) - right[OURS]} failed, {len(wanted) - len(rows)} skipped\n")
    return 1 if right[OURS] < len(rows) else 0


if __name__ == "__main__":
    sys.exit(main())
