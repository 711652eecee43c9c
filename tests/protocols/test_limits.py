"""Limits as arguments."""

from __future__ import annotations

from typing import Any

import pytest

from upgradegw.protocols.limits import check_limit


@pytest.mark.parametrize("value", [0, -1, True, "1", 0.5])
def test_what_is_no_limit(value: Any) -> None:
    """What could not work is refused where it was written, by its name."""
    with pytest.raises(ValueError, match="at_most="):
        check_limit("at_most", value, at_least=1)


def test_limits() -> None:
    """A number, or None for no limit."""
    check_limit("at_most", None)
    check_limit("at_most", 0.5)
    check_limit("at_most", 1, at_least=1)
