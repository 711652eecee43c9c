"""Run the public WebSocket suite (Autobahn|Testsuite) against ``/ws`` of the demonstration site.

    python tests/conformance/autobahn_testsuite.py                     groups 1 to 7 and 10, on every transport
    python tests/conformance/autobahn_testsuite.py --groups 1,7.3 --transports tcp
    python tests/conformance/autobahn_testsuite.py --all               every group; 9 with limits raised

Groups 1 to 8 are RFC 6455, 9 is large messages, 10 is fragmentation by the sender, 12 and 13 are RFC 7692. A case
passes if the suite judges it OK or INFORMATIONAL, in its behaviour and in its close. The suite speaks Python 2.7; it is
installed into a cache folder when it is needed, unless ``--wstest`` (or the environment's UPGRADEGW_WSTEST) names its
program. It knows no HTTP/2: on the transport ``http2`` it speaks to HAProxy, which turns each of its handshakes into an
extended CONNECT (RFC 8441) on a connection with prior knowledge.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.certificates import self_signed
from tests.clients.proxies import HTTP_2, haproxy
from tests.support.process import Server, serving

VERSION = "25.10.1"
FRAMES = ("1", "2", "3", "4", "5", "6", "7", "10")
LARGE = ("9",)
COMPRESSION = ("12", "13")
TRANSPORTS = ("tcp", "tls", "http2")

_PASSED = {"OK", "INFORMATIONAL"}

#: How the suite is started from a folder that it was installed into: with its ``.pth`` files, as an environment is.
_START = "import site, sys; site.addsitedir({folder!r}); from autobahntestsuite.wstest import run; run()"


class Missing(Exception):  # noqa: N818 - the outcome is a skip, not an error
    """Something that the suite needs is not there."""


@dataclass(frozen=True)
class Outcome:
    """How the cases went.

    Attributes:
        verdicts: How many cases got which verdict.
        failures: The cases that did not pass, with both verdicts.
        cases: Both verdicts of every case, on its behaviour and on its close.
    """

    verdicts: collections.Counter[str]
    failures: tuple[str, ...]
    cases: dict[str, tuple[str, str]] = field(default_factory=dict)


def python27() -> str:
    """Return a Python 2.7, or raise Missing."""
    found = shutil.which("python2.7")
    pyenv = sorted(Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/2.7.*/bin/python2.7"))
    if found is None and not pyenv:
        raise Missing("Python 2.7, in which Autobahn|Testsuite is written, is not there")
    # What pyenv puts into PATH may be a stand-in for a version that is not active.
    return str(pyenv[-1]) if pyenv else str(found)


def cached_suite() -> list[str]:
    """Return the command that starts the suite; install it first if need be."""
    program = os.environ.get("UPGRADEGW_WSTEST")
    if program:
        return [program]
    python = python27()
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "upgradegw"
    folder = cache / f"autobahntestsuite-{VERSION}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as fresh:
            target = Path(fresh) / "suite"
            install = [
                python,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--target",
                str(target),
            ]
            done = subprocess.run(
                [*install, f"autobahntestsuite=={VERSION}"], capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise Missing(f"Autobahn|Testsuite cannot be installed: {done.stderr.strip()[-300:]}")
            target.rename(folder)
    return [python, "-c", _START.format(folder=str(folder))]


def judge(suite: Sequence[str], url: str, groups: Iterable[str], seconds: float = 3600) -> Outcome:
    """Let the suite judge a server.

    Args:
        suite: The command that starts the suite.
        url: Where the echo is.
        groups: Groups of cases, such as ``"1"`` or ``"7.3"``, or cases.
        seconds: How long it may take.
    """
    with tempfile.TemporaryDirectory() as folder:
        specification = {
            "outdir": str(Path(folder) / "reports"),
            "servers": [{"agent": "upgradegw", "url": url}],
            # A star makes the suite read a name as a pattern; the second one is for the name of a single case.
            "cases": [pattern for group in groups for pattern in (f"{group}.*", f"{group}$*")],
            "exclude-cases": [],
            "exclude-agent-cases": {},
        }
        file = Path(folder) / "specification.json"
        file.write_text(json.dumps(specification))
        command = [*suite, "-m", "fuzzingclient", "-s", str(file)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        done = subprocess.run(
            command, env=environment, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False
        )
        index = Path(folder) / "reports" / "index.json"
        if not index.exists():
            raise RuntimeError(f"the suite wrote no report:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        return read_index(json.loads(index.read_text())["upgradegw"])


def read_index(cases: dict[str, dict[str, str]]) -> Outcome:
    """Read the suite's report on one server."""
    verdicts = collections.Counter(case["behavior"] for case in cases.values())
    failures = tuple(
        f"{name}: {case['behavior']}, close {case['behaviorClose']}"
        for name, case in cases.items()
        if case["behavior"] not in _PASSED or case["behaviorClose"] not in _PASSED
    )
    return Outcome(
        verdicts, failures, {name: (case["behavior"], case["behaviorClose"]) for name, case in cases.items()}
    )


