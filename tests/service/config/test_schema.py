"""The JSON Schema: what is shipped is what the model says, and it judges as the gateway does."""

from __future__ import annotations

import json
import runpy
import sys
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError

from upgradegw.service.config import schema
from upgradegw.service.config.reference import GROUPS

SHIPPED = Path(schema.__file__).with_name("schema.json")
VALIDATOR = Draft202012Validator(json.loads(SHIPPED.read_text()))

RIGHT = """
include = ["x"]
[[listen]]
endpoint = "tcp:1"
tls_upgrade = "required"
[[route]]
path = "/x"
proxy = ["http://a", "http://b"]
max_content = "none"
health = { path = "/" }
forward_auth = "http://a"
[limits]
timeout = "none"
"""


def test_what_is_shipped_is_made_from_the_model() -> None:
    """``python docs/update_tables.py`` writes it."""
    assert SHIPPED.read_text() == schema.made()


def test_it_is_a_schema() -> None:
    """By the rules of its own dialect; null, which TOML has not, is nowhere."""
    Draft202012Validator.check_schema(VALIDATOR.schema)
    assert '"null"' not in SHIPPED.read_text().replace('\\\\"null\\\\"', "")
    assert {kind.__name__ for kind in GROUPS.values()} - {"Plain", "Proxied", "Guarded", "Bounded"} <= set(
        VALIDATOR.schema["$defs"]
    )


@pytest.mark.parametrize("wrong", ["", "zzz = 1\n", "stop_timeout = 'x'\n", "stop_timeout = 1e9\n"])
def test_it_judges(wrong: str) -> None:
    """A right file passes, a misspelt key and a wrong value do not."""
    file = tomllib.loads(wrong + RIGHT)
    if not wrong:
        VALIDATOR.validate(file)
        return
    with pytest.raises(ValidationError):
        VALIDATOR.validate(file)


def test_it_can_be_printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """For an editor that wants a file."""
    monkeypatch.delitem(sys.modules, schema.__name__)
    runpy.run_module(schema.__name__, run_name="__main__")
    assert capsys.readouterr().out == schema.made()
