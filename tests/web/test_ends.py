"""What is done when a switched connection is gone."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.task import Clock

from upgradegw.events import access_events
from upgradegw.interfaces import EndSummary
from upgradegw.web.admission import Place
from upgradegw.web.ends import Closing, End, LoggedEnd

SUMMARY = EndSummary(1, 2, 1000, "closed")


class Notes(Place):
    """A connection, a place, a table and a transport that note what they are told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def ended(self) -> None:
        self.told.append("ended")

    def leave(self) -> None:
        self.told.append("left")

    def release(self) -> None:
        self.told.append("released")

    def remove(self) -> None:
        self.told.append("removed")

    def unregisterProducer(self) -> None:
        raise RuntimeError("there is none")

    def loseConnection(self) -> None:
        self.told.append("closed")


@pytest.mark.parametrize("shown", [False, True])
def test_what_was_used_is_given_back(shown: bool) -> None:
    """The connection is no longer counted, the place is free, the protocol let go of, and the table has one less."""
    notes: Any = Notes()
    End(notes, notes, notes.release, notes if shown else None)(lambda: SUMMARY)
    assert notes.told == ["ended", "left", "released", "removed"][: 4 if shown else 3]


def test_the_log() -> None:
    """Where somebody listens, the end is an event that says what the switch has said, and how it went."""
    notes: Any = Notes()
    clock, events = Clock(), []
    end = LoggedEnd(notes, notes, notes.release, None, {"client": "a", "path": "/", "token": "t"}, clock)
    clock.advance(3)
    unsubscribe = access_events.subscribe(events.append)
    end(lambda: SUMMARY)
    unsubscribe()
    (event,) = events
    expected = {"event": "end", "client": "a", "seconds": 3, "bytes_in": 1, "bytes_out": 2, "close_code": 1000}
    assert {name: event[name] for name in expected} == expected
    assert notes.told == ["ended", "left", "released"]


def test_what_is_given_back_is_given_back_in_the_end() -> None:
    """How it went is asked before anything is given back; also where nobody can tell, it is."""
    notes: Any = Notes()
    end = LoggedEnd(notes, notes, notes.release, None, {}, Clock())

    def fail() -> EndSummary:
        notes.told.append("asked")
        raise RuntimeError("no idea")

    with pytest.raises(RuntimeError, match="no idea"):
        end(fail)
    assert notes.told == ["asked", "ended", "left", "released"]


def test_closing_in_order() -> None:
    """A protocol without a way of its own is closed behind what is written, also if no producer is registered."""
    notes = Notes()
    Closing(notes)(1001)
    assert notes.told == ["closed"]