def options_for(transport: str, raised: bool, folder: Path) -> Iterator[str]:
    """Return the server's options: none but what the transport needs, unless limits are raised."""
    if transport == "tls":
        files = self_signed(folder)
        yield from ("--tls-cert", str(files.cert), "--tls-key", str(files.key))
    if transport == "http2":
        # HAProxy writes ":scheme: https" whatever it speaks, which only a trusted proxy may on cleartext.
        yield from ("--trusted-proxy", "127.0.0.1")
    if raised:
        yield from ("--app-dir", str(Path(__file__).parent), "--websocket", "/ws=raised_limits:upgrade")


@contextlib.contextmanager
def address_of(server: Server, transport: str, folder: Path) -> Iterator[str]:
    """Return where the suite finds the echo of a server; HAProxy stands in front for the time, if need be."""
    if transport == "http2":
        with haproxy(folder, server.port, HTTP_2, mode="http") as port:
            yield f"ws://127.0.0.1:{port}/ws"
    else:
        yield f"{'wss' if transport == 'tls' else 'ws'}://127.0.0.1:{server.port}/ws"


def run_groups(suite: Sequence[str], groups: Iterable[str], transport: str, raised: bool = False) -> Outcome:
    """Start the server, and let the suite judge it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        options = [*options_for(transport, raised, folder), "--access-log", "off"]
        with serving(*options, folder=folder) as server, address_of(server, transport, folder) as url:
            return judge(suite, url, groups)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; return the exit status."""
    parser = argparse.ArgumentParser(description="Run Autobahn|Testsuite against /ws.")
    parser.add_argument("--groups", default=",".join(FRAMES), help="comma-separated, such as 1,7.3")
    parser.add_argument("--transports", default=",".join(TRANSPORTS), help="of tcp, tls and http2; all by default")
    parser.add_argument("--raised", action="store_true", help="raise the limits on messages")
    parser.add_argument("--all", action="store_true", help="every group, each with the limits that it needs")
    parser.add_argument("--wstest", help="the suite's program; installed if not given")
    options = parser.parse_args(arguments)
    if options.all:
        plan = [(FRAMES, transport, False) for transport in TRANSPORTS]
        plan += [(COMPRESSION, "tcp", False), (COMPRESSION, "http2", False), (LARGE, "tcp", True)]
    else:
        groups = tuple(options.groups.split(","))
        plan = [(groups, transport, options.raised) for transport in options.transports.split(",")]
    suite = [options.wstest] if options.wstest else cached_suite()
    failed = False
    for groups, transport, raised in plan:
        outcome = run_groups(suite, groups, transport, raised)
        limits = "raised limits" if raised else "default limits"
        counted = ", ".join(f"{number} {verdict}" for verdict, number in sorted(outcome.verdicts.items()))
        print(f"{transport}, groups {','.join(groups)}, {limits}: {counted}", *outcome.failures, sep="\n  ", flush=True)  # noqa: T201
        failed = failed or bool(outcome.failures) or not outcome.verdicts
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
