"""Times in a log."""

from __future__ import annotations

from upgradegw.service.formats.timestamps import Timestamps


def test_the_time_changes_with_the_second() -> None:
    """It is made once a second, also when the clock goes back."""
    times = Timestamps("%d/%b/%Y:%H:%M:%S +0000")
    assert times.text(0.0) == times.text(0.99) == "01/Jan/1970:00:00:00 +0000"
    assert times.text(1.0) == "01/Jan/1970:00:00:01 +0000"
    assert times.text(0.5) == "01/Jan/1970:00:00:00 +0000"
