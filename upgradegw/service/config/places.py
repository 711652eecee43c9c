"""One file that has been read: what to call a place in it, and what is wrong there."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from msgspec import ValidationError, inspect
from twisted.python.usage import UsageError

from upgradegw.service.config import kinds
from upgradegw.service.config.kinds import Path

#: How msgspec says where something is wrong: ``… - at `$.route[0].proxy```.
_AT = re.compile(r"(?P<what>.*?)(?: - at (?:`key` in )?`\$(?P<path>.*)`)?", re.DOTALL)
_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<number>[0-9]+)\]")
#: The key that tells tables of a list from one another.
_NAMES = {"route": "path", "listen": "endpoint"}

#: So many keys at most are listed where one is not known.
_LONGEST_LIST = 12


@dataclass(frozen=True, slots=True)
class Source:
    """A file of the configuration.

    Attributes:
        name: As it was named, for messages.
        folder: Where it lies.
        raw: What it says, as TOML has it.
    """

    name: str
    folder: FilePath
    raw: dict[str, Any]

    def value(self, path: Path) -> Any:
        """Return what stands at a path."""
        found: Any = self.raw
        for step in path:
            found = found[step]
        return found

    def table(self, path: Path) -> tuple[str, Path]:
        """Return what to call the table that a path leads into, and what is left of the path."""
        if len(path) > 1 and isinstance(path[1], int) and isinstance(self.value(path[:2]), dict):
            key = _NAMES.get(str(path[0]), "")
            name = self.value(path[:2]).get(key)
            told = f" ({key} {kinds.shown(name)})" if isinstance(name, str) else ""
            return f"{self.name}: [[{path[0]}]] {path[1] + 1}{told}", path[2:]
        if path and isinstance(self.raw.get(str(path[0])), dict):
            return f"{self.name}: [{path[0]}]", path[1:]
        return self.name, path

    def place(self, path: Path) -> str:
        """Return what to call a place: ``gateway.toml: [[route]] 2 (path "/x"): key "proxy"``."""
        table, rest = self.table(path)
        if not rest:
            return table
        key = "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in rest)
        return f'{table}: key "{key[1:]}"'

    def error(self, path: Path, what: str) -> UsageError:
        """Return the error that something is wrong at a place."""
        return UsageError(f"{self.place(path)}: {what}")

    def explain(self, error: ValidationError) -> UsageError:
        """Turn an error of msgspec's into ours."""
        match = _AT.fullmatch(str(error))
        assert match is not None  # noqa: S101 - it takes any text
        path = self._known(match["path"] or "")
        key = (re.findall("`([^`]*)`", match["what"]) or [""])[0]
        if "unknown field" in match["what"]:
            return self.error((*path, key), f"there is no such key{self._meant(path, key)}")
        if "missing required field" in match["what"]:
            return self.error((*path, key), f"this is missing: {kinds.words(kinds.at((*path, key)))}")
        got, kind = self.value(path), kinds.at(path)
        if path and path[-1] in _NAMES and isinstance(got, dict):
            return UsageError(f"{self.name}: write [[{path[-1]}]], with two brackets, instead of [{path[-1]}]")
        if isinstance(got, dict) and kinds.table_of(kind) is None:
            wrong = next((key for key, value in got.items() if not isinstance(value, str) or not value), "")
            return self.error((*path, wrong), f"expected a text, got {kinds.shown(got.get(wrong))}")
        if isinstance(got, str) and kinds.is_text(kind):
            return self.error(path, "this is empty")
        return self.error(path, f"expected {kinds.words(kind)}, got {kinds.shown(got)}{_instead(kind, got)}")

    def _known(self, text: str) -> Path:
        """Read a path of msgspec's, as far as it names keys and numbers."""
        found: list[str | int] = []
        position = 0
        while (match := _STEP.match(text, position)) is not None:
            found.append(match["name"] or int(match["number"]))
            position = match.end()
        return tuple(found)

    @staticmethod
    def _meant(path: Path, key: str) -> str:
        table = kinds.table_of(kinds.at(path))
        names = list(kinds.fields(table)) if table is not None else []
        for name, field in kinds.fields(kinds.top()).items():
            other = kinds.table_of(field.type)
            if other is not None and key in kinds.fields(other):
                several = any(isinstance(each, inspect.VarTupleType) for each in kinds.members(field.type))
                return f"; it is one of {f'[[{name}]]' if several else f'[{name}]'}"
        if key in kinds.fields(kinds.top()):
            return "; it stands at the top of the file, before all tables"
        close = difflib.get_close_matches(key.replace("-", "_"), names, n=1)
        if close:
            return f'; did you mean "{close[0]}"?'
        return f"; there are {', '.join(names)}" if path and 0 < len(names) <= _LONGEST_LIST else ""


def _instead(kind: inspect.Type, got: Any) -> str:
    """Say how to write what was probably meant; nothing, if that cannot be told."""
    table = kinds.table_of(kind)
    if table is not None and not isinstance(got, dict | list) and len(kinds.fields(table)) <= _LONGEST_LIST:
        return f"; its keys are {', '.join(kinds.fields(table))}"
    if isinstance(got, str) and kinds.is_list(kind):
        return f"; write [{kinds.shown(got)}]"
    if isinstance(got, str) and kinds.is_number(kind) and got[:1].isdigit():
        return "; write a number without quotation marks and without a unit"
    return ""
