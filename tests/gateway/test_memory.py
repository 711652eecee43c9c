"""What a large transfer through the gateway costs in memory, in a small form; ``memory.py`` has the whole one."""

from __future__ import annotations

import sys

import pytest

from tests.gateway.memory import ALLOWED, MEBIBYTE, gateway, measure

#: Large enough to be seen if it were kept.
SIZE = 48 * MEBIBYTE


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of resident memory is read from /proc")
def test_content_is_not_kept() -> None:
    """A response to a slow client, and a request to a slow upstream, add less than 2 MiB, whatever their size."""
    with gateway() as server:
        added = measure(server, SIZE, ["a response, HTTP/1.1", "a request, HTTP/1.1"])
    assert all(each < ALLOWED for each in added.values()), added
