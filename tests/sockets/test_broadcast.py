"""A broadcast over real sockets, with clients that do not read."""

from __future__ import annotations

import subprocess
import sys

from tests.source_tree import ROOT


def test_slow_clients_among_many() -> None:
    """A-21: of 100 clients 10 do not read; the others get all in order, the 10 are closed with 1008, memory has an end.

    The same with 1,000 clients, and what it costs: ``tests/benchmarks/broadcast.py``.
    """
    program = ROOT / "tests" / "benchmarks" / "broadcast.py"
    command = [sys.executable, program, "--connections=100", "--slow-only"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "every reader has every message in order" in done.stdout
    assert "behind it: ['slow True 1008']" in done.stdout
