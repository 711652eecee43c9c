"""Defaults of options, told from values that were given: what is given on the command line wins over the file."""

from __future__ import annotations

from typing import Any


class Default(str):
    """The value of an option that was not given; twistd shows it with the option."""

    __slots__ = ()


def given(value: Any) -> bool:
    """Tell whether an option was given."""
    return value is not None and not isinstance(value, Default)
