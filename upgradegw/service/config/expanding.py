"""Texts of a configuration that stand for something else: ``${NAME}``, ``file:/path``, and names of files.

``${NAME}`` is a variable of the environment, in any text; ``$${`` stands for ``${``. A text that begins with ``file:``
is replaced by what that file holds, without its last newline: this is for secrets. Names of files are relative to the
file that names them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from msgspec import inspect

from upgradegw.service.config import kinds
from upgradegw.service.config.kinds import Path
from upgradegw.service.config.places import Source

_VARIABLE = re.compile(r"\$\$\{|\$\{([^}]*)\}?")
_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")
#: What a text begins with that stands for what a file holds.
_FILE = "file:"


def expanded(source: Source, environment: Mapping[str, str]) -> Any:
    """Return what a file says with all of this done.

    Args:
        source: The file.
        environment: The variables.

    Raises:
        UsageError: A variable is not there, or a file cannot be read.
    """
    return _Expanding(source, environment).value(source.raw, (), kinds.top())


class _Expanding:
    def __init__(self, source: Source, environment: Mapping[str, str]) -> None:
        self._source = source
        self._environment = environment

    def value(self, value: Any, path: Path, kind: inspect.Type | None) -> Any:
        """Return a value as it is meant; ``kind`` is what may stand there, None where that is not known."""
        if isinstance(value, dict):
            table = None if kind is None else kinds.table_of(kind)
            known = {} if table is None else {name: field.type for name, field in kinds.fields(table).items()}
            return {key: self.value(each, (*path, key), known.get(key)) for key, each in value.items()}
        if isinstance(value, list):
            return [self.value(each, (*path, number), kind) for number, each in enumerate(value)]
        return self._text(value, path, kind) if isinstance(value, str) else value

    def _text(self, text: str, path: Path, kind: inspect.Type | None) -> str:
        text = _VARIABLE.sub(lambda match: self._variable(match, path), text)
        words = None if kind is None else kinds.notes(kind).get("file")
        if words is not None:
            return text if text in words or not text else os.path.normpath(self._source.folder / text)
        return self._content(text.removeprefix(_FILE), path) if text.startswith(_FILE) else text

    def _variable(self, match: re.Match[str], path: Path) -> str:
        if match[0] == "$${":
            return "${"
        if not match[0].endswith("}") or not _NAME.fullmatch(match[1]):
            raise self._source.error(path, f"{match[0]!r} names no variable: write ${{NAME}}, or $${{ for these signs")
        if match[1] not in self._environment:
            raise self._source.error(path, f"the environment has no variable {match[1]}")
        return self._environment[match[1]]

    def _content(self, name: str, path: Path) -> str:
        try:
            text = (self._source.folder / name).read_bytes().decode()
        except (OSError, ValueError) as error:
            why = (getattr(error, "strerror", None) or "this is not UTF-8").lower()
            raise self._source.error(path, f"{_FILE}{name}: {why}") from None
        return text.removesuffix("\n").removesuffix("\r")
