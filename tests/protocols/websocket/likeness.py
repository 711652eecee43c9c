"""Random streams of frames for a long time, to connections that take the short ways and to some that do not.

    python tests/protocols/websocket/likeness.py [--seconds 600] [--seed N]

What ``test_receiving`` does with some hundred streams. The first stream that shows a difference ends it; its seed is
printed, and ``--seed`` begins with it again. Everything is in memory. The exit status is 1 if there was a difference.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from random import Random, SystemRandom
from unittest import TestResult

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.protocols.websocket.twins import AgainstAutobahn, Twins


class _Long:
    """Compares until the time is over, as one test, so that what is logged is caught."""

    seed = 0
    until = 0.0
    streams = calls = 0

    def runTest(self) -> None:
        while time.monotonic() < self.until:
            try:
                type(self).calls += self.compare(Random(self.seed))  # type: ignore[attr-defined]
            except BaseException:
                print(f"{type(self).__name__}: the stream of seed {self.seed} shows a difference")  # noqa: T201
                raise
            type(self).seed += 1
            type(self).streams += 1


class AgainstLongWay(_Long, Twins):
    """Our short ways and our long ones."""


class AgainstAutobahnAlone(_Long, AgainstAutobahn):
    """Our short ways and Autobahn without us."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=SystemRandom().getrandbits(48))
    arguments = parser.parse_args()
    status = 0
    for kind, share in ((AgainstLongWay, 0.75), (AgainstAutobahnAlone, 0.25)):
        kind.seed = arguments.seed
        kind.until = time.monotonic() + arguments.seconds * share
        result = TestResult()
        kind().run(result)
        print(f"{kind.__name__}: {kind.streams} streams from seed {arguments.seed}, {kind.calls} calls were the same")  # noqa: T201
        for _, text in (*result.errors, *result.failures):
            print(text)  # noqa: T201
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
