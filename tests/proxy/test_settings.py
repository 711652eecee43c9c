"""The bounds of an upstream: what makes no sense is refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from upgradegw.proxy.settings import UpstreamSettings


@pytest.mark.parametrize(
    "good",
    [
        {},
        {"connect_timeout": 0.1, "response_timeout": None, "read_timeout": None, "idle_timeout": 1},
        {"max_head": 1, "max_interim": 0, "max_idle": 0},
        {"http_version": 2},
        {"cert": "a.pem"},
        {"cert": "a.pem", "key": "a.key", "ca": "ca.pem"},
        {"verify": False, "server_name": "a.example"},
    ],
)
def test_settings(good: dict[str, Any]) -> None:
    """The edges are allowed."""
    assert UpstreamSettings(**good) == UpstreamSettings(**good)


@pytest.mark.parametrize(
    "wrong",
    [
        {"connect_timeout": None},
        {"connect_timeout": 0},
        {"response_timeout": -1},
        {"read_timeout": float("nan")},
        {"read_timeout": float("inf")},
        {"idle_timeout": None},
        {"idle_timeout": True},
        {"idle_timeout": "5"},
        {"max_head": 0},
        {"max_head": 1.5},
        {"max_interim": -1},
        {"max_idle": -1},
        {"max_idle": None},
        {"http_version": 3},
        {"key": "a.key"},
        {"ca": "ca.pem", "verify": False},
    ],
)
def test_what_makes_no_sense(wrong: dict[str, Any]) -> None:
    """It is refused with the name of what is wrong."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        UpstreamSettings(**wrong)
