"""The public WebSocket suite judges an echo that is not ours as it does without the gateway in between."""

from __future__ import annotations

import pytest

from tests.conformance.autobahn_testsuite import Missing, cached_suite
from tests.conformance.through_gateway import IN_FRONT, alone, independent_echo, otherwise, through_gateway

#: A case or two of each group of frames, and one with compression; the script of the same name runs all of them.
CASES = ("1.1", "2.6", "3.2", "4.1.3", "5.15", "6.4.2", "7.1.3", "7.7.1", "7.9.3", "10.1.1", "12.1.1")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("transport", IN_FRONT)
def test_tunnels_alter_nothing(transport: str) -> None:
    """Each case is judged the same, on its behaviour and on its close, over HTTP/1.1 and HTTP/2 in front."""
    try:
        suite = cached_suite()
    except Missing as why:
        pytest.skip(str(why))
    with independent_echo() as echo:
        expected = alone(suite, echo, CASES)
        found = through_gateway(suite, echo, CASES, transport)
        assert len(expected.cases) >= len(CASES)
        assert otherwise(suite, echo, expected, found, transport) == []
