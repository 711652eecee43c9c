"""HTTP/2 from the asking side, against our own site in memory and against frames by hand."""

from __future__ import annotations

import pytest

from tests.http1.wire import connect
from tests.http2.client import frame, settings
from upgradegw.http2.asking import Asking, NotHttp2
from upgradegw.http2.frames import Kind
from upgradegw.negotiation.model import Fields
from upgradegw.protocols.stream import stream
from upgradegw.service.demonstration.echo import raw_echo_factory
from upgradegw.web.resource import UpgradeResource

HELLO = settings({8: 1})


def request(token: bytes = b"echo") -> Fields:
    return (
        (b":method", b"CONNECT"),
        (b":protocol", token),
        (b":scheme", b"http"),
        (b":path", b"/"),
        (b":authority", b"a.example"),
    )


def greeted(hello: bytes = HELLO) -> Asking:
    asking = Asking()
    asking.receive(hello)
    asking.unsent()
    return asking


def test_a_switch_and_its_end() -> None:
    """EC-02: our site switches, echoes on the stream and ends it; every byte is fed by itself."""
    wire = connect(UpgradeResource([stream("echo", raw_echo_factory())]))
    asking = Asking()

    def turn() -> None:
        before = len(wire.received)
        wire.send(asking.unsent())
        for byte in wire.received[before:]:
            asking.receive(bytes([byte]))

    turn()
    assert (asking.greeted, asking.extended_connect, asking.status) == (True, True, None)
    asking.ask(request())
    turn()
    assert (asking.status, asking.ended) == (200, False)
    asking.send(b"tea", end=True)
    turn()
    assert (asking.content, asking.ended, asking.ending) == (b"tea", True, None)
    asking.send(b"too late")  # is not sent, and no error


def test_no_extended_connect() -> None:
    """EC-01: without the setting, or with 0, a client may not ask."""
    for hello in (settings(), settings({8: 0})):
        assert (greeted(hello).greeted, greeted(hello).extended_connect) == (True, False)


def test_interim_responses_and_content() -> None:
    """A 103 before the answer is kept apart from it."""
    asking = greeted()
    asking.ask(request(), b"content")
    sent = asking.unsent()
    assert sent.endswith(frame(Kind.DATA, b"content", 0, 1))
    asking.receive(frame(Kind.HEADERS, b"\x08\x03103", 4, 1) + frame(Kind.HEADERS, b"\x8d", 4, 1))
    asking.receive(frame(Kind.DATA, b"not here", 1, 1))
    assert asking.interim == [(103, ())]
    assert (asking.status, asking.content, asking.ended, asking.ending) == (404, b"not here", True, None)


@pytest.mark.parametrize(
    ("ending", "name"),
    [
        (frame(Kind.RST_STREAM, (7).to_bytes(4, "big"), 0, 1), "REFUSED_STREAM"),
        (frame(Kind.RST_STREAM, (99).to_bytes(4, "big"), 0, 1), "99"),
        (frame(Kind.GOAWAY, bytes(4) + (11).to_bytes(4, "big")), "ENHANCE_YOUR_CALM"),
    ],
)
def test_endings(ending: bytes, name: str) -> None:
    """A reset and a GOAWAY are told by the names of RFC 9113 section 7."""
    asking = greeted()
    asking.ask(request())
    asking.receive(ending)
    assert (asking.ended, asking.ending) == (True, name)


@pytest.mark.parametrize("data", [bytes(40), b"\xff" * 40, b"SSH-2.0-x", frame(Kind.PING, bytes(8))])
def test_what_is_no_http_2(data: bytes) -> None:
    """H2-01: what does not begin with SETTINGS is found out by its first four bytes, however it is cut."""
    for segments in ([data], [data[at : at + 1] for at in range(4)]):
        asking = Asking()
        for segment in segments[:-1]:
            asking.receive(segment)
        with pytest.raises(NotHttp2, match="it begins with"):
            asking.receive(segments[-1])


def test_what_breaks_the_rules_later() -> None:
    """A frame against RFC 9113 is the same kind of failure."""
    with pytest.raises(NotHttp2):
        greeted().receive(frame(Kind.DATA, b"x", 0, 5))


def test_a_window_that_is_closed() -> None:
    """What the server's window has no room for goes when it opens, and the end of the stream behind it."""
    asking = greeted(settings({8: 1, 4: 0}))
    asking.ask(request())
    asking.unsent()
    asking.send(b"teapot", end=True)
    assert asking.unsent() == b""
    asking.receive(frame(Kind.WINDOW_UPDATE, (3).to_bytes(4, "big"), 0, 1))
    assert asking.unsent() == frame(Kind.DATA, b"tea", 0, 1)
    asking.receive(frame(Kind.WINDOW_UPDATE, (3).to_bytes(4, "big"), 0, 1))
    assert asking.unsent() == frame(Kind.DATA, b"pot", 1, 1)


def test_more_than_a_frame_holds() -> None:
    """What is longer than a frame may be is cut (RFC 9113 section 4.2)."""
    asking = greeted()
    asking.ask(request())
    asking.unsent()
    asking.send(bytes(20000))
    assert asking.unsent() == frame(Kind.DATA, bytes(16384), 0, 1) + frame(Kind.DATA, bytes(3616), 0, 1)


def test_nothing_may_be_pushed() -> None:
    """The preface forbids pushes, and one that comes all the same is not taken for the answer."""
    assert b"\x00\x02\x00\x00\x00\x00" in Asking().unsent()
    asking = greeted()
    asking.ask(request())
    with pytest.raises(NotHttp2):
        asking.receive(frame(Kind.PUSH_PROMISE, (2).to_bytes(4, "big") + b"\x82\x86\x84\x01\x01a", 4, 1))


def test_no_room_for_a_stream() -> None:
    """A server that allows no stream is told from one that does."""
    assert (greeted().has_room, greeted(settings({8: 1, 3: 0})).has_room) == (True, False)


@pytest.mark.parametrize("status", [b"abc", b"20", b"1000", b"1xx", b"-20"])
def test_a_status_that_is_none(status: bytes) -> None:
    """A status is three digits (RFC 9110 section 15), whatever HTTP/2 would carry."""
    asking = greeted()
    asking.ask(request())
    with pytest.raises(NotHttp2, match="status"):
        asking.receive(frame(Kind.HEADERS, b"\x08" + bytes([len(status)]) + status, 4, 1))


def test_interim_responses_without_end() -> None:
    """Only a few interim responses are kept."""
    asking = greeted()
    asking.ask(request())
    with pytest.raises(NotHttp2, match="more than 10 interim responses"):
        asking.receive(frame(Kind.HEADERS, b"\x08\x03103", 4, 1) * 11)
