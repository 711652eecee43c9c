"""Print one of the README's two commands, so that what is run is what a reader would type.

A command is the one line of the fenced block behind ``<!-- command: NAME -->``.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"


def command(name: str, readme: str) -> str:
    """Return the command of that name.

    Raises:
        ValueError: The README has no such command, or its block is not exactly one line.
    """
    found: list[str] = re.findall(rf"<!-- command: {re.escape(name)} -->\n+```\w*\n(.*)\n```\n", readme)
    if len(found) != 1:
        raise ValueError(f"README.md has {len(found)} one-line commands named {name}")
    return found[0]


if __name__ == "__main__":
    print(command(sys.argv[1], README.read_text()))
