"""What a skipped test is: elsewhere a gap with a reason, on the build server a failure.

A skip without a reason fails everywhere. Where the environment sets CI, every skip fails: what the tests need is
installed there by ``.ci/run``, so that a test that does not run there would never run at all.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Generator

import pytest
import txaio
from twisted.application.reactors import installReactor
from twisted.internet.task import Clock

from tests.support.process import REACTOR

# The reactor of this process, on which tests on real sockets run: the one that servers of tests are given.
installReactor(REACTOR or "uv")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Whoever runs in the background of a shell ignores Ctrl-C, and so would every server that a test starts and ends.
    signal.signal(signal.SIGINT, signal.default_int_handler)

#: The reason of tests that need what is in C.
_NOT_COMPILED = "nothing is compiled"

#: What pytest writes where nobody gave a reason.
_NO_REASON = frozenset({"", "unconditional skip", "Skipped", "<Skipped instance>"})


def _in_ci() -> bool:
    return os.environ.get("CI", "").lower() not in {"", "0", "false"}


def _objection(longrepr: object) -> str | None:
    """Say what is wrong with a skip, or None if it may stand."""
    reason = (str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)).removeprefix("Skipped: ").strip()
    if reason in _NO_REASON:
        return "skipped without a reason"
    return f"skipped, which is a failure in CI: {reason}" if _in_ci() else None


def _judge(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        objection = _objection(report.longrepr)
        if objection is not None:
            report.outcome = "failed"
            report.longrepr = objection


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Judge the skip of a test."""
    report = yield
    _judge(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Judge the skip of a module."""
    report = yield
    _judge(report)
    return report


@pytest.fixture(autouse=True)
def _autobahns_own_clock() -> Generator[None, None, None]:
    """Keep Autobahn's timers off the process's reactor, where those of one test would be found by the next."""
    before, txaio.config.loop = txaio.config.loop, Clock()
    yield
    txaio.config.loop = before


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of what is in C where that is left out on purpose; where it is only missing, they skip."""
    if os.environ.get("UPGRADEGW_PURE", "0") in {"", "0"}:
        return
    needing = [
        item
        for item in items
        if any(mark.kwargs.get("reason") == _NOT_COMPILED for mark in item.iter_markers("skipif"))
    ]
    config.hook.pytest_deselected(items=needing)
    items[:] = [item for item in items if item not in needing]
