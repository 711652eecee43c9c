"""What waits to be sent leaves at the end of the event."""

from __future__ import annotations

from tests.reactor.memory import MemoryLoop
from upgradegw.reactor.outbox import Outbox


class Sender:
    """Remembers, and may ask again while it is flushed."""

    def __init__(self, flushed: list[Sender], box: Outbox | None = None) -> None:
        self.flushed = flushed
        self.box = box

    def flush(self) -> None:
        self.flushed.append(self)
        if self.box is not None:
            box, self.box = self.box, None
            box.add(self)


def test_all_are_flushed_in_their_order_at_the_end_of_the_turn() -> None:
    """One call of the loop serves all."""
    loop = MemoryLoop()
    box = Outbox(loop)  # type: ignore[arg-type]
    flushed: list[Sender] = []
    senders = [Sender(flushed), Sender(flushed)]
    for sender in senders:
        box.add(sender)
    assert (len(loop.soon), flushed) == (1, [])
    loop.turn()
    assert (flushed, box.waiting, box.expected) == (senders, [], False)


def test_nothing_is_scheduled_if_somebody_will_flush() -> None:
    """As while a read is handled."""
    loop = MemoryLoop()
    box = Outbox(loop)  # type: ignore[arg-type]
    box.expected = True
    box.add(Sender([]))
    assert loop.soon == []


def test_who_asks_again_while_it_is_flushed_is_flushed_again() -> None:
    """In the next turn, so that nobody holds the loop."""
    loop = MemoryLoop()
    box = Outbox(loop)  # type: ignore[arg-type]
    flushed: list[Sender] = []
    sender = Sender(flushed, box)
    box.add(sender)
    loop.turn()
    assert flushed == [sender]
    loop.turn()
    assert flushed == [sender, sender]
