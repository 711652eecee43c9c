"""A configuration from its files: read, expanded and put together; or one line that says what is wrong."""

from __future__ import annotations

import os
import re
import tomllib
from codecs import BOM_UTF8
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import ValidationError, convert, structs
from twisted.python.usage import UsageError

from upgradegw.service.config.expanding import expanded
from upgradegw.service.config.model import Config, Table
from upgradegw.service.config.places import Source

#: Keys whose values in several files are put together.
_ADDED = ("listen", "route")
_WHERE = re.compile(r"(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.DOTALL)

#: What tomllib says of the commonest mistakes, said to somebody who does not know TOML's words.
_PLAINER = {
    "Invalid value": "a text stands in quotation marks; other values are numbers, true, false, […] and { key = … }",
    "Cannot overwrite a value": "this key is there already",
    "Illegal character '\\n'": "the text does not end in its line: a quotation mark is missing",
    "Expected '=' after a key in a key/value pair": "expected key = value, [table] or [[table]]",
}


def load(name: str, environment: Mapping[str, str] | None = None) -> Config:
    """Read a configuration and all that it includes; what keys say of one another is still to be checked.

    Args:
        name: The file.
        environment: The variables of ``${NAME}``; None for those of the process.

    Raises:
        UsageError: Something is wrong, in one line that names file, table and key.
    """
    sources: dict[Path, Source] = {}
    configs = _read(name, os.environ if environment is None else environment, sources)
    merged = _merged(list(sources.values()), configs)
    if merged.app_dir is None:
        merged = replaced(merged, app_dir=str(next(iter(sources.values())).folder))
    return merged


def _read(name: str, environment: Mapping[str, str], sources: dict[Path, Source]) -> list[Config]:
    """Read a file and those that it includes; the sources come in the same order."""
    path = Path(name).absolute()
    if path.resolve() in sources:
        raise UsageError(f"{name}: this file is included twice")
    source = sources[path.resolve()] = Source(name, path.parent, _parsed(name, path))
    if not source.raw and len(sources) == 1:
        raise UsageError(f"{name}: this file says nothing; write at least a [[listen]] or a [[route]]")
    config = _converted(source, expanded(source, environment))
    found = [config]
    for number, pattern in enumerate(config.include):
        for included in _matching(source, pattern, number):
            found += _read(included, environment, sources)
    return found


def _matching(source: Source, pattern: str, number: int) -> list[str]:
    """Return the files that a pattern means; there need not be one, unless it is a plain name."""
    try:
        if Path(pattern).is_absolute():
            found = sorted(Path(path) for path in Path("/").glob(pattern.lstrip("/")))
        else:
            found = sorted(source.folder.glob(pattern))
    except (ValueError, NotImplementedError) as error:
        raise source.error(("include", number), f"{pattern!r} is no pattern ({error})") from None
    if not found and not re.search(r"[*?\[]", pattern):
        raise source.error(("include", number), f"there is no file {pattern!r}")
    folder = Path(source.name).parent
    return [str(folder / os.path.relpath(path, source.folder)) for path in found if not path.is_dir()]


def _parsed(name: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().removeprefix(BOM_UTF8).decode())
    except OSError as error:
        raise UsageError(f"--config {name}: {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UsageError(f"{name}: line {line}: this is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        match = _WHERE.fullmatch(str(error))
        if match is None:
            raise UsageError(f"{name}: {error}") from None
        where = f"line {match['line']}, column {match['column']}" if match["line"] else "at the end"
        what = _PLAINER.get(match["what"], match["what"])
        raise UsageError(f"{name}: {where}: this is no TOML: {what}") from None


def _converted(source: Source, data: dict[str, Any]) -> Config:
    try:
        config = convert(data, Config)
    except ValidationError as error:
        raise source.explain(error) from None
    _place(config, source, data, ())
    return config


def _place(table: Table, source: Source, data: dict[str, Any], path: tuple[str | int, ...]) -> None:
    """Let a table, and those in it, know where they stand."""
    table.placed(source.place(path), {key: source.place((*path, key)) for key in data})
    for key, value in data.items():
        found = getattr(table, key)
        for number, each in enumerate(found if isinstance(found, tuple) else ()):
            if isinstance(each, Table):
                _place(each, source, value[number], (*path, key, number))
        if isinstance(found, Table):
            _place(found, source, value, (*path, key))


def _merged(sources: list[Source], configs: list[Config]) -> Config:
    """Put the files together.

    Raises:
        UsageError: Two of them set a key that there can be only once.
    """
    first, *others = configs
    changes: dict[str, Any] = {}
    setters = dict.fromkeys(sources[0].raw, sources[0])
    for source, config in zip(sources[1:], others, strict=True):
        for key in source.raw:
            if key in (*_ADDED, "include"):
                continue
            if key in setters:
                raise source.error((key,), f"{setters[key].name} has this key, too")
            setters[key] = source
            changes[key] = getattr(config, key)
    for key in _ADDED:
        changes[key] = tuple(each for config in configs for each in getattr(config, key))
    made = replaced(first, **changes)
    made.placed(first.where, {key: source.place((key,)) for key, source in setters.items()})
    return made


def replaced(config: Config, **changes: Any) -> Config:
    """Return a configuration with other values of some keys; where it stands is known as before."""
    made = structs.replace(config, **changes)
    made.placed(config.where, config.keys)
    return made
