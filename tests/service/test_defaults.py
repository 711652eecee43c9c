"""Options that were given are told from those that were not."""

from __future__ import annotations

import pytest

from upgradegw.service.defaults import Default, given


@pytest.mark.parametrize(("value", "was_given"), [(None, False), (Default("10"), False), ("10", True), ("", True)])
def test_given(value: str | None, was_given: bool) -> None:
    """Also if the value is that of the default."""
    assert given(value) is was_given
    assert value is None or value == str(value)
