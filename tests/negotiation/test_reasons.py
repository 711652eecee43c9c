"""The reasons that stand in the log."""

from __future__ import annotations

import re

from upgradegw.negotiation.reasons import Reason


def test_names():
    """Every reason has a stable name in snake case, equal to its constant's, so that each can be found by the other."""
    for name, reason in Reason.__members__.items():
        assert re.fullmatch(r"[a-z0-9_]+", reason.value)
        assert name == reason.value.upper()


def test_hints():
    """Every reason says in one sentence what to look at."""
    for reason in Reason:
        assert reason.hint.endswith(".")
        assert len(reason.hint) > 20


def test_lookup():
    """A reason is found by its name, which is how documentation and metrics refer to it."""
    assert Reason("bad_key") is Reason.BAD_KEY
