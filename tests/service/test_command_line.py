"""Quick routes of the command line, as tables of a configuration."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.python.usage import UsageError

from upgradegw.service.command_line import Wish, routes_of
from upgradegw.service.config.model import INSTALLED, Otherwise, Route


def routes(*options: str) -> tuple[Route, ...]:
    """Return the tables for options as they are typed."""
    return routes_of(Wish(*option.split(" ", 1)) for option in options)


def test_each_option_is_a_key() -> None:
    """And is what messages about that key repeat."""
    (route,) = routes("--wsgi /w/=a:b")
    assert route == Route(path="/w/", wsgi="a:b")
    assert (route.where, route.at("wsgi"), route.at("path")) == ("--wsgi /w/=a:b",) * 3
    assert routes("--proxy /=http://h?a=b") == (Route(path="/", proxy="http://h?a=b"),)
    assert routes("--resource /=a:b") == (Route(path="/", resource="a:b"),)


def test_folders_are_known_by_their_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The routes are the same when they are read again in another folder."""
    monkeypatch.chdir(tmp_path)
    assert routes("--static /=public") == (Route(path="/", static=f"{tmp_path}/public"),)


def test_options_for_one_path_are_one_route() -> None:
    """What does not switch gets the plain answer; a slash at the path's end makes no difference."""
    options = ("--websocket /a=a:ws", "--upgrade /a/=feed/2=a:feed", "--wsgi /a=a:app", "--upgrade /a=echo")
    (route, other) = routes("--wsgi /=a:root", *options)[::-1]
    upgrade = {"feed/2": "a:feed", "echo": INSTALLED}
    assert route == Route(path="/a", websocket="a:ws", upgrade=upgrade, otherwise=Otherwise(wsgi="a:app"))
    assert other.path == "/"
    assert [route.at(key) for key in ("websocket", "upgrade.feed/2", "upgrade.echo")] == [
        "--websocket /a=a:ws",
        "--upgrade /a/=feed/2=a:feed",
        "--upgrade /a=echo",
    ]
    assert route.otherwise is not None
    assert route.otherwise.at("wsgi") == "--wsgi /a=a:app"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--static /a=/", "--resource /a/=a:b"], "this path already has --static /a=/"),
        (["--proxy /=http://a", "--proxy /=http://b"], "this path already has --proxy /=http://a"),
        (["--websocket /a=a:b"] * 2, "this path already has an upgrade for the token websocket"),
        (["--upgrade /a=X=a:b", "--upgrade /a=x=a:c"], "this path already has an upgrade for the token x"),
        (["--static /a"], "write PATH=…, as in /chat=…"),
        (["--static /a="], "write PATH=…, as in /chat=…"),
        (["--static a=b"], "the path 'a' must begin with a slash"),
        (["--upgrade /a=fe ed=a:b"], "'fe ed' is no upgrade token"),
    ],
)
def test_mistakes_name_their_option(options: list[str], message: str) -> None:
    """The option that cannot be is repeated as it was typed."""
    with pytest.raises(UsageError) as caught:
        routes(*options)
    assert str(caught.value).startswith(f"{options[-1]}: {message}")
