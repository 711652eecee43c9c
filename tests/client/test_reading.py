"""Answers as servers send them, hostile ones too: in one segment, in every split, byte by byte."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.client.support import SWITCH, Asked
from upgradegw import UpgradeRefused
from upgradegw.client.reading import MAX_INTERIM, ResponseReader

CONNECTION = b"Connection: upgrade\r\n"
UPGRADE = b"Upgrade: feed/2\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


def switching(*lines: bytes, version: bytes = b"HTTP/1.1") -> bytes:
    return version + b" 101 Switching Protocols\r\n" + b"".join(lines) + b"\r\n"


GOOD = {
    "plain": SWITCH,
    "list of options": switching(b"Connection: keep-alive, UPGRADE\r\n", UPGRADE),
    "two lines of options": switching(b"Connection: x\r\n", CONNECTION, UPGRADE),
    "case": switching(CONNECTION, b"uPGRADE: FEED/2\r\n"),
    "white space": switching(CONNECTION, b"Upgrade:\t feed/2 \t\r\n"),
    "no phrase": b"HTTP/1.1 101 \r\n" + CONNECTION + UPGRADE + b"\r\n",
    "no space": b"HTTP/1.1 101\r\n" + CONNECTION + UPGRADE + b"\r\n",
    "folded": switching(b"X: a\r\n b\r\n", CONNECTION, UPGRADE),
    "100 before": CONTINUE + SWITCH,
    "100 and 103 before": CONTINUE + HINTS + SWITCH,
}

BAD = {
    "no connection option": (switching(UPGRADE), "without Connection: upgrade"),
    "another option": (switching(b"Connection: upgraded\r\n", UPGRADE), "without Connection: upgrade"),
    "quoted option": (switching(b'Connection: "upgrade"\r\n', UPGRADE), "without Connection: upgrade"),
    "no Upgrade": (switching(CONNECTION), "without Upgrade"),
    "empty Upgrade": (switching(CONNECTION, b"Upgrade: ,\r\n"), "without Upgrade"),
    "another token": (switching(CONNECTION, b"Upgrade: food\r\n"), "a switch to food"),
    "no version": (switching(CONNECTION, b"Upgrade: feed\r\n"), "a switch to feed,"),
    "another version": (switching(CONNECTION, b"Upgrade: feed/20\r\n"), "a switch to feed/20"),
    "case of the version": (switching(CONNECTION, b"Upgrade: feed/2x\r\n"), "a switch to feed/2x"),
    "two tokens": (switching(CONNECTION, b"Upgrade: feed/2, x\r\n"), "more than one protocol"),
    "two lines of tokens": (switching(CONNECTION, UPGRADE, UPGRADE), "more than one protocol"),
    "HTTP/1.0": (switching(CONNECTION, UPGRADE, version=b"HTTP/1.0"), "HTTP/1.0"),
    "HTTP/2.0": (switching(CONNECTION, UPGRADE, version=b"HTTP/2.0"), "HTTP/2.0"),
    "a length": (switching(CONNECTION, UPGRADE, b"Content-Length: 0\r\n"), "content-length"),
    "a coding": (switching(CONNECTION, UPGRADE, b"Transfer-Encoding: chunked\r\n"), "transfer-encoding"),
    "small letters": (SWITCH.replace(b"HTTP", b"http"), "does not speak HTTP/1.1"),
    "space before": (b" " + SWITCH, "does not speak HTTP/1.1"),
    "empty line before": (b"\r\n" + SWITCH, "does not speak HTTP/1.1"),
    "HTML": (b"<html>", "does not speak HTTP/1.1"),
    "an alert of TLS": (b"\x15\x03\x03\x00\x02\x02\x46", "speaks TLS"),
    "HTTP/2": (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18), "speaks HTTP/2"),
    "zeros": (bytes(40), "does not speak HTTP/1.1"),
    "status of two digits": (b"HTTP/1.1 10 x\r\n\r\n", "no status line"),
    "status of four digits": (b"HTTP/1.1 1010 x\r\n\r\n", "no status line"),
    "status 600": (b"HTTP/1.1 600 x\r\n\r\n", "no status line"),
    "two spaces": (b"HTTP/1.1  101 x\r\n\r\n", "no status line"),
    "no minor version": (b"HTTP/1 101 x\r\n\r\n", "no status line"),
    "control in the phrase": (b"HTTP/1.1 101 a\x1bb\r\n\r\n", "no status line"),
    "LF alone": (SWITCH.replace(b"\r\n", b"\n"), "LF alone"),
    "LF alone once": (SWITCH.replace(b"\r\nUpgrade", b"\nUpgrade"), "LF alone"),
    "bare CR": (switching(CONNECTION, UPGRADE, b"X: a\rb\r\n"), "control characters"),
    "NUL": (switching(CONNECTION, UPGRADE, b"X: a\0b\r\n"), "control characters"),
    "space before the colon": (switching(CONNECTION, b"Upgrade : feed/2\r\n"), "no field"),
    "no colon": (switching(CONNECTION, UPGRADE, b"nothing\r\n"), "no field"),
    "no name": (switching(CONNECTION, UPGRADE, b": x\r\n"), "no field"),
    "a long head": (switching(CONNECTION, UPGRADE, b"X: " + b"x" * 17000 + b"\r\n"), "more than 16384 bytes"),
    "a head without end": (b"HTTP/1.1 101 " + b"x" * 17000, "more than 16384 bytes"),
    "interim responses without end": (CONTINUE * (MAX_INTERIM + 1), "interim responses"),
    "a broken interim response": (b"HTTP/1.1 103 x\r\n\x00\r\n\r\n" + SWITCH, "no field"),
}

REFUSED = {
    "with a length": (b"Content-Length: 4\r\n\r\nnope", b"nope"),
    "with the same length twice": (b"Content-Length: 4\r\nContent-Length: 4\r\n\r\nnope", b"nope"),
    "without content": (b"Content-Length: 0\r\n\r\n", b""),
    "chunked": (b"Transfer-Encoding: Chunked\r\n\r\n2;x=y\r\nno\r\n2\r\npe\r\n0\r\nT: x\r\n\r\n", b"nope"),
    "chunked, and a length": (
        b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nnope\r\n0\r\n\r\n",
        b"nope",
    ),
    "as large as is kept": (b"Content-Length: 99999\r\n\r\n" + b"x" * 70000, b"x" * 65536),
}


def splits(data: bytes) -> Iterator[Sequence[bytes]]:
    """The whole, byte by byte, and cut at every place, or at each of some places if there are very many."""
    yield [data]
    if len(data) > 2000:
        yield from ([data[:at], data[at:]] for at in range(1, len(data), 997))
        return
    yield [data[at : at + 1] for at in range(len(data))]
    yield from ([data[:at], data[at:]] for at in range(1, len(data)))


@pytest.mark.parametrize("name", GOOD)
def test_a_good_switch(name: str) -> None:
    """CL-02, CL-04, CL-05, CL-08: however it is cut, a right 101 starts the protocol, with all that follows it."""
    for segments in splits(GOOD[name] + b"\x00\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"):
        asked = Asked()
        asked.receive(*segments)
        assert asked.protocol.data == b"\x00\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", segments


@pytest.mark.parametrize("name", BAD)
def test_a_bad_answer(name: str) -> None:
    """CL-02, CL-03, CL-04, CL-05: whatever else it is, it is not believed, and nothing runs."""
    answer, words = BAD[name]
    for segments in splits(answer):
        asked = Asked()
        asked.receive(*segments)
        assert type(asked.error).__name__ == "BadUpgradeResponse", segments
        assert words in str(asked.error), segments
        assert asked.factory.only.events == []
        assert asked.transport.disconnected


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal(name: str) -> None:
    """CL-06: however it is cut, a refusal's content is what stands in it, up to the bound, and not what follows."""
    rest, body = REFUSED[name]
    for segments in splits(b"HTTP/1.1 403 Forbidden\r\n" + rest):
        asked = Asked()
        asked.receive(*segments, b"HTTP/1.1 200 OK\r\n\r\n")
        assert isinstance(asked.error, UpgradeRefused)
        assert (asked.error.status, asked.error.body) == (403, body), segments


