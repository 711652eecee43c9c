"""The command line of the probe."""

from __future__ import annotations

import pytest

from upgradegw.probe.arguments import read


@pytest.mark.parametrize(
    ("url", "secure", "host", "port", "authority", "target"),
    [
        ("ws://a.example/ws", False, "a.example", 80, b"a.example", b"/ws"),
        ("wss://a.example", True, "a.example", 443, b"a.example", b"/"),
        ("http://a.example:8080/a?b=c#d", False, "a.example", 8080, b"a.example:8080", b"/a?b=c"),
        ("https://a.example:443/", True, "a.example", 443, b"a.example", b"/"),
        ("http://a.example:443/", False, "a.example", 443, b"a.example:443", b"/"),
        ("http://[::1]:8080/", False, "::1", 8080, b"[::1]:8080", b"/"),
        ("HTTP://A.example/%41 é", False, "a.example", 80, b"a.example", b"/%41%20%C3%A9"),
        ("http://bücher.example/", False, "xn--bcher-kva.example", 80, b"xn--bcher-kva.example", b"/"),
        ("localhost:8080/ws", False, "localhost", 8080, b"localhost:8080", b"/ws"),
    ],
)
def test_urls(url: str, secure: bool, host: str, port: int, authority: bytes, target: bytes) -> None:
    """A URL says where to connect to, whether with TLS, and what to ask for."""
    wish = read([url])
    assert (wish.secure, wish.host, wish.port, wish.authority, wish.target) == (secure, host, port, authority, target)


def test_defaults() -> None:
    """Without options it is the handshake of a WebSocket without an Origin."""
    wish = read(["ws://a/"])
    assert wish.is_websocket
    assert (wish.method, wish.fields, wish.origin, wish.subprotocols, wish.content) == (b"GET", (), None, (), None)
    assert (wish.http2, wish.insecure, wish.timeout) == (False, False, 10)
    assert not read(["ws://a/", "--token", "websocket/13"]).is_websocket


def test_fields_of_ones_own() -> None:
    """Fields are added as they are; Host takes the place of the URL's."""
    wish = read(["ws://a/", "-H", "Cookie: a=b", "--header", "Host: b.example", "--origin", "https://c.example"])
    assert (wish.fields, wish.authority, wish.origin) == (((b"Cookie", b"a=b"),), b"b.example", b"https://c.example")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "URL"),
        (["ftp://a/"], "no URL of http"),
        (["http:///x"], "no URL of http"),
        (["http://a:99999/"], "no host and port"),
        (["http://a_b\x7f/"], "must be a name"),
        (["http://user:pass@a/"], "Authorization"),
        (["ws://a/", "--token", "a b"], "no upgrade token"),
        (["ws://a/", "--token", "h2c"], "version of HTTP"),
        (["ws://a/", "-H", "nothing"], "'Name: value'"),
        (["ws://a/", "-H", "Upgrade: x"], "not the caller's"),
        (["ws://a/", "-H", "X: a\x1b"], "control characters"),
        (["ws://a/", "--subprotocol", "a b"], "--subprotocol a b"),
        (["ws://a/", "--timeout", "0"], "--timeout 0"),
        (["ws://a/", "--timeout", "nan"], "--timeout nan"),
        (["ws://a/", "--timeout", "x"], "--timeout"),
        (["ws://a/", "--method", "CONNECT"], "other than CONNECT"),
        (["ws://a/", "--http2", "--method", "POST"], "over HTTP/2"),
        (["ws://a/", "--http2", "--data", "x"], "no content"),
        (["ws://a/", "--token", "feed", "--subprotocol", "x"], "is WebSocket's"),
        (["ws://a/", "--time", "1"], "--time"),
        (["ws://a/", "b"], "b"),
    ],
)
def test_errors(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong is said in one line on standard error, with exit status 2."""
    with pytest.raises(SystemExit) as ended:
        read(arguments)
    assert ended.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert printed.err.startswith("upgradegw probe: ")
    assert words in printed.err


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    """``--help`` tells every option and the exit statuses."""
    with pytest.raises(SystemExit) as ended:
        read(["--help"])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert "usage: upgradegw probe" in printed
    assert "exit status is 0 if the server switched" in " ".join(printed.split())
