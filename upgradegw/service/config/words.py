"""What several tables of the configuration have in common: kinds of values, and a table that knows where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct, structs

#: TOML has no null; "no limit" is written as this word.
NONE = "none"
NoLimit: TypeAlias = Literal["none"]

#: A number of seconds, and one that may not be zero.
Seconds: TypeAlias = Annotated[float, Meta(ge=0)]
Some: TypeAlias = Annotated[float, Meta(gt=0)]
Count: TypeAlias = Annotated[int, Meta(ge=0)]
AtLeastOne: TypeAlias = Annotated[int, Meta(ge=1)]

#: A file or folder, relative to the folder of the file that names it; in ``extra``, words that name no file.
File: TypeAlias = Annotated[str, Meta(min_length=1, extra={"file": ()})]
#: What ``resolving.load`` takes.
REFERENCE = r"^[^\s:]+:[^\s:]+$"
Reference: TypeAlias = Annotated[str, Meta(pattern=REFERENCE, examples=["myapp.chat:factory"])]
Text: TypeAlias = Annotated[str, Meta(min_length=1)]
Texts: TypeAlias = tuple[Text, ...]


def number(value: Any) -> Any:
    """Return a limit as our functions take it: None where the file says ``"none"``."""
    return None if value == NONE else value


class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """A table of the file. Two that say the same are equal, wherever they stand."""

    @property
    def where(self) -> str:
        """What to call the table in a message: ``gateway.toml: [[route]] 2 (path "/x")``, or options as typed."""
        return str(self.__dict__.get("where", ""))

    @property
    def typed(self) -> bool:
        """Whether the table was made of options, and is not one of a file."""
        return self.where.startswith("--")

    @property
    def keys(self) -> Mapping[str, str]:
        """The keys that are there, and what to call each in a message."""
        found: Mapping[str, str] = self.__dict__.get("keys", {})
        return found

    def at(self, key: str) -> str:
        """Return what to call a key in a message: ``gateway.toml: [[route]] 2 (path "/x"): key "proxy"``."""
        return self.keys.get(key) or (self.where if self.typed else f'{self.where}: key "{key}"')

    def placed(self, where: str, keys: Mapping[str, str]) -> None:
        """Remember where the table stands.

        Args:
            where: What to call it.
            keys: The keys that are there, and what to call each.
        """
        self.__dict__.update(where=where, keys=keys)

    def given(self, *names: str) -> dict[str, Any]:
        """Return the values of those keys that the file has, as keyword arguments; ``"none"`` becomes None."""
        values = ((name, getattr(self, name)) for name in names)
        return {name: number(value) for name, value in values if value is not None}

    def all(self) -> dict[str, Any]:
        """Return all keys as keyword arguments; ``"none"`` becomes None."""
        return {name: number(value) for name, value in structs.asdict(self).items()}
