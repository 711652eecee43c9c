"""The stand-ins are asked without a gateway: a row that is wrong then tells of the stand-in, and of no gateway."""

from __future__ import annotations

import pytest

from tests.gateway import rows_of_commands, rows_of_protocols, rows_of_tunnels
from tests.gateway.rows import Front, Row
from tests.gateway.upstream import Upstream

ROWS = [*rows_of_commands.ROWS, *rows_of_tunnels.ROWS, *rows_of_protocols.ROWS]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_without_a_gateway(row: Row) -> None:
    """What should come through a gateway comes where there is none."""
    if missing := row.missing():
        pytest.skip(missing)
    with Upstream() as upstream:
        outcome = row.run(Front(upstream.port, upstream))
    assert outcome.right, outcome.word
