"""The view of open protocols."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from upgradegw.protocols.connections import Connections, check_slow, choose


@dataclass
class Equal:
    """Equal to its like, and without a hash, as a protocol that is a dataclass."""

    name: str = "a"


def test_a_set_by_identity() -> None:
    """Protocols are members by identity: neither ``==`` nor a missing hash makes one stand for another."""
    one, other = Equal(), Equal()
    view = Connections({id(one): one})
    assert one in view
    assert other not in view
    assert "a" not in view
    assert (len(view), list(view)) == (1, [one])
    assert "1 open" in repr(view)


def test_set_operations() -> None:
    """What set operations return is a frozenset, and changes nothing."""
    one, other = object(), object()
    view = Connections({id(one): one, id(other): other})
    assert view - {one} == {other}
    assert isinstance(view & {one}, frozenset)
    assert view == {one, other}
    assert len(view) == 2
    assert not hasattr(view, "add")
    assert not hasattr(view, "discard")


def test_iterating_while_they_come_and_go() -> None:
    """An iteration goes over those that were there when it began."""
    opened = {number: object() for number in range(10)}
    before = list(opened.values())
    seen = []
    for protocol in Connections(opened):
        opened.clear()
        opened[1000 + len(seen)] = object()
        seen.append(protocol)
    assert seen == before


def test_choosing() -> None:
    """``where`` is asked for all before anybody is chosen; what it raises is the caller's."""
    assert choose([1, 2, 3], None) == [1, 2, 3]
    assert choose([1, 2, 3], lambda number: number > 1) == [2, 3]
    with pytest.raises(ZeroDivisionError):
        choose([1, 0], lambda number: bool(1 // number))


def test_slow() -> None:
    """There are two ways with clients that do not read, and a third word is an error."""
    check_slow("close")
    check_slow("skip")
    with pytest.raises(ValueError, match="'close' or 'skip'"):
        check_slow("wait")
