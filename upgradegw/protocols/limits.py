"""Limits as arguments: numbers above zero, or None for none."""

from __future__ import annotations


def check_limit(name: str, value: object, at_least: int = 0) -> None:
    """Raise ValueError unless a limit is None or a number above zero (and not below ``at_least``)."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0 or value < at_least:
        wanted = f"at least {at_least}" if at_least else "above 0"
        raise ValueError(f"{name}={value!r} must be a number {wanted}, or None for no limit")
