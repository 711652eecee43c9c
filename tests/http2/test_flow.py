"""Whose turn it is."""

from __future__ import annotations

from upgradegw.http2.flow import Turns


class Sender:
    """Sends so many frames."""

    def __init__(self, name: str, frames: int, log: list[str], urgency: int = 3) -> None:
        self.name, self.frames, self.log, self.urgency = name, frames, log, urgency
        self.waiting = False

    def send(self) -> bool:
        self.log.append(self.name)
        self.frames -= 1
        return self.frames > 0


def run(turns: Turns[Sender], most: int = 100) -> None:
    """Let so many turns be had."""
    left = iter(range(most))
    turns.run(lambda: next(left, None) is not None, Sender.send)


def test_in_turns() -> None:
    """A stream that has much to send does not keep the others waiting."""
    log: list[str] = []
    turns: Turns[Sender] = Turns()
    for sender in (Sender("a", 4, log), Sender("b", 1, log), Sender("c", 2, log)):
        turns.add(sender)
        turns.add(sender)
    run(turns, 4)
    assert log == ["a", "b", "c", "a"]
    run(turns)
    assert log == ["a", "b", "c", "a", "c", "a", "a"]


def test_urgency() -> None:
    """RFC 9218 section 10: what is more urgent goes first, also when it comes later."""
    log: list[str] = []
    turns: Turns[Sender] = Turns()
    turns.add(Sender("late", 2, log, 7))
    turns.add(Sender("usual", 2, log))
    run(turns, 1)
    turns.add(Sender("now", 2, log, 0))
    run(turns)
    assert log == ["usual", "now", "now", "usual", "late", "late"]