@pytest.mark.parametrize(
    ("framing", "sent", "body"),
    [
        (b"", b"nope", b"nope"),
        (b"Transfer-Encoding: gzip, chunked\r\n", b"nope", b"nope"),
        (b"Content-Length: -4\r\n", b"nope", b"nope"),
        (b"Content-Length: 4\r\nContent-Length: 5\r\n", b"nope", b"nope"),
    ],
)
def test_a_refusal_without_a_length_that_counts(framing: bytes, sent: bytes, body: bytes) -> None:
    """CL-06: such a content ends with the connection (RFC 9112 section 6.3)."""
    asked = Asked()
    asked.receive(b"HTTP/1.0 404 Not Found\r\n" + framing + b"\r\n", sent)
    assert asked.outcome == []
    asked.lose()
    assert (asked.error.status, asked.error.body) == (404, body)


@pytest.mark.parametrize("status", [b"204", b"304"])
def test_refusals_that_have_no_content(status: bytes) -> None:
    """They are complete with their heads, whatever length they tell."""
    asked = Asked()
    asked.receive(b"HTTP/1.1 " + status + b" x\r\nContent-Length: 5\r\n\r\n")
    assert asked.error.body == b""


def test_the_answer_to_head() -> None:
    """The answer to HEAD is complete with its head."""
    asked = Asked(None, "/", "x", method="HEAD")
    asked.receive(b"HTTP/1.1 426 x\r\nContent-Length: 5\r\n\r\n")
    assert asked.error.status == 426


