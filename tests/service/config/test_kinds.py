"""What may stand at a key, in words."""

from __future__ import annotations

import datetime as dt

import pytest

from upgradegw.service.config import kinds


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (("stop_timeout",), "a number from 0 to 86400"),
        (("limits", "max_content"), 'a whole number, 0 or more or "none"'),
        (("limits", "stream_window"), "a whole number from 65535 to 2147483647"),
        (("limits", "head_timeout"), "a number above 0"),
        (("listen", 0, "tls_upgrade"), 'true or false or "required"'),
        (("listen",), "tables"),
        (("route", 0, "proxy"), "a text or a list of texts"),
        (("route", 3, "websocket"), "MODULE:ATTRIBUTE, as in myapp.chat:factory"),
        (("route", 3, "path"), "a text that begins with a slash"),
        (("route", 3, "health"), "a table"),
        (("route", 3, "headers"), "a table of texts"),
        (("route", 3, "upstream_http"), "one of 1, 2"),
    ],
)
def test_what_is_expected(path: kinds.Path, words: str) -> None:
    """Each kind of value has its words."""
    assert kinds.words(kinds.at(path)) == words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (1.5, "1.5"),
        ("é", '"é"'),
        ("x" * 99, '"' + "x" * 59 + "…"),
        ({}, "a table"),
        ([{}], "a list of tables"),
        ([], "a list"),
        (dt.date(2000, 1, 1), "a date or time"),
    ],
)
def test_what_was_read(value: object, text: str) -> None:
    """A short value is shown, a long one is named."""
    assert kinds.shown(value) == text


def test_an_unknown_step_stays_where_it_is_known() -> None:
    """The last table on the way knows what could stand there."""
    table = kinds.table_of(kinds.at(("route", 0, "basic_auth", "nowhere")))
    assert table is not None
    assert list(kinds.fields(table)) == ["file", "users", "realm"]
