"""Events as plain values."""

from __future__ import annotations

import pytest

from tests.service.formats.events import ALL, REQUEST, WHEN, logged
from upgradegw.events import EVENTS
from upgradegw.service.formats.escaping import LONGEST
from upgradegw.service.formats.records import Records


@pytest.mark.parametrize("event", ALL, ids=lambda event: event["event"])
def test_a_record_has_the_documented_fields(event: dict[str, object]) -> None:
    """Time first, then what the event has, in the documented order; nothing of twisted.logger's own."""
    record = Records().record(logged(event))
    documented = [name for name in EVENTS[event["event"]].__annotations__ if name in event]
    assert list(record) == ["time", *documented]
    assert {name: record[name] for name in documented} == event


def test_the_time_is_rfc_3339_with_milliseconds() -> None:
    """In UTC; a millisecond that begins is not rounded up to the next second."""
    records = Records()
    assert records.record(logged(REQUEST))["time"] == "2026-11-22T10:42:00.937Z"
    assert records.record({**REQUEST, "log_time": WHEN - 0.9375})["time"] == "2026-11-22T10:42:00.000Z"
    assert records.record({**REQUEST, "log_time": 0.9999})["time"] == "1970-01-01T00:00:00.999Z"


def test_an_event_without_a_time_is_of_now() -> None:
    """An observer that is called by hand writes lines, too."""
    assert Records().record(dict(REQUEST))["time"] > "2026"


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (b"\xff", "\xff"),
        (0.12345678, 0.123457),
        (float("nan"), None),
        (float("inf"), None),
        ("\ud800", "?"),
        ("x" * 100_000, "x" * LONGEST + "..."),
        (True, "True"),
        (1 << 70, 1 << 70),
    ],
)
def test_values_are_plain(value: object, plain: object) -> None:
    """A-36: texts are short and are texts, numbers are numbers that every format has."""
    assert Records().record(logged(REQUEST, seconds=value))["seconds"] == plain