def test_a_broken_chunk_ends_a_refusal() -> None:
    """The refusal counts, not its content."""
    asked = Asked()
    asked.receive(b"HTTP/1.1 500 x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\nz\r\n")
    assert asked.error.status == 500


def test_content_without_end_is_bounded() -> None:
    """A server that sends for ever is left when enough is there."""
    asked = Asked(max_body=1000)
    asked.receive(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 100] * 20)
    assert asked.error.body == b"x" * 1000
    assert asked.transport.disconnected


@given(
    st.sampled_from([*GOOD.values(), *(answer for answer, _ in BAD.values() if len(answer) < 500)]),
    st.lists(st.integers(0, 600), max_size=8),
    st.binary(max_size=40),
)
def test_any_splits(answer: bytes, cuts: list[int], behind: bytes) -> None:
    """However an answer is cut, the outcome is the one of the whole."""
    data = answer + behind
    places = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]

    def outcome(segments: list[bytes]) -> Any:
        asked = Asked()
        asked.receive(*segments)
        (found,) = asked.outcome
        return found.data if hasattr(found, "data") else type(found.value)

    pieces = [data[a:b] for a, b in pairwise(places) if a < b]
    assert outcome(pieces) == outcome([data])


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes(data: bytes, begins_well: bool) -> None:
    """No bytes make the reader fail in another way than it says."""
    reader = ResponseReader(200, 100)
    try:
        reader.feed(b"HTTP/1.1 101 x\r\n" * begins_well + data)
    except Exception as error:  # noqa: BLE001
        assert type(error).__name__ == "BadUpgradeResponse"  # noqa: PT017


@given(st.lists(st.sampled_from([CONTINUE, HINTS, CONNECTION, UPGRADE, b"\r\n", b"HTTP/1.1 101 x\r\n", b"X: y\r\n"])))
def test_no_other_order_of_right_lines_switches(lines: list[bytes]) -> None:
    """A protocol runs only behind a complete 101 that has both fields, each in its own head."""
    data = b"".join(lines)
    asked = Asked()
    asked.receive(data)
    if asked.outcome and hasattr(asked.outcome[0], "data"):
        start = data.index(b"HTTP/1.1 101")
        head = data[start : data.index(b"\r\n\r\n", start)] + b"\r\n"
        assert CONNECTION in head
        assert head.count(UPGRADE) == 1
