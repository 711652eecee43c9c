"""What tests of several modules use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.proxy.turns import KINDS, SIZE, Sockets
from upgradegw.proxy.turning import Turn


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    made = Sockets()
    yield made
    made.close()


@pytest.fixture(params=KINDS)
def turn(request: Any) -> Iterator[Turn]:
    made = request.param(SIZE)
    yield made
    made.close()
