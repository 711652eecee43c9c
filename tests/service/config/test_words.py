"""Tables: equal where they say the same, and aware of where they stand."""

from __future__ import annotations

import pytest

from upgradegw.service.config.model import Limits, Route, number


def test_no_limit_has_a_word() -> None:
    """TOML has no null."""
    assert [number(value) for value in ("none", 0, 3)] == [None, 0, 3]


def test_tables_that_say_the_same_are_equal_wherever_they_stand() -> None:
    """A route that only moved within its file has not changed."""
    one, other = Route(path="/x"), Route(path="/x")
    one.placed("a.toml: [[route]] 1", {"path": 'a.toml: [[route]] 1: key "path"'})
    other.placed("a.toml: [[route]] 2", {})
    assert one == other
    assert one != Route(path="/x", exact=True)


def test_messages_name_the_place() -> None:
    """A key of a file by table and key, one of the command line as it was typed."""
    table = Route(path="/x")
    table.placed("a.toml: [[route]] 1", {"path": "the path"})
    assert (table.where, table.at("path"), table.typed) == ("a.toml: [[route]] 1", "the path", False)
    assert table.at("proxy") == 'a.toml: [[route]] 1: key "proxy"'
    table.placed("--static /x=y", {})
    assert (table.at("static"), table.typed) == ("--static /x=y", True)


def test_tables_do_not_change() -> None:
    """What is in force cannot be altered behind anybody's back."""
    with pytest.raises(AttributeError):
        Route(path="/x").path = "/y"  # type: ignore[misc]


def test_arguments() -> None:
    """What was given becomes keyword arguments, and no limit becomes None."""
    route = Route(path="/x", max_content="none", ping_interval=3)
    assert route.given("max_content", "content_timeout", "ping_interval") == {"max_content": None, "ping_interval": 3}
    assert Limits(max_content="none").all() == Limits().all() | {"max_content": None}
