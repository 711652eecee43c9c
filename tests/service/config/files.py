"""Configuration files for tests: written into a folder, loaded, and the one line that says what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.python.usage import UsageError

from upgradegw.service.config.checking import check
from upgradegw.service.config.loading import load
from upgradegw.service.config.model import Config


def loaded(folder: Path, text: str, **environment: str) -> Config:
    """Load and check a file that is right."""
    file = folder / "gateway.toml"
    file.write_text(text)
    config = load(str(file), environment)
    check(config)
    return config


def mistake(folder: Path, text: str, **environment: str) -> str:
    """Return what is said of a file that is wrong, without the folder."""
    with pytest.raises(UsageError) as caught:
        loaded(folder, text, **environment)
    line = str(caught.value)
    assert "\n" not in line
    return line.replace(f"{folder}/", "")
