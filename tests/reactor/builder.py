"""Twisted's own tests of reactors, on ours: run it, and see which pass.

    python tests/reactor/builder.py                     every module; exit status 1 if a test fails that is not excluded
    python tests/reactor/builder.py test_tcp test_udp   some
    python tests/reactor/builder.py --excluded          only what is excluded: those that pass no longer need to be
    python tests/reactor/builder.py --turns             every connection is read from in turns, from its second read on
    python tests/reactor/builder.py --reactor epoll     Twisted's own, to compare
    python tests/reactor/builder.py --write-page        and write what passed into docs/reference/reactor.md

Twisted writes most of what it promises about reactors as classes on ``ReactorBuilder``, which makes a test case of each
for every reactor in its list; here ours is the list. All else of ``twisted.internet.test`` and ``twisted.test`` runs as
under ``trial --reactor=uv``. Each module has a process and a folder of its own, a few at a time. What does not pass on
purpose stands in ``builder_exclusions``, each with its reason.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import json
import os
import pkgutil
import subprocess
import sys
import tempfile
import time
import unittest
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.reactor.builder_exclusions import excluded_because
from upgradegw.reactor.tcp import TcpConnection

#: The modules that are made for judging a reactor.
BUILDER = tuple(
    f"twisted.internet.test.test_{name}"
    for name in ("core", "fdset", "process", "socket", "tcp", "threads", "time", "tls", "udp", "unix")
)
#: What else stands in these packages uses reactors as applications do.
PACKAGES = ("twisted.internet.test", "twisted.test")

#: About other reactors or systems alone.
NOT_FOR_US = frozenset(
    f"twisted.internet.test.test_{name}"
    for name in (
        "asyncioreactor", "cfreactor", "epollreactor", "gireactor", "glibbase", "iocp", "kqueuereactor", "serialport",
        "win32events", "win32serialport",
    )
)  # fmt: skip

#: Seconds for one module; the longest takes half a minute on an idle machine.
PATIENCE = 420

#: How the reactor of one test is named to ``ReactorBuilder``, which calls the test cases after the last word.
BUILT = {"uv": "tests.reactor.builder.UvReactor", "epoll": "twisted.internet.epollreactor.EPollReactor"}


@dataclass
class Outcome:
    """What became of one module.

    Attributes:
        module: Its dotted name.
        passed: How many tests passed.
        excluded: How many were left out on purpose.
        skipped: The reasons that the tests themselves gave, each with how many gave it.
        failed: The tests that failed, by name, with the end of the traceback.
        passing: Of the excluded, those that pass after all, if these were asked for.
        seconds: How long it took.
    """

    module: str
    passed: int = 0
    excluded: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    passing: list[str] = field(default_factory=list)
    seconds: float = 0.0


def UvReactor(case: Any) -> Any:
    """Make the reactor of one test, on a loop of its own, which is closed behind the test."""
    import asyncio

    import uvloop

    from upgradegw import reactor

    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)

    def close() -> None:
        asyncio.set_event_loop(None)
        loop.close()

    case.addCleanup(close)
    return reactor.UvReactor(loop)


def modules() -> list[str]:
    """Return the names of all modules of tests, those made for judging reactors first."""
    found = []
    for name in PACKAGES:
        package = import_module(name)
        found += [f"{name}.{info.name}" for info in pkgutil.iter_modules(package.__path__)]
    others = [name for name in found if ".test_" in name and name not in NOT_FOR_US and name not in BUILDER]
    return [*BUILDER, *others]


# --- In the process of one module.


def cases(suite: Any) -> Iterator[Any]:
    """Yield the single tests."""
    if isinstance(suite, unittest.TestSuite) or hasattr(suite, "_tests"):
        for each in suite:
            yield from cases(each)
    else:
        yield suite


def run_here(module: str, reactor: str, excluded: bool) -> Outcome:
    """Run one module in this process, and in this folder.

    Args:
        module: Its dotted name.
        reactor: The name of the reactor.
        excluded: Whether what is excluded runs, and nothing else.
    """
    from twisted.internet.test.reactormixins import ReactorBuilder
    from twisted.trial import runner
    from twisted.trial.reporter import Reporter

    ReactorBuilder._reactors = [BUILT[reactor]]
    every = list(cases(runner.TestLoader().loadByName(module, recurse=False)))
    left_out = [case for case in every if excluded_because(case.id())]
    as_anybody = [case for case in left_out if excluded_because(case.id(), root=False)]
    wanted = as_anybody if excluded else [case for case in every if case not in left_out]
    for case in wanted:
        if excluded or not hasattr(case, "timeout"):
            case.timeout = 10 if excluded else 30
    begun = time.monotonic()
    result = runner.TrialRunner(Reporter, stream=io.StringIO(), workingDirectory="trial").run(runner.TestSuite(wanted))
    bad = [*result.failures, *result.errors, *((test, "passed unexpectedly") for test, _ in result.unexpectedSuccesses)]
    failed = {test.id(): _told(failure) for test, failure in bad}
    skipped = {test.id() for test, _ in result.skips}
    return Outcome(
        module,
        passed=result.successes + len(result.expectedFailures),
        excluded=len(left_out),
        skipped=dict(Counter(" ".join(str(reason).split()) for _, reason in result.skips)),
        failed=failed,
        passing=[case.id() for case in wanted if case.id() not in failed.keys() | skipped] if excluded else [],
        seconds=time.monotonic() - begun,
    )


def _prepare(reactor: str) -> None:
    """Install the reactor, and let Hypothesis, which a few of the tests use, take its time on a busy machine."""
    from hypothesis import HealthCheck, settings
    from twisted.application.reactors import installReactor

    installReactor(reactor)
    settings.register_profile("builder", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("builder")


def _told(failure: Any) -> str:
    return failure if isinstance(failure, str) else failure.getTraceback(elideFrameworkCode=True)


# --- All modules.


def run(module: str, *, reactor: str, excluded: bool, turns: bool) -> Outcome:
    """Run one module in a process and a folder of its own: trial ends the reactor behind it."""
    words = [sys.executable, __file__, "--here", module, "--reactor", reactor, *(["--excluded"] if excluded else [])]
    words += ["--turns"] if turns else []
    with tempfile.TemporaryDirectory(prefix="builder-") as folder:
        try:
            done = subprocess.run(
                words, cwd=folder, capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=False,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Outcome(module, failed={module: f"not done in {PATIENCE} s"}, seconds=PATIENCE)
        with contextlib.suppress(OSError, ValueError):
            return Outcome(**json.loads((Path(folder) / "outcome.json").read_text()))
        told = f"ended with status {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
        return Outcome(module, failed={module: told})


def judge(outcomes: Sequence[Outcome], *, excluded: bool) -> bool:
    """Print the sum; tell whether all is well."""
    failed = sum(len(outcome.failed) for outcome in outcomes)
    skipped = sum(sum(outcome.skipped.values()) for outcome in outcomes)
    passed, left_out = (sum(getattr(outcome, name) for outcome in outcomes) for name in ("passed", "excluded"))
    _say(f"{passed} passed, {failed} failed, {skipped} skipped, {left_out} excluded in {len(outcomes)} modules")
    return (not any(outcome.passing for outcome in outcomes)) if excluded else (failed == 0 and passed > 0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="modules to run, or the ends of their names")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many at a time")
    parser.add_argument("--excluded", action="store_true", help="run what is excluded, and nothing else")
    parser.add_argument("--reactor", choices=BUILT, default="uv", help="by default uv")
    parser.add_argument("--turns", action="store_true", help="begin to read in turns behind the first read")
    parser.add_argument("--write-page", action="store_true", help="write docs/reference/reactor.md")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    words = parser.parse_args(arguments)
    if words.here:
        _prepare(words.reactor)
        if words.turns:
            TcpConnection.reads_before_turns = 1
        outcome = run_here(words.modules[0], words.reactor, words.excluded)
        Path("outcome.json").write_text(json.dumps(asdict(outcome)))
        sys.stdout.flush()
        os._exit(0)  # whatever threads and children a failed test has left behind
    ends = tuple(words.modules) or ("",)
    wanted = [name for name in modules() if any(f".{name}".endswith(f".{end}" if end else "") for end in ends)]
    with ThreadPoolExecutor(words.jobs) as pool:
        started = functools.partial(run, reactor=words.reactor, excluded=words.excluded, turns=words.turns)
        outcomes = list(pool.map(lambda name: _announced(started(name)), wanted))
    if words.write_page:
        from tests.reactor.builder_page import write_page

        write_page(outcomes)
    return 0 if judge(outcomes, excluded=words.excluded) else 1


def _announced(outcome: Outcome) -> Outcome:
    skipped = sum(outcome.skipped.values())
    counts = f"{outcome.passed} passed, {len(outcome.failed)} failed, {skipped} skipped, {outcome.excluded} excluded"
    told = [f"{outcome.module}: {counts}, {outcome.seconds:.1f} s"]
    told += [f"==== {test}\n{text}\n" for test, text in outcome.failed.items()]
    told += [f"{test} passes, and need not be excluded" for test in outcome.passing]
    _say("\n".join(told))
    return outcome


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - this is the command's output


if __name__ == "__main__":
    sys.exit(main())
