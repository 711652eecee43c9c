"""Methods of one object replaced for a while: how a transport is watched without a wrapper around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Shadows:
    """Methods of one object replaced for a while, by attributes of the instance."""

    __slots__ = ("_kept", "_target")

    def __init__(self, target: Any) -> None:
        self._target = target
        self._kept: list[tuple[str, Any]] = []

    def cover(self, name: str, replacement: Callable[..., None]) -> Any:
        """Replace a method; return the one that was there, or None without touching anything if there is none."""
        original = getattr(self._target, name, None)
        if original is not None:
            self._kept.append((name, self._target.__dict__.get(name)))
            setattr(self._target, name, replacement)
        return original

    def lift(self) -> None:
        """Bring the original methods back."""
        kept, self._kept = self._kept, []
        for name, own in kept:
            if own is None:
                self._target.__dict__.pop(name, None)
            else:
                setattr(self._target, name, own)
