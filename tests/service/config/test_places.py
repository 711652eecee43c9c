"""What is wrong with a file: one line that names file, table and key, and what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.service.config.files import mistake

TWO = '[[route]]\npath = "/x"\nstatic = "."\n[[route]]\npath = "/y"\n'
SECOND = 'gateway.toml: [[route]] 2 (path "/y"): key '

QUOTES = "a text stands in quotation marks; other values are numbers, true, false, […] and { key = … }"
UNENDED = "the text does not end in its line: a quotation mark is missing"
EQUALS = "expected key = value, [table] or [[table]]"
UNITLESS = "write a number without quotation marks and without a unit"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = \n", "gateway.toml: line 1, column 5: this is no TOML: " + QUOTES),
        ("a = b\n", "gateway.toml: line 1, column 5: this is no TOML: " + QUOTES),
        ('a = "b\n', f"gateway.toml: line 1, column 7: this is no TOML: {UNENDED}"),
        ("a = 1\na = 2\n", "gateway.toml: line 2, column 6: this is no TOML: this key is there already"),
        ("listen 80;", f"gateway.toml: line 1, column 8: this is no TOML: {EQUALS}"),
        ("# nothing\n", "gateway.toml: this file says nothing; write at least a [[listen]] or a [[route]]"),
        ("\n[x", "gateway.toml: at the end: this is no TOML: Expected ']' at the end of a table declaration"),
        ("stop-timeout = 3", 'gateway.toml: key "stop-timeout": there is no such key; did you mean "stop_timeout"?'),
        ("max_head = 3", 'gateway.toml: key "max_head": there is no such key; it is one of [limits]'),
        ("endpoint = 3", 'gateway.toml: key "endpoint": there is no such key; it is one of [[listen]]'),
        ("zzz = 3", 'gateway.toml: key "zzz": there is no such key'),
        (
            'stop_timeout = "3"',
            'gateway.toml: key "stop_timeout": expected a number from 0 to 86400, got "3"; ' + UNITLESS,
        ),
        (
            "stop_timeout = 2000-01-01",
            'gateway.toml: key "stop_timeout": expected a number from 0 to 86400, got a date or time',
        ),
        ('[route]\npath = "/x"', "gateway.toml: write [[route]], with two brackets, instead of [route]"),
        ("route = 3", 'gateway.toml: key "route": expected tables, got 3'),
        ("limits = 3", 'gateway.toml: key "limits": expected a table, got 3'),
        (TWO + "proxy = 3", SECOND + '"proxy": expected a text or a list of texts, got 3'),
        (TWO + 'proxi = "x"', SECOND + '"proxi": there is no such key; did you mean "proxy"?'),
        (
            TWO + "stop_timeout = 3",
            SECOND + '"stop_timeout": there is no such key; it stands at the top of the file, before all tables',
        ),
        (
            TWO + 'redirect = { to = "/", status = 304 }',
            SECOND + '"redirect.status": expected one of 301, 302, 303, 307, 308, got 304',
        ),
        (TWO + 'proxy = ["x", 3]', SECOND + '"proxy[2]": expected a text, got 3'),
        (TWO + 'static = ""', SECOND + '"static": this is empty'),
        (TWO + "basic_auth = { users = { ann = 3 } }", SECOND + '"basic_auth.users.ann": expected a text, got 3'),
        (TWO + "basic_auth = { user = 3 }", SECOND + '"basic_auth.user": there is no such key; did you mean "users"?'),
        (TWO + "upgrade = { '' = 'a:b' }", SECOND + '"upgrade.": expected a text, got "a:b"'),
        (TWO + "headers = { a = 3 }", SECOND + '"headers.a": expected a text, got 3'),
        (TWO + 'max_content = "no"', SECOND + '"max_content": expected a whole number, 0 or more or "none", got "no"'),
        (TWO + 'websocket = "x"', SECOND + '"websocket": expected MODULE:ATTRIBUTE, as in myapp.chat:factory, got "x"'),
        ("[[route]]", 'gateway.toml: [[route]] 1: key "path": this is missing: a text that begins with a slash'),
        (
            TWO + 'connect_timeout = "5s"',
            SECOND + '"connect_timeout": expected a number above 0, got "5s"; ' + UNITLESS,
        ),
        (TWO + 'allow = "::1"', SECOND + '"allow": expected a list of texts, got "::1"; write ["::1"]'),
        (TWO + "basic_auth = 3", SECOND + '"basic_auth": expected a table, got 3; its keys are file, users, realm'),
        ("[admin]\nport = 3", 'gateway.toml: [admin]: key "port": there is no such key; there are endpoint, allow'),
        ("[admin]", 'gateway.toml: [admin]: key "endpoint": this is missing: a text'),
        (
            '[[listen]]\nendpoint = "tcp:1"\ntls = { certs = [{ cer = "x" }] }',
            (
                'gateway.toml: [[listen]] 1 (endpoint "tcp:1"): key "tls.certs[1].cer": there is no such key; did you'
                ' mean "cert"?'
            ),
        ),
    ],
)
def test_one_line(tmp_path: Path, text: str, line: str) -> None:
    """Of a misspelt key it says what was meant, of a wrong value what is expected."""
    assert mistake(tmp_path, text) == line
