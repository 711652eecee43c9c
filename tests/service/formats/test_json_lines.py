"""The format ``json``: one object a line, whatever clients send."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.service.formats.events import ALL, END, HOSTILE, REQUEST, logged
from upgradegw.service.formats.escaping import LONGEST
from upgradegw.service.formats.json_lines import JsonLines


def strict(line: str) -> Any:
    """Read JSON, and nothing that is only nearly JSON."""

    def refuse(constant: str) -> Any:
        raise ValueError(constant)

    return json.loads(line, parse_constant=refuse)


def test_an_end() -> None:
    """What stands in a line."""
    assert JsonLines().line(logged(END)) == (
        '{"time":"2026-11-22T10:42:00.937Z","event":"end","connection_id":"c1","client":"192.0.2.7","path":"/ws",'
        '"token":"websocket","subprotocol":null,"http_version":"HTTP/2","seconds":60.0,"bytes_in":7,"bytes_out":9,'
        '"close_code":1001,"reason":"closed"}'
    )


@pytest.mark.parametrize("event", ALL, ids=lambda event: event["event"])
def test_every_kind_can_be_read_back(event: dict[str, Any]) -> None:
    """The object has the event's fields; Twisted's log gets the same."""
    form = JsonLines()
    read = strict(form.line(logged(event)))
    assert read.pop("time") == "2026-11-22T10:42:00.937Z"
    assert read == event
    assert form.message(logged(event)) == form.line(logged(event))


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values(value: str) -> None:
    """A-36: no value ends its string, adds a line or a field, or reaches a terminal; and each can be read back."""
    line = JsonLines().line(logged(REQUEST, target=value, user_agent=value))
    read = strict(line)
    assert read["target"] == read["user_agent"] == (value if len(value) < LONGEST else value[:LONGEST] + "...")
    assert read["status"] == 200
    assert all(" " <= character < "\x7f" for character in line)


@given(st.text(max_size=LONGEST) | st.binary(max_size=LONGEST).map(lambda value: value.decode("latin-1")))
def test_any_text_can_be_read_back(value: str) -> None:
    """A-36: also bytes that are no UTF-8, each of them a character."""
    line = JsonLines().line(logged(REQUEST, user_agent=value))
    assert strict(line)["user_agent"] == value
    assert all(" " <= character < "\x7f" for character in line)
