"""``${NAME}``, ``file:`` and names of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.service.config.files import loaded, mistake

ROUTE = '[[route]]\npath = "/"\n'


def test_variables(tmp_path: Path) -> None:
    """In any text, also within one, in lists and tables; $${ is none."""
    text = ROUTE + 'proxy = ["http://${HOST}:${PORT}"]\nheaders = { a = "$${HOST} ${HOST}$" }'
    (route,) = loaded(tmp_path, text, HOST="h", PORT="1").route
    assert (route.proxy, route.headers) == (("http://h:1",), {"a": "${HOST} h$"})


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("${NOWHERE}", "the environment has no variable NOWHERE"),
        ("${", "'${' names no variable: write ${NAME}, or $${ for these signs"),
        ("${A-B}", "'${A-B}' names no variable: write ${NAME}, or $${ for these signs"),
        ("file:nowhere", "file:nowhere: no such file or directory"),
        ("file:binary", "file:binary: this is not utf-8"),
    ],
)
def test_mistakes(tmp_path: Path, value: str, what: str) -> None:
    """Each names the key."""
    (tmp_path / "binary").write_bytes(b"\xff")
    expected = f'gateway.toml: [[route]] 1 (path "/"): key "proxy": {what}'
    assert mistake(tmp_path, ROUTE + f'proxy = "{value}"') == expected


def test_a_secret_is_not_repeated(tmp_path: Path) -> None:
    """What is wrong with an expanded text is told with the text of the file."""
    line = mistake(tmp_path, "stop_timeout = '${SECRET}'", SECRET="hidden")
    assert line.endswith('got "${SECRET}"')


@pytest.mark.parametrize(("content", "value"), [("x", "x"), ("x\n", "x"), ("x\r\n", "x"), ("x\n\n", "x\n"), ("", "")])
def test_secrets_in_files(tmp_path: Path, content: str, value: str) -> None:
    """The last newline, which editors put there, is no part of one; the name is relative to the file."""
    (tmp_path / "secret").write_bytes(content.encode())
    (route,) = loaded(tmp_path, ROUTE + 'static = "/"\nheaders = { a = "file:${NAME}" }', NAME="secret").route
    assert route.headers == {"a": value}


def test_files_are_relative_to_the_one_that_names_them(tmp_path: Path) -> None:
    """Wherever the server is started; words that are no files stay."""
    text = 'access_log = "-"\napp_dir = "a/../b"\n[[listen]]\nendpoint = "tcp:1"\ntls = { cert = "self-signed" }\n'
    text += '[[listen]]\nendpoint = "tcp:2"\ntls = { cert = "./self-signed", certs = [{ cert = "/x.pem" }] }\n' + ROUTE
    config = loaded(tmp_path, text + 'websocket = "a:b"\notherwise = { static = "s" }\nbasic_auth = { file = "f" }')
    one, two = (listen.tls for listen in config.listen)
    assert one is not None
    assert two is not None
    assert (config.access_log, config.app_dir) == ("-", f"{tmp_path}/b")
    assert (one.cert, two.cert, two.certs[0].cert) == ("self-signed", f"{tmp_path}/self-signed", "/x.pem")
    (route,) = config.route
    assert route.otherwise is not None
    assert route.basic_auth is not None
    assert (route.otherwise.static, route.basic_auth.file) == (f"{tmp_path}/s", f"{tmp_path}/f")
