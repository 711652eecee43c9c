"""The decision on an Upgrade field over random heads: what must hold for all of them."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import example, given
from hypothesis import strategies as st

from tests.negotiation.heads import (
    CLIENT,
    KEY,
    WEBSOCKET,
    Offer,
    WebSocketOffer,
    head_of,
    offer,
    with_lines,
)
from upgradegw.negotiation.model import Candidate, Decline, Refuse, RequestHead
from upgradegw.negotiation.upgrade import negotiate, refusal

WS = offer(b"websocket")


def decide(head: RequestHead, *supported: Offer | WebSocketOffer) -> Candidate[Offer] | Decline | Refuse:
    """Negotiate with what is supported: WebSocket if nothing is said."""
    return negotiate(head, supported or (WS,))


@dataclass(frozen=True)
class Part:
    """Lines of one field, and whether a switch can happen with them."""

    lines: tuple[bytes, ...]
    right: bool


def parts(right: list[tuple[bytes, ...]], wrong: list[tuple[bytes, ...]]) -> st.SearchStrategy[Part]:
    """One part: right ones and wrong ones about equally often."""
    return st.sampled_from(right).map(lambda lines: Part(lines, True)) | st.sampled_from(wrong).map(
        lambda lines: Part(lines, False)
    )


PARTS = {
    b"Host": parts([(b"app.example",), (b"APP.example:80",)], [(), (b"",), (b"a", b"a"), (b"u@app.example",)]),
    b"Connection": parts(
        [(b"Upgrade",), (b"keep-alive, UPGRADE",), (b"close", b"upgrade")],
        [(), (b"keep-alive",), (b"upgraded",), (b"upgrade, cookie",), (b"upgrade", b"Sec-WebSocket-Key")],
    ),
    b"Upgrade": parts(
        [(b"websocket",), (b"WebSocket",), (b"foo/1", b"websocket"), (b"foo/1, websocket, h2c",)],
        [(), (b"",), (b"foo",), (b"websocket/13",), (b"websocket foo",)],
    ),
    b"Sec-WebSocket-Version": parts([(b"13",)], [(), (b"8",), (b"013",), (b"13, 13",), (b"13", b"13"), (b"+13",)]),
    b"Sec-WebSocket-Key": parts(
        [(KEY,), (b"/" * 21 + b"w==",)], [(), (b"",), (KEY, KEY), (b"AAAA",), (b"_" * 21 + b"w==",)]
    ),
    b"Sec-WebSocket-Protocol": parts([(), (b"a, b",), (b"a", b"b")], [(b"",), (b"a, a",), (b"a b",), (b"a", b"a")]),
    b"Sec-WebSocket-Extensions": parts(
        [(), (b"foo",), (b"permessage-deflate; nonsense=1, foo",)], [(b"",), (b"a;",), (b"a=b",), (b'a; b="c',)]
    ),
    b"Origin": parts(
        [(), (b"http://app.example",), (b"http://APP.example:80",)],
        [(b"null",), (b"https://app.example",), (b"http://evil.example",), (b"x",), (b"http://app.example",) * 2],
    ),
    b"Cookie": parts([(), (b"n=\xc3\x85",)], [(b"n=\x0b",), (b"\x00",)]),
}


@given(
    st.fixed_dictionaries(PARTS),
    st.sampled_from([b"GET"]) | st.sampled_from([b"POST", b"HEAD", b"get"]),
    st.sampled_from([b"HTTP/1.1"]) | st.sampled_from([b"HTTP/1.0", b"HTTP/2"]),
    st.booleans(),
    st.randoms(use_true_random=False),
)
@example(
    {name: Part(tuple(v for n, v in WEBSOCKET if n == name), True) for name in PARTS}, b"GET", b"HTTP/1.1", False, None
)
def test_switch_if_and_only_if(chosen, method, http_version, has_content, random):
    """UP-01 to UP-18, WS-01 to WS-08, WS-13: a request is a candidate if and only if every condition holds."""
    fields = [(name, line) for name, part in chosen.items() for line in part.lines]
    if random is not None:
        random.shuffle(fields)
    head = head_of(
        tuple((random.choice([n, n.lower(), n.upper()]) if random else n, v) for n, v in fields),
        method=method,
        http_version=http_version,
        has_content=has_content,
    )
    everything = all(part.right for part in chosen.values())
    expected = everything and method == b"GET" and http_version == b"HTTP/1.1" and not has_content
    assert isinstance(decide(head, offer(b"other"), WebSocketOffer()), Candidate) is expected


@given(st.sampled_from(sorted(PARTS)), st.data())
def test_one_condition_fails(name, data):
    """UP-01 to UP-18, WS-02 to WS-08, WS-13: of an otherwise right request, each single condition decides."""
    part = data.draw(PARTS[name])
    outcome = decide(with_lines(name, *part.lines), WebSocketOffer())
    assert isinstance(outcome, Candidate) is part.right


NAMES = st.sampled_from([*(name for name in PARTS), b"X-Other", b"", b"\xff"])


@given(
    st.lists(st.tuples(NAMES, st.binary(max_size=30)), max_size=10),
    st.booleans(),
    st.sampled_from([b"GET", b"POST", b"HEAD", b"\xff"]),
    st.booleans(),
)
def test_anything(noise, begin_right, method, has_content):
    """Arbitrary bytes never raise; what is no candidate is an answer with the fields that its status demands."""
    fields = (WEBSOCKET if begin_right else ()) + tuple(noise)
    head = head_of(fields, method=method, has_content=has_content, client=CLIENT)
    outcome = decide(head, WebSocketOffer())
    if isinstance(outcome, Decline):
        outcome = refusal(outcome, head, [WebSocketOffer()])
    if isinstance(outcome, Refuse):
        names = {name for name, _ in outcome.fields}
        assert outcome.status in (400, 403, 405, 426)
        assert (names >= {b"Upgrade", b"Connection"}) is (outcome.status == 426)
        assert (b"Allow" in names) is (outcome.status == 405)
        assert outcome.detail.isprintable()
