"""Names that clients send, and what they find."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upgradegw.service.server_names import ServerNames

TABLE = ServerNames(
    [
        (("a.example", "*.b.example"), 1),
        (("A.example", "x.b.example", "*.a.example", "f*.c.example", "*", "xn--bcher-kva.example"), 2),
    ]
)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (b"a.example", 1),
        (b"A.EXAMPLE", 1),
        (b"y.b.example", 1),
        (b"x.b.example", 2),
        (b"X.a.Example", 2),
        (b"xn--bcher-kva.example", 2),
        (b"b.example", None),
        (b"y.y.b.example", None),
        (b".b.example", None),
        (b"foo.c.example", None),
        (b"f*.c.example", None),
        (b"*", None),
        (b"example", None),
        (b"a.example.", None),
        (b"a.example\x00.evil.example", None),
        (b"", None),
        (None, None),
    ],
    ids=repr,
)
def test_names(name: bytes | None, found: int | None) -> None:
    """The name itself before a wildcard, a wildcard for one whole label, in any case; else nothing."""
    assert TABLE.find(name) == found


@given(st.binary(max_size=300))
def test_anything_may_come(name: bytes) -> None:
    """A-33: whatever a client sends in place of a name is looked up and not found; nothing fails."""
    assert TABLE.find(name) in {None, 1, 2}
