"""Which certificate for which name: what a client says with SNI (RFC 6066 section 3) finds its OpenSSL context."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class ServerNames(Generic[T]):
    """A table of names, those with a wildcard among them."""

    def __init__(self, entries: Iterable[tuple[Iterable[str], T]]) -> None:
        """Make the table; of two entries for one name the first counts.

        Args:
            entries: Names as certificates have them, beyond ASCII in the form that begins with ``xn--``, and what
                they stand for.
        """
        self._exact: dict[bytes, T] = {}
        self._below: dict[bytes, T] = {}
        for names, found in entries:
            for name in names:
                label, _, parent = name.lower().partition(".")
                if label == "*" and parent:
                    self._below.setdefault(parent.encode("utf-8"), found)
                elif "*" not in name:  # RFC 9525 section 6.3: a wildcard is the whole of the leftmost label
                    self._exact.setdefault(name.lower().encode("utf-8"), found)

    def find(self, name: bytes | None) -> T | None:
        """Return what a name stands for, or None; the name itself before a wildcard.

        Args:
            name: What the client sent: anything, in any case of letters.
        """
        if not name:
            return None
        name = name.lower()
        found = self._exact.get(name)
        if found is None:
            label, _, parent = name.partition(b".")
            if label:  # a wildcard stands for one label, no more and no less
                found = self._below.get(parent)
        return found
