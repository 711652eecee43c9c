"""What tests of several modules use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.proxy.turns import Sockets


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    made = Sockets()
    yield made
    made.close()
