"""What may stand at a key, taken from the model's types: in words, as tables, as names of files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, TypeAlias

from msgspec import inspect

from upgradegw.service.config.model import Config
from upgradegw.service.config.words import REFERENCE

#: Where a value stands: keys, and numbers of list items from 0.
Path: TypeAlias = tuple[str | int, ...]
#: The longest value that is repeated in a message.
_LONGEST_VALUE = 60
#: Texts by the pattern that they have to match.
_TEXTS = {
    None: "a text",
    "^/": "a text that begins with a slash",
    REFERENCE: "MODULE:ATTRIBUTE, as in myapp.chat:factory",
}


def members(kind: inspect.Type) -> Iterator[inspect.Type]:
    """Yield the types of which a value may be; None, which TOML has not, is left out."""
    if isinstance(kind, inspect.Metadata):
        yield from members(kind.type)
    elif isinstance(kind, inspect.UnionType):
        for each in kind.types:
            yield from members(each)
    elif not isinstance(kind, inspect.NoneType):
        yield kind


def notes(kind: inspect.Type) -> Mapping[str, Any]:
    """Return what ``Meta.extra`` says of a type or of one of its members."""
    if isinstance(kind, inspect.Metadata):
        return kind.extra or notes(kind.type)
    if isinstance(kind, inspect.UnionType):
        return next((found for found in map(notes, kind.types) if found), {})
    return {}


def description(field: inspect.Field) -> str:
    """Return what the model says of a key."""
    kind = field.type
    return str((kind.extra_json_schema or {}).get("description", "")) if isinstance(kind, inspect.Metadata) else ""


@cache
def top() -> inspect.StructType:
    """Return the type of the whole file."""
    found = inspect.type_info(Config)
    assert isinstance(found, inspect.StructType)  # noqa: S101 - it is one
    return found


def fields(table: inspect.StructType) -> dict[str, inspect.Field]:
    """Return the keys of a table."""
    return {field.name: field for field in table.fields}


def table_of(kind: inspect.Type) -> inspect.StructType | None:
    """Return the table that may stand there, or in a list there."""
    for each in members(kind):
        if isinstance(each, inspect.StructType):
            return each
        if isinstance(each, inspect.VarTupleType):
            found = table_of(each.item_type)
            if found is not None:
                return found
    return None


def at(path: Path) -> inspect.Type:
    """Return the type at a path; that of the last table or list that is known on the way there."""
    kind: inspect.Type = top()
    for step in path:
        for each in members(kind):
            if isinstance(step, int) and isinstance(each, inspect.VarTupleType):
                kind = each.item_type
                break
            if isinstance(step, str) and isinstance(each, inspect.StructType) and step in fields(each):
                kind = fields(each)[step].type
                break
        else:
            break
    return kind


def words(kind: inspect.Type) -> str:
    """Say what is expected."""
    found = [_words(each) for each in members(kind)]
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} or {found[-1]}"


def _words(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.LiteralType):
        values = [json.dumps(each) for each in kind.values]
        return values[0] if len(values) == 1 else f"one of {', '.join(values)}"
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        return ("a whole number" if isinstance(kind, inspect.IntType) else "a number") + _range(kind)
    if isinstance(kind, inspect.StrType):
        return _TEXTS[kind.pattern]
    if isinstance(kind, inspect.VarTupleType):
        if table_of(kind) is not None:
            return "tables"
        return "a list of texts"
    simple = {inspect.BoolType: "true or false", inspect.StructType: "a table", inspect.DictType: "a table of texts"}
    return simple[type(kind)]


def _range(kind: inspect.IntType | inspect.FloatType) -> str:
    if kind.ge is not None and kind.le is not None:
        return f" from {kind.ge:g} to {kind.le:g}" if kind.le < 1 << 20 else f" from {kind.ge} to {kind.le}"
    if kind.gt is not None:
        return f" above {kind.gt:g}"
    return "" if kind.ge is None else f", {kind.ge:g} or more"


def is_text(kind: inspect.Type) -> bool:
    """Tell whether any text that is not empty may stand there."""
    return any(isinstance(each, inspect.StrType) and each.pattern is None for each in members(kind))


def is_number(kind: inspect.Type) -> bool:
    """Tell whether a number may stand there."""
    return any(isinstance(each, inspect.IntType | inspect.FloatType) for each in members(kind))


def is_list(kind: inspect.Type) -> bool:
    """Tell whether a list of texts may stand there."""
    return any(isinstance(each, inspect.VarTupleType) and table_of(each) is None for each in members(kind))


def shown(value: object) -> str:
    """Show a value that was read."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list of tables" if value and all(isinstance(each, dict) for each in value) else "a list"
    if isinstance(value, str | bool | int | float):
        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
    return "a date or time"
