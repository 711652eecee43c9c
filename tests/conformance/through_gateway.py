"""Run the public WebSocket suite against another's echo, alone and through the gateway: a tunnel alters nothing.

    python tests/conformance/through_gateway.py [--groups 1,2,3,4,5,6,7,10]

The echo is that of the library websockets. In front of the gateway the suite speaks HTTP/1.1, and by way of HAProxy
HTTP/2, where each of its handshakes is an extended CONNECT that becomes an Upgrade towards the echo. The exit status is
1 if a case is judged otherwise than without the gateway.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.conformance.autobahn_testsuite import FRAMES, Outcome, address_of, cached_suite, judge, options_for
from tests.support.process import serving

#: What the client speaks to the gateway.
IN_FRONT = ("tcp", "http2")

#: How often cases that differ are judged again.
_AGAIN = 10


@contextlib.contextmanager
def independent_echo() -> Iterator[int]:
    """Run the echo for the duration of a ``with`` block; the value is its port."""
    program = str(Path(__file__).with_name("independent_echo.py"))
    process = subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def alone(suite: Sequence[str], echo: int, groups: Iterable[str]) -> Outcome:
    """Let the suite judge the echo itself."""
    return judge(suite, f"ws://127.0.0.1:{echo}/ws", groups)


def through_gateway(suite: Sequence[str], echo: int, groups: Iterable[str], transport: str) -> Outcome:
    """Let the suite judge the echo through the gateway.

    Args:
        suite: The command that starts the suite.
        echo: The echo's port.
        groups: Groups of cases, or cases.
        transport: One of ``IN_FRONT``.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        options = [*options_for(transport, False, folder), "--access-log", "off"]
        options += ["--proxy", f"/ws=http://127.0.0.1:{echo}"]
        with serving(*options, folder=folder) as server, address_of(server, transport, folder) as url:
            return judge(suite, url, groups)


def otherwise(suite: Sequence[str], echo: int, expected: Outcome, found: Outcome, transport: str) -> list[str]:
    """Return the cases that are always judged otherwise than without the gateway.

    Whether the echo answers a message before or behind the fault that follows it is a race, and the suite calls the
    one OK and the other NON-STRICT. So cases that differ are judged some more times, with and without the gateway.

    Args:
        suite: The command that starts the suite.
        echo: The echo's port.
        expected: How it was judged alone.
        found: How it was judged through the gateway.
        transport: What was spoken to the gateway.
    """
    verdicts = {name: ({judged}, {found.cases.get(name)}) for name, judged in expected.cases.items()}
    for _ in range(_AGAIN):
        left = [name for name, (without, through) in verdicts.items() if not without & through]
        if not left:
            break
        for judged, which in ((alone(suite, echo, left), 0), (through_gateway(suite, echo, left, transport), 1)):
            for name in left:
                verdicts[name][which].add(judged.cases.get(name))
    return [name for name, (without, through) in verdicts.items() if not without & through]


def main() -> int:
    """Run all three, and compare case by case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--groups", default=",".join(FRAMES), help="comma-separated, such as 1,7.3")
    groups = parser.parse_args().groups.split(",")
    suite = cached_suite()
    failed = False
    with independent_echo() as echo:
        expected = alone(suite, echo, groups)
        print(f"without the gateway: {dict(expected.verdicts)}", flush=True)  # noqa: T201
        for transport in IN_FRONT:
            found = through_gateway(suite, echo, groups, transport)
            other = otherwise(suite, echo, expected, found, transport)
            print(f"through the gateway, {transport}: {dict(found.verdicts)}, {len(other)} cases otherwise", flush=True)  # noqa: T201
            for name in other:
                print(f"  {name}: {found.cases.get(name)}, without {expected.cases[name]}")  # noqa: T201
            failed = failed or bool(other) or not found.cases
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
