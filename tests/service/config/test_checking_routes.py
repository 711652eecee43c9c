"""Keys of a route that contradict one another, or are of no use alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.service.config.files import loaded, mistake

ROUTE = '[[route]]\npath = "/x"\n'
WEBSOCKET = ROUTE + 'websocket = "a:b"\n'
STATIC = ROUTE + 'static = "."\n'
PROXY = ROUTE + 'proxy = "http://h"\n'
SECURE = ROUTE + 'proxy = "https://h"\n'
WHERE = 'gateway.toml: [[route]] 1 (path "/x"): '


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            ROUTE,
            (
                "this says nothing to serve; write one of websocket, upgrade, static, wsgi, resource, proxy, redirect,"
                " respond"
            ),
        ),
        (STATIC + 'proxy = "http://x"', 'key "proxy": this does not go with "static"'),
        (STATIC + "connect_timeout = 3", 'key "connect_timeout": this is of use only together with "proxy"'),
        (STATIC + "max_message_size = 3", 'key "max_message_size": this is of use only together with "websocket"'),
        (STATIC + "origins = []", 'key "origins": this is of use only together with "websocket" or "proxy"'),
        (
            STATIC + "max_connections = 3",
            'key "max_connections": this is of use only together with "websocket", "upgrade" or "proxy"',
        ),
        (STATIC + "otherwise = {}", 'key "otherwise": this is of use only together with "websocket" or "upgrade"'),
        (
            WEBSOCKET + 'static = "x"',
            (
                'key "static": this does not go with "websocket"; for what does not switch, write otherwise ='
                " { static = … }"
            ),
        ),
        (
            WEBSOCKET + "otherwise = {}",
            (
                'key "otherwise": this says nothing to serve; write one of static, wsgi, resource, proxy, redirect,'
                " respond"
            ),
        ),
        (
            WEBSOCKET + 'otherwise = { static = "x", respond = {} }',
            'key "otherwise.respond": this does not go with "static"',
        ),
        (ROUTE + "upgrade = { WebSocket = 'a:b' }", 'key "upgrade": for WebSocket there is the key "websocket"'),
        (ROUTE + "proxy = []", 'key "proxy": this list is empty'),
        (STATIC + "host = []", 'key "host": this list is empty'),
        (STATIC + "basic_auth = {}", 'key "basic_auth": write one of "file" and "users"'),
        (
            SECURE + 'upstream_tls = { key = "x" }',
            'key "upstream_tls.key": this is of use only together with "cert"',
        ),
        (PROXY + "upstream_tls = {}", 'key "upstream_tls": this is of use only together with an upstream of https://'),
        (
            PROXY + "upstream_http = 2",
            (
                'key "upstream_http": this is of use only together with an upstream of https://; for HTTP/2 without TLS'
                " write h2c://"
            ),
        ),
        (PROXY + "health = { interval = inf }", 'key "health.interval": expected a number, got inf'),
        (PROXY + "connect_timeout = nan", 'key "connect_timeout": expected a number above 0, got NaN'),
    ],
)
def test_contradictions(tmp_path: Path, text: str, line: str) -> None:
    """The line says which key cannot be, and why."""
    assert mistake(tmp_path, text) == WHERE + line


def test_networks(tmp_path: Path) -> None:
    """What is no network is a mistake; an empty list lets nobody in."""
    assert mistake(tmp_path, STATIC + 'allow = ["x"]').startswith(f"{WHERE}key \"allow\": 'x' is no network (")
    assert loaded(tmp_path, STATIC + "allow = []").route[0].allow == ()


@pytest.mark.parametrize(
    "text",
    [
        WEBSOCKET + "otherwise = { proxy = 'http://h' }\nconnect_timeout = 3\nmax_message_size = 3",
        SECURE + "upstream_http = 2\nupstream_tls = { verify = false }",
        PROXY + "upstream_http = 1",
        PROXY + "origins = []\nmax_connections = 3\nupgrades = []",
        ROUTE + "upgrade = { feed = 'a:b' }\nmax_connections = 3",
        ROUTE + "redirect = '/'",
        STATIC + "allow = ['unix', '::1']\nwrite_timeout = 3",
    ],
)
def test_what_goes_together(tmp_path: Path, text: str) -> None:
    """No key is refused where it is of use."""
    assert loaded(tmp_path, text).route[0].path == "/x"
