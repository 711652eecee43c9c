"""One message read as two, or two as one: content of an upgrade, lengths, transfer codings, separators."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.attacks.clients import get, websocket_request
from tests.attacks.conftest import Serve
from tests.protocols.websocket.support import frame

HIDDEN = get(b"/admin")
FRAME = frame(1, b"from the content")


@pytest.mark.parametrize("path", [b"/ws", b"/echo"])
def test_content_of_an_upgrade(anywhere: Serve, path: bytes) -> None:
    """A-04: content, by length or in chunks, is content: there is no switch, and no protocol sees it."""
    place = anywhere()
    offer = websocket_request(path=path) if path == b"/ws" else get(path, b"Connection: Upgrade", b"Upgrade: echo")
    with_length = offer[:-2] + b"Content-Length: %d\r\n\r\n" % len(FRAME) + FRAME
    chunked = offer[:-2] + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(FRAME), FRAME)
    for request in (with_length, chunked):
        client = place.ask(request)
        assert client.statuses == [426], request
        client.send(get(b"/"))  # the content is out of the way, whatever it looked like
        assert client.statuses == [426, 200]
    assert place.root.chats == place.root.bytes.built == []


def test_content_with_two_lengths(anywhere: Serve) -> None:
    """A-04: a length and chunks together: 400, and nothing behind is read."""
    place = anywhere()
    both = websocket_request(b"Content-Length: 5", b"Transfer-Encoding: chunked") + b"0\r\n\r\n" + HIDDEN
    place.ask(both).refused(400)
    assert place.root.chats == place.root.rendered == []


@pytest.mark.parametrize("path", [b"/ws", b"/"])
@pytest.mark.parametrize("version", [b"1.0", b"0.9"])
def test_old_version(anywhere: Serve, path: bytes, version: bytes) -> None:
    """A-07: an upgrade in an old version of HTTP is never a switch."""
    place = anywhere()
    client = place.ask(websocket_request(b"Connection: keep-alive", path=path, version=version), frame(1, b"x"))
    assert 101 not in client.statuses
    assert len(client.statuses) <= 1
    assert place.root.chats == []


def test_request_of_one_line(anywhere: Serve) -> None:
    """A-07: what HTTP/0.9 sent, a line without version, is no request."""
    for line in (b"GET /ws\r\n", b"GET /admin\r\n\r\n"):
        place = anywhere()
        client = place.ask(line + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        client.refused(400)
        assert place.root.rendered == place.root.chats == []


@dataclass(frozen=True)
class Mutation:
    """A request that two parsers may read differently, its head up to the empty line and what follows.

    Attributes:
        lines: Field lines, CRLF included where it belongs.
        content: What follows the head, before the hidden request.
        statuses: What UpgradeSite answers.
        stock: Whether twisted.web's own Site refuses it as well.
    """

    lines: bytes
    content: bytes = b""
    statuses: tuple[int, ...] = (400,)
    stock: bool = False


MUTATIONS = {
    # RFC 9112 section 6.3: both lengths
    "both": Mutation(b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n", stock=True),
    "both, reversed": Mutation(b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", b"0\r\n\r\n", stock=True),
    "two lengths": Mutation(b"Content-Length: 0\r\nContent-Length: 44\r\n", stock=True),
    "two equal lengths": Mutation(b"Content-Length: 0\r\nContent-Length: 0\r\n", stock=True),
    "length list": Mutation(b"Content-Length: 0, 44\r\n", stock=True),
    # RFC 9110 section 8.6: Content-Length = 1*DIGIT
    "plus": Mutation(b"Content-Length: +5\r\n", b"12345", stock=True),
    "minus": Mutation(b"Content-Length: -5\r\n", stock=True),
    "hexadecimal": Mutation(b"Content-Length: 0x5\r\n", b"12345", stock=True),
    "underscore": Mutation(b"Content-Length: 1_0\r\n", b"1234567890", stock=True),
    "empty length": Mutation(b"Content-Length: \r\n", stock=True),
    "inner space": Mutation(b"Content-Length: 1 0\r\n", b"1234567890", stock=True),
    "length beyond 64 bits": Mutation(b"Content-Length: 18446744073709551621\r\n", b"12345"),
    # RFC 9112 sections 6.1 and 7: transfer codings
    "obfuscated, x": Mutation(b"Transfer-Encoding: xchunked\r\n", statuses=(501,), stock=True),
    "obfuscated, quoted": Mutation(b'Transfer-Encoding: "chunked"\r\n', statuses=(501,), stock=True),
    "obfuscated, space": Mutation(b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n", stock=True),
    "obfuscated, tab": Mutation(b"Transfer-Encoding:\tchunk\x0bed\r\n", b"0\r\n\r\n", stock=True),
    "obfuscated, folded": Mutation(b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n", (400, 501)),
    "obfuscated, leading space": Mutation(b"X: y\r\n Transfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    "not last": Mutation(b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n", statuses=(501,), stock=True),
    "twice": Mutation(
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", b"0\r\n\r\n", (501,), stock=True
    ),
    "identity": Mutation(b"Transfer-Encoding: identity\r\n", statuses=(501,)),
    "identity and length": Mutation(b"Transfer-Encoding: identity\r\nContent-Length: 0\r\n"),
    "hidden by CR": Mutation(b"X: y\rTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    "hidden by LF": Mutation(b"X: y\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    # RFC 9112 section 7.1: chunks
    "chunk, 0x": Mutation(b"Transfer-Encoding: chunked\r\n", b"0x2\r\nab\r\n0\r\n\r\n", stock=True),
    "chunk, plus": Mutation(b"Transfer-Encoding: chunked\r\n", b"+2\r\nab\r\n0\r\n\r\n", stock=True),
    "chunk, minus": Mutation(b"Transfer-Encoding: chunked\r\n", b"-2\r\nab\r\n0\r\n\r\n", stock=True),
    "chunk, empty size": Mutation(b"Transfer-Encoding: chunked\r\n", b"\r\nab\r\n0\r\n\r\n", stock=True),
    "chunk, too long": Mutation(b"Transfer-Encoding: chunked\r\n", b"2\r\nabc\r\n0\r\n\r\n", stock=True),
    "chunk, LF": Mutation(b"Transfer-Encoding: chunked\r\n", b"2\nab\r\n0\r\n\r\n"),
    "chunk, LF behind": Mutation(b"Transfer-Encoding: chunked\r\n", b"2\r\nab\n0\r\n\r\n", stock=True),
    "chunk, spill": Mutation(b"Transfer-Encoding: chunked\r\n", b"2\r\nabXX0\r\n\r\n", stock=True),
    "extension with CR": Mutation(b"Transfer-Encoding: chunked\r\n", b"2;a\rb\r\nab\r\n0\r\n\r\n", stock=True),
    "extension with LF": Mutation(b"Transfer-Encoding: chunked\r\n", b"2;a\nab\r\n0\r\n\r\n"),
    "extension with NUL": Mutation(b"Transfer-Encoding: chunked\r\n", b"2;a\0b\r\nab\r\n0\r\n\r\n", stock=True),
    "trailer with LF": Mutation(b"Transfer-Encoding: chunked\r\n", b"0\r\nX: y\nZ: w\r\n\r\n"),
    "trailer without colon": Mutation(b"Transfer-Encoding: chunked\r\n", b"0\r\nGET /admin HTTP/1.1\r\n\r\n"),
    # RFC 9112 sections 2.2, 3.2 and 5.1: lines, Host and names
    "LF lines": Mutation(b"X: y\nZ: w\r\n"),
    "NUL in a value": Mutation(b"X: a\0b\r\n", stock=True),
    "no name": Mutation(b": y\r\n", stock=True),
    "no colon": Mutation(b"Content-Length\r\n", stock=True),
    "two hosts": Mutation(b"Host: b.example\r\n"),
    "host list": Mutation(b"X-Ignored: y\r\nHost: a.example, b.example\r\n"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_mutation(ours: Serve, name: str) -> None:
    """A-08: one response, 4xx or 5xx, and the end; the request that is hidden behind is not parsed."""
    mutation = MUTATIONS[name]
    whole = b"POST / HTTP/1.1\r\nHost: a.example\r\n" + mutation.lines + b"\r\n" + mutation.content + HIDDEN
    byte_by_byte = [whole[at : at + 1] for at in range(len(whole))]
    for segments in ((whole,), byte_by_byte):
        place = ours()
        place.ask(*segments).refused(*mutation.statuses)
        assert place.root.rendered == []


@pytest.mark.parametrize("name", [name for name, mutation in MUTATIONS.items() if mutation.stock])
def test_mutation_of_an_upgrade(anywhere: Serve, name: str) -> None:
    """A-08: the same in front of a switch, on both sites: no switch, no hidden request."""
    mutation = MUTATIONS[name]
    place = anywhere()
    whole = websocket_request()[:-2] + mutation.lines + b"\r\n" + mutation.content + HIDDEN
    client = place.ask(whole)
    place.until(lambda: client.closed)
    assert len(client.statuses) <= 1
    assert 101 not in client.statuses
    assert place.root.chats == place.root.rendered == []


@pytest.mark.parametrize("separator", [b"\x0b", b"\x0c", b"\x1c", b"\x1d", b"\x1e", b"\x85", b"\xc2\x85"])
def test_separators(anywhere: Serve, separator: bytes) -> None:
    """A-10: bytes that some take for ends of lines make no field: 400, or one value with the byte in it."""
    place = anywhere()
    value = b"n=1" + separator + b"X-Authenticated-User: admin"
    client = place.ask(websocket_request(b"Cookie: " + value))
    if b"\x85" not in separator:
        assert client.statuses == [400]
        assert place.root.chats == []
        return
    assert client.statuses == [101]
    (protocol,) = place.root.chats
    assert "x-authenticated-user" not in protocol.http_headers
    assert protocol.request.headers["cookie"] == value.decode("latin-1")
