"""Every test on every transport, and no fault that is only in the log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from twisted.logger import globalLogPublisher

from upgradegw.testing.client import TRANSPORTS


@pytest.fixture(params=TRANSPORTS)
def over(request: Any) -> Any:
    """A transport."""
    return request.param


@pytest.fixture(autouse=True)
def faults() -> Iterator[list[Any]]:
    """The failures that were logged; a test that expects one takes it away."""
    found: list[Any] = []

    def observe(event: Any) -> None:
        if event.get("log_failure") is not None:
            found.append(event["log_failure"])

    globalLogPublisher.addObserver(observe)
    yield found
    globalLogPublisher.removeObserver(observe)
    assert found == []
