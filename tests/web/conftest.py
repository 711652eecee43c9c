"""Fixtures of the tests of resources."""

from __future__ import annotations

from tests.web.short import ways

__all__ = ["ways"]
