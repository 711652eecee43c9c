"""The public WebSocket suite finds nothing wrong with ``/ws`` as it is served without any option."""

from __future__ import annotations

import collections

import pytest

from tests.conformance.autobahn_testsuite import (
    FRAMES,
    TRANSPORTS,
    Missing,
    Outcome,
    cached_suite,
    read_index,
    run_groups,
)


@pytest.fixture(scope="module")
def suite() -> list[str]:
    """The suite's command, or a skip."""
    try:
        return cached_suite()
    except Missing as why:
        pytest.skip(str(why))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_frames(suite: list[str], transport: str) -> None:
    """WS-15 to WS-20, EC-02, EC-08: groups 1 to 7 and 10, none FAILED, NON-STRICT or UNIMPLEMENTED."""
    outcome = run_groups(suite, FRAMES, transport)
    assert outcome.failures == ()
    assert sum(outcome.verdicts.values()) == 247


@pytest.mark.timeout(600)
@pytest.mark.parametrize("transport", ["tcp", "http2"])
def test_compression(suite: list[str], transport: str) -> None:
    """PD-07 to PD-09: one case of each group of compressed messages; all of them take a quarter of an hour."""
    outcome = run_groups(suite, ("12.1.1", "12.2.5", "13.3.10", "13.7.1"), transport)
    assert outcome.failures == ()
    assert outcome.verdicts == collections.Counter(OK=4)


def test_every_verdict_but_two_is_a_failure() -> None:
    """The driver fails for any behaviour or close that is not OK or INFORMATIONAL."""
    cases = {
        "1.1.1": {"behavior": "OK", "behaviorClose": "OK"},
        "7.1.6": {"behavior": "INFORMATIONAL", "behaviorClose": "INFORMATIONAL"},
        "2.1": {"behavior": "NON-STRICT", "behaviorClose": "OK"},
        "3.1": {"behavior": "OK", "behaviorClose": "WRONG CODE"},
        "12.1.1": {"behavior": "UNIMPLEMENTED", "behaviorClose": "OK"},
        "4.1.1": {"behavior": "FAILED", "behaviorClose": "FAILED"},
    }
    outcome = read_index(cases)
    assert isinstance(outcome, Outcome)
    assert [failure.partition(":")[0] for failure in outcome.failures] == ["2.1", "3.1", "12.1.1", "4.1.1"]
