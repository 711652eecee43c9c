"""Print the lowest version of each runtime dependency that pyproject.toml accepts, as constraints for pip.

What the extra ``speed`` brings is among them.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def lowest(requirement: str) -> str:
    """Turn ``Twisted[tls]>=24.11.0`` into ``Twisted==24.11.0``.

    Raises:
        ValueError: The requirement has no lower bound.
    """
    match = re.fullmatch(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?>=([0-9.]+)(?:,.*)?", requirement)
    if match is None:
        raise ValueError(f"{requirement!r} has no lower bound")
    return f"{match[1]}=={match[2]}"


if __name__ == "__main__":
    project = tomllib.loads(PROJECT.read_text())["project"]
    for line in [*project["dependencies"], *project["optional-dependencies"]["speed"]]:
        print(lowest(line))
