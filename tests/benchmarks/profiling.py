"""Where our time goes under a row's load: twistd's own profiler, sorted by what each function spends itself."""

from __future__ import annotations

import io
import pstats
from collections.abc import Callable

from tests.benchmarks.measuring import Server, Yard, run_load
from tests.benchmarks.rows import OURS, Row

#: Functions that are shown.
_SHOWN = 30


def profile(yard: Yard, row: Row, seconds: float, say: Callable[[str], None]) -> None:
    """Put a row's load on ours, once as it is and once with the profiler, which makes calls dearer than they are.

    Args:
        yard: What it runs in.
        row: The row.
        seconds: How long.
        say: Writes a line.
    """
    server = Server(yard, OURS, row.mode)
    report = run_load(yard, server, row.load, seconds)
    server.stop()
    file = yard.folder / "profile"
    server = Server(yard, OURS, row.mode, twistd=("--profiler=cprofile", "--savestats", f"--profile={file}"))
    run_load(yard, server, row.load, seconds)
    server.leave()
    text = io.StringIO()
    pstats.Stats(str(file), stream=text).sort_stats("tottime").print_stats(_SHOWN)
    say(f"{row.title}: {report['server_us']:.2f} us of processor time each without the profiler")
    say(text.getvalue())
