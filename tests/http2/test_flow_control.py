"""Windows, counted without a connection."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from upgradegw.http2.windows import FIRST_WINDOW, MOST, Inbound, Outbound


def test_an_inbound_window() -> None:
    """H2-09: there is room for as many bytes as were announced, and for one more there is none."""
    window = Inbound(10)
    assert window.receive(0)
    assert window.receive(10)
    assert not window.receive(1)


def test_when_it_is_opened() -> None:
    """EC-09: half a window is given back at once, less only to a client that can send nothing."""
    window = Inbound(65_536)
    assert window.receive(40_000)
    assert window.take(32_767) == 0
    assert window.take(1) == 32_768
    window = Inbound(65_536)
    assert window.receive(65_536)
    assert window.take(1024) == 0
    assert window.take(1) == 1025


@given(st.integers(1, 100_000), st.lists(st.tuples(st.booleans(), st.integers(0, 20_000))))
def test_no_more_is_given_back_than_was_taken(size: int, steps: list[tuple[bool, int]]) -> None:
    """H2-09: whatever comes and is taken, what may be on the way and wait never exceeds the window."""
    window, waiting, credit = Inbound(size), 0, size
    for arrives, most in steps:
        if arrives:
            number = min(most, credit)
            assert window.receive(number)
            waiting, credit = waiting + number, credit - number
        else:
            number = min(most, waiting)
            waiting -= number
            credit += window.take(number)
        assert waiting + credit <= size
    assert credit or waiting or size < 4


def test_outbound_windows() -> None:
    """H2-09: the smaller of a stream's window and the connection's counts; either may be opened, but not too far."""
    windows = Outbound()
    windows.add(1, 100)
    windows.add(3, 1 << 20)
    assert (windows.room(1), windows.room(3)) == (100, FIRST_WINDOW)
    windows.send(1, 100)
    assert (windows.room(1), windows.room(3)) == (0, FIRST_WINDOW - 100)
    assert windows.open(1, 5)
    assert windows.room(1) == 5
    assert windows.open(0, MOST - FIRST_WINDOW + 100)
    assert not windows.open(0, 1)
    assert windows.open(3, MOST - (1 << 20))
    assert not windows.open(3, 1)


def test_windows_that_change() -> None:
    """H2-09, A-22: SETTINGS make windows negative, but not too large; streams that are gone do not count."""
    windows = Outbound()
    windows.add(1, 100)
    windows.add(3, 200)
    assert windows.change(-150)
    assert (windows.room(1), windows.room(3)) == (-50, 50)
    assert windows.change(MOST - 50)
    windows.open(3, 0)
    assert not windows.change(1)
    windows.remove(3)
    windows.remove(3)
    assert windows.change(1)
