"""Where streams are."""

from __future__ import annotations

from upgradegw.http2.streams import Place, Streams


def test_places() -> None:
    """RFC 9113 section 5.1: idle, there, reset by us, ended, or passed over."""
    streams: Streams[str] = Streams()
    assert streams.place(1) is Place.IDLE
    for number in (1, 3, 9):
        streams.open(number)
        streams.add(number, f"stream {number}")
    assert streams.place(3) is Place.LIVE
    assert [streams.place(number) for number in (5, 7)] == [Place.SKIPPED] * 2
    assert [streams.place(number) for number in (2, 8, 10, 11)] == [Place.IDLE] * 4
    streams.abandon(3)
    assert streams.place(3) is Place.ABANDONED
    streams.close(3)
    streams.close(1)
    assert [streams.place(1), streams.place(3)] == [Place.CLOSED] * 2
    assert streams.live == {9: "stream 9"}
    assert streams.highest == 9


def test_what_is_remembered_is_bounded() -> None:
    """A client cannot make us remember more than a thousand resets and a few gaps."""
    streams: Streams[str] = Streams()
    for number in range(1, 20_000, 4):
        streams.open(number)
        streams.abandon(number)
    assert streams.place(19_997) is Place.ABANDONED
    assert streams.place(1) is Place.CLOSED
    assert streams.place(19_995) is Place.SKIPPED
    assert streams.place(3) is Place.CLOSED
