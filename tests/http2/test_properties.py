"""Streams in any order, in any pieces, through any windows: every response is the one of HTTP/1.1."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.web.resource import Resource

from tests.http1.wire import connect, get, parse_answers
from tests.http2.client import INITIAL_WINDOW_SIZE, Client, data, fields, rst, window_update


class Tree(Resource):
    """Answers in ways that differ: by status, method, size, and whether its content is written in pieces."""

    isLeaf = True

    def render(self, request: Any) -> bytes:
        kind, size = request.postpath[0], int(request.postpath[1])
        request.setHeader(b"X-Asked", request.method + b" " + request.uri)
        content = request.content.read()
        if kind == b"missing":
            request.setResponseCode(404)
        elif kind == b"empty":
            request.setResponseCode(204)
            return b""
        elif kind == b"pieces":
            for _ in range(5):
                request.write(b"%d," % len(content))
        return (content + b"0123456789" * size)[: size * 7]


@dataclass(frozen=True)
class Asked:
    """A request, and how it is sent."""

    method: bytes
    path: bytes
    content: bytes
    chunk: int
    says_length: bool
    resets: bool


@cache
def on_http_1(asked: Asked) -> tuple[int, bytes, set[tuple[bytes, bytes]]]:
    """Return status, content and fields of the response of HTTP/1.1."""
    wire = connect(Tree())
    wire.send(get(asked.path, b"Content-Length: %d" % len(asked.content), method=asked.method) + asked.content)
    (answer,) = parse_answers(wire.take(), heads_only=asked.method == b"HEAD")
    wire.close()
    return answer.status, answer.body, {(name.lower(), value) for name, value in answer.fields} - _DIFFERENT


#: How content is framed is HTTP/1.1's own.
_DIFFERENT = {(b"transfer-encoding", b"chunked")}

requests = st.builds(
    Asked,
    method=st.sampled_from([b"GET", b"POST", b"HEAD", b"PUT"]),
    path=st.builds(
        lambda kind, size: b"/%b/%d" % (kind, size),
        st.sampled_from([b"plain", b"missing", b"empty", b"pieces"]),
        st.sampled_from([0, 1, 20, 3000]),
    ),
    content=st.binary(max_size=40) | st.just(b"x" * 5000),
    chunk=st.integers(1, 3000),
    says_length=st.booleans(),
    resets=st.booleans(),
)


def frames_of(client: Client, stream_id: int, asked: Asked) -> Iterator[Any]:
    """Yield what makes the frames of a request, one at a time: HPACK wants heads made in the order they are sent."""
    more = ((b"content-length", b"%d" % len(asked.content)),) if asked.says_length else ()
    head = fields(asked.method, asked.path, *more)
    yield lambda: client.head(stream_id, head, end=not asked.content and not asked.resets)
    pieces = [asked.content[at : at + asked.chunk] for at in range(0, len(asked.content), asked.chunk)]
    for number, piece in enumerate(pieces[:9]):
        last = number == min(len(pieces), 9) - 1
        rest = asked.content[number * asked.chunk :] if last else piece
        yield lambda rest=rest, last=last: data(stream_id, rest, end=last and not asked.resets)
    if asked.resets:
        yield lambda: rst(stream_id)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(requests, min_size=1, max_size=6),
    st.randoms(use_true_random=False),
    st.sampled_from([0, 1, 100, 65_535]),
    st.integers(1, 400),
)
def test_every_response_is_that_of_http_1(asked: list[Asked], random: Any, window: int, cut: int) -> None:
    """Requests are interleaved, cut anywhere, reset in between, and drained through windows opened in any order."""
    client = Client(Tree(), values={INITIAL_WINDOW_SIZE: window})
    waiting = [
        (2 * number + 1, iter(list(frames_of(client, 2 * number + 1, each)))) for number, each in enumerate(asked)
    ]
    sent, begun = b"", 0
    while waiting:
        # Streams are opened in the order of their identifiers; what comes behind the heads comes in any order.
        index = random.randrange(min(begun + 1, len(waiting)))
        _, frames = waiting[index]
        make = next(frames, None)
        if make is None:
            del waiting[index]
            begun -= 1
            continue
        if index == begun:
            begun += 1
        sent += make()
    client.send(*(sent[at : at + cut] for at in range(0, len(sent), cut)))
    for _ in range(40):
        live = [2 * number + 1 for number in range(len(asked)) if not client[2 * number + 1].ended]
        if live:
            client.send(window_update(random.choice([1, 500, 40_000]), random.choice(live)))
        client.send(window_update(random.choice([1, 40_000])))
    client.send(*(window_update(100_000, 2 * number + 1) for number in range(len(asked))), window_update(2**20))
    for number, each in enumerate(asked):
        answer = client[2 * number + 1]
        if each.resets:
            assert not answer.ended
            continue
        status, body, expected = on_http_1(each)
        assert (answer.status, answer.body, answer.ended, answer.code) == (status, body, True, None)
        got = {pair for pair in answer.heads[-1] if pair[0] not in {b":status", b"date"}}
        assert got == {pair for pair in expected if pair[0] != b"date"}
    assert client.goaway is None
    assert client.connection._streams.live == {}
    client.wire.close()
