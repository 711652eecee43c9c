"""A user's module for every test here."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.service.gateway.support import application
from tests.web.short import ways

__all__ = ["app", "ways"]


@pytest.fixture(autouse=True)
def app(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of the user's, ``routed_app``."""
    return application(monkeypatch)
