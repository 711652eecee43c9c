"""Values of clients in a log."""

from __future__ import annotations

import pytest

from upgradegw.service.formats.escaping import LONGEST, escape, shorten


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"\x1b]0;title\x07", r"\x1b]0;title\x07"),
        (b'a"b\\c', r"a\x22b\x5cc"),
        (b"a\r\nb", r"a\x0d\x0ab"),
        ("Å".encode(), r"\xc3\x85"),
        ("\u2028\U0001f600", r"\u2028\U0001f600"),
        (b"", "-"),
        (None, "-"),
        (1001, "1001"),
    ],
)
def test_escapes(value: object, shown: str) -> None:
    """A-36: what a terminal would act on is shown in hexadecimal."""
    assert escape(value) == shown


def test_long_values_are_cut() -> None:
    """A-36: no client fills the disk with one request's fields."""
    assert escape(b"x" * LONGEST) == "x" * LONGEST
    assert escape(b"x" * (LONGEST + 1)) == shorten("x" * (LONGEST + 1)) == "x" * LONGEST + "..."
