"""The JSON Schema of the configuration, for editors: made from the model, shipped beside it as ``schema.json``.

``python -m upgradegw.service.config.schema`` prints it.
"""

from __future__ import annotations

import json
from inspect import cleandoc
from typing import Any

from msgspec.json import schema

from upgradegw.service.config.model import Config

_NULL = {"type": "null"}


def made() -> str:
    """Return the schema, as it stands in ``schema.json``."""
    found = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of upgradegw",
        **_tidy(schema(Config)),
    }
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def _tidy(part: Any) -> Any:
    """Take out null, which TOML has not: a key that is not given is not there."""
    if isinstance(part, list):
        return [_tidy(each) for each in part]
    if not isinstance(part, dict):
        return part
    found = {key: _tidy(value) for key, value in part.items() if not (key == "default" and value is None)}
    if "anyOf" in found:
        others = [each for each in found.pop("anyOf") if each != _NULL]
        found = {**others[0], **found} if len(others) == 1 else {"anyOf": others, **found}
    if isinstance(found.get("enum"), list):
        found["enum"] = [value for value in found["enum"] if value is not None]
    if isinstance(found.get("description"), str):
        # Docstrings lose their indentation in Python 3.13 only.
        found["description"] = cleandoc(found["description"])
    return found


if __name__ == "__main__":
    print(made(), end="")  # noqa: T201 - this is the command's output
