"""Who is connected: the open protocols of one upgrade, to be looked at and not to be changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Literal

#: What becomes of a client that does not read: its connection ends, or it goes without this message.
Slow = Literal["close", "skip"]


class Connections(AbstractSet[Any]):
    """The open protocols of one upgrade, in the order in which they were opened: a set that only we change.

    An iteration goes over those that were open when it began, so connections may open and close meanwhile. Protocols
    are told apart by identity, whatever ``==`` says of them. What ``&``, ``|``, ``-`` and ``^`` return is a frozenset.
    """

    __slots__ = ("_open",)

    def __init__(self, opened: Mapping[int, Any]) -> None:
        """Look at the open protocols.

        Args:
            opened: By ``id``; kept up to date by whoever opens and closes them.
        """
        self._open = opened

    def __contains__(self, protocol: object) -> bool:
        """Tell whether a protocol is open."""
        return id(protocol) in self._open

    def __iter__(self) -> Iterator[Any]:
        """Go over those that are open now."""
        return iter(tuple(self._open.values()))

    def __len__(self) -> int:
        """Return how many are open."""
        return len(self._open)

    def __repr__(self) -> str:
        """Say how many are open."""
        return f"<{len(self._open)} open connections>"

    @classmethod
    def _from_iterable(cls, it: Iterable[Any]) -> frozenset[Any]:
        return frozenset(it)


def check_slow(slow: str) -> None:
    """Raise ValueError unless it says what becomes of a client that does not read."""
    if slow not in ("close", "skip"):
        raise ValueError(f"slow={slow!r} must be 'close' or 'skip'")


def choose(connections: Iterable[Any], where: Callable[[Any], bool] | None) -> list[Any]:
    """Return those for which ``where`` is true, asked for all before anything is done; all without it."""
    return list(connections) if where is None else [protocol for protocol in connections if where(protocol)]
