"""What the command line says, as the tables of a configuration; a message about one repeats the option as typed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from twisted.python.usage import UsageError

from upgradegw.protocols.stream import parse_token
from upgradegw.service.config.model import INSTALLED, Otherwise, Route
from upgradegw.service.gateway.paths import Segments, parse_path


@dataclass(frozen=True, slots=True)
class Wish:
    """A route as the command line has it: ``--option value``."""

    option: str
    value: str

    def __str__(self) -> str:
        """As it was typed."""
        return f"{self.option} {self.value}"


def routes_of(wishes: Iterable[Wish]) -> tuple[Route, ...]:
    """Return the tables of quick routes: one for each path, in the order in which paths come first.

    Args:
        wishes: The options, with their values.

    Raises:
        UsageError: An option is malformed, or contradicts another one.
    """
    found: dict[Segments, _Quick] = {}
    for wish in wishes:
        try:
            path, target = _divide(wish.value)
            found.setdefault(parse_path(path), _Quick(path)).add(wish, target)
        except (UsageError, ValueError) as error:
            raise UsageError(f"{wish}: {error}") from None
    return tuple(each.table() for each in found.values())


def _divide(value: str) -> tuple[str, str]:
    path, separator, target = value.partition("=")
    if not separator or not target:
        raise UsageError("write PATH=…, as in /chat=…")
    return path, target


class _Quick:
    """The options for one path."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._wishes: dict[str, Wish] = {}
        self._websocket: str | None = None
        self._upgrade: dict[str, str] = {}
        self._plain: dict[str, Any] = {}

    def add(self, wish: Wish, target: str) -> None:
        """Add an option.

        Raises:
            UsageError: It contradicts an earlier one.
            ValueError: Its token is none.
        """
        key = wish.option.removeprefix("--")
        if key == "websocket":
            if self._websocket is not None:
                raise UsageError("this path already has an upgrade for the token websocket")
            self._websocket = target
        elif key == "upgrade":
            key = self._add_upgrade(target)
        else:
            self._add_plain(key, target)
        self._wishes[key] = wish

    def _add_upgrade(self, target: str) -> str:
        token, separator, reference = target.partition("=")
        wanted = parse_token(token)
        if any(wanted.matches(parse_token(other)) for other in self._upgrade):
            raise UsageError(f"this path already has an upgrade for the token {wanted}")
        self._upgrade[token] = reference if separator else INSTALLED
        return f"upgrade.{token}"

    def _add_plain(self, key: str, target: str) -> None:
        for other in self._plain:
            raise UsageError(f"this path already has {self._wishes[other]}")
        self._plain[key] = os.path.abspath(target) if key == "static" else target  # noqa: PTH100 - follows no links

    def table(self) -> Route:
        """Return the table."""
        first = str(next(iter(self._wishes.values())))
        keys = {key: str(wish) for key, wish in self._wishes.items()}
        switches = self._websocket is not None or bool(self._upgrade)
        otherwise = None
        if switches and self._plain:
            otherwise = Otherwise(**self._plain)
            otherwise.placed(first, {key: keys[key] for key in self._plain})
        plain = {} if switches else self._plain
        made = Route(path=self._path, websocket=self._websocket, upgrade=self._upgrade, otherwise=otherwise, **plain)
        made.placed(first, {**keys, "path": first})
        return made
