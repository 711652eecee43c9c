"""Warnings: what is allowed and hardly ever meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.service.config.files import loaded
from upgradegw.service.config.warnings import warnings

PROXY = '[[route]]\npath = "/"\nproxy = "https://h"\n'


@pytest.mark.parametrize("token", ["tcp", "TCP", "*"])
def test_a_connection_for_everybody(tmp_path: Path, token: str) -> None:
    """Whoever gets a connection of its own to a Docker daemon has its machine."""
    ((place, text),) = warnings(loaded(tmp_path, PROXY + f'upgrades = ["websocket", "{token}"]'))
    assert place == f'{tmp_path}/gateway.toml: [[route]] 1 (path "/"): key "upgrades"'
    assert text == (
        f'"{token}" gives every client a connection of its own to the upstream, and nothing says who may: name one of'
        " allow, basic_auth, forward_auth, authorize"
    )


@pytest.mark.parametrize(
    "more",
    [
        'upgrades = ["tcp"]\nallow = ["::1"]',
        'upgrades = ["tcp"]\nauthorize = "a:b"',
        'upgrades = ["tcp"]\nforward_auth = "http://h"',
        'upgrades = ["tcp"]\nbasic_auth = { file = "f" }',
        'upgrades = ["feed"]',
        "",
    ],
)
def test_somebody_says_who_may(tmp_path: Path, more: str) -> None:
    """Then there is nothing to warn of."""
    assert list(warnings(loaded(tmp_path, PROXY + more))) == []


def test_an_upstream_that_nobody_checks(tmp_path: Path) -> None:
    """TLS that is not verified protects from nobody who is in between."""
    ((place, text),) = warnings(loaded(tmp_path, PROXY + "upstream_tls = { verify = false }"))
    assert place.endswith('key "upstream_tls.verify"')
    assert 'name its authority with "ca" instead' in text


def test_a_path_as_others_write_it(tmp_path: Path) -> None:
    """In other configurations a star stands for all below; here it would match nothing but a star."""
    text = '[[route]]\npath = "/api/*"\nstatic = "."\n'
    ((place, text),) = warnings(loaded(tmp_path, text))
    assert place.endswith('key "path"')
    assert "without a star" in text
