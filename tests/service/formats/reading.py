"""A reader of logfmt that takes nothing else."""

from __future__ import annotations

import json
import re

#: A pair as readers of logfmt find it: a name, and a value that is bare or quoted as in JSON.
PAIR = re.compile(r'([a-z0-9_-]+)=("(?:[^"\\]|\\.)*"|[^ "=]*)(?: |$)')


def read(line: str) -> dict[str, str]:
    """Read a line of logfmt; fails if anything of it is no pair."""
    found: dict[str, str] = {}
    at = 0
    while at < len(line):
        match = PAIR.match(line, at)
        assert match is not None, line[at:]
        name, value = match.groups()
        assert name not in found
        found[name] = json.loads(value) if value.startswith('"') else value
        at = match.end()
    return found
