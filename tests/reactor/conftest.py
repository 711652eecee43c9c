"""What tests of several modules use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.reactor.running import new_reactor
from tests.reactor.talking import CLIENTS
from upgradegw.reactor import UvReactor
from upgradegw.reactor.tcp import TcpConnection


@pytest.fixture
def reactor(monkeypatch: pytest.MonkeyPatch) -> Iterator[UvReactor]:
    """A reactor whose connections are read from in turns behind their first read."""
    monkeypatch.setattr(TcpConnection, "reads_before_turns", 1)
    with new_reactor() as made:
        yield made
    while CLIENTS:
        CLIENTS.pop().close()
