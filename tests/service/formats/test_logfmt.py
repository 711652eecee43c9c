"""The format ``logfmt``: pairs that can be told apart, whatever clients send."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.service.formats.events import ALL, END, HOSTILE, REQUEST, logged
from tests.service.formats.reading import read
from upgradegw.service.formats.escaping import LONGEST
from upgradegw.service.formats.logfmt import Logfmt, pairs


def test_an_end() -> None:
    """What stands in a line; a field that is None does not."""
    assert Logfmt().line(logged(END)) == (
        "time=2026-11-22T10:42:00.937Z event=end connection_id=c1 client=192.0.2.7 path=/ws token=websocket"
        " http_version=HTTP/2 seconds=60.0 bytes_in=7 bytes_out=9 close_code=1001 reason=closed"
    )


@pytest.mark.parametrize("event", ALL, ids=lambda event: event["event"])
def test_every_kind_can_be_read_back(event: dict[str, Any]) -> None:
    """The pairs have the event's fields; Twisted's log gets the same."""
    form = Logfmt()
    found = read(form.line(logged(event)))
    assert found.pop("time") == "2026-11-22T10:42:00.937Z"
    assert found == {name: str(value) for name, value in event.items() if value is not None}
    assert form.message(logged(event)) == form.line(logged(event))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a b", '"a b"'),
        ("", '""'),
        ("a=b", '"a=b"'),
        ('a"', r'"a\""'),
        ("a\n", r'"a\n"'),
        ("\xe5", r'"\u00e5"'),
        (3, "3"),
    ],
)
def test_quoting(value: object, written: str) -> None:
    """Only what needs quotation marks has some."""
    assert pairs({"name": value}) == f"name={written}"


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values(value: str) -> None:
    """A-36: no value ends, adds a line or a pair, or reaches a terminal; and each can be read back."""
    line = Logfmt().line(logged(REQUEST, target=value, user_agent=value))
    found = read(line)
    assert found["target"] == found["user_agent"] == (value if len(value) < LONGEST else value[:LONGEST] + "...")
    assert found["status"] == "200"
    assert all(" " <= character < "\x7f" for character in line)


@given(st.text(max_size=LONGEST) | st.binary(max_size=LONGEST).map(lambda value: value.decode("latin-1")))
def test_any_text_can_be_read_back(value: str) -> None:
    """A-36: also bytes that are no UTF-8, each of them a character."""
    line = Logfmt().line(logged(REQUEST, user_agent=value))
    assert read(line)["user_agent"] == value
    assert all(" " <= character < "\x7f" for character in line)
