"""The WebSocket opening handshake, the server's side."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.negotiation.heads import KEY, ON_STREAM, WEBSOCKET, head_of, replaced, stream_head, with_lines
from upgradegw.negotiation.model import Refuse
from upgradegw.negotiation.reasons import Reason
from upgradegw.negotiation.websocket import Handshake, accept_value, check_close_code, handshake

VERSION, KEY_NAME = b"Sec-WebSocket-Version", b"Sec-WebSocket-Key"
PROTOCOL, EXTENSIONS = b"Sec-WebSocket-Protocol", b"Sec-WebSocket-Extensions"


def refused(name: bytes, *lines: bytes) -> Refuse:
    """The refusal of a handshake with these lines."""
    outcome = handshake(with_lines(name, *lines), None)
    assert isinstance(outcome, Refuse)
    return outcome


def test_minimal():
    """WS-03 to WS-06: a right handshake gives its key, and nothing that was not offered."""
    assert handshake(head_of(), None) == Handshake(KEY, (), (), None)


def test_origin_is_told():
    """WS-13: an Origin that was accepted is told on."""
    outcome = handshake(with_lines(b"Origin", b"http://app.example"), None)
    assert outcome == Handshake(KEY, (), (), b"http://app.example")


@pytest.mark.parametrize(
    "lines",
    [[]]
    + [[v] for v in b"0 7 8 12 14 99 255 256 013 +13 1_3 13,13 13,8 13.0 -13 1e1 0x13 \xd9\xa1\xd9\xa3".split()]
    + [[b""], [b"13, 13"], [b"13", b"13"], [b"8", b"13"], [b" 13"], [b"13;"]],
)
def test_version(lines):
    """WS-06, WS-07: anything but one literal 13 gets 426 that names version 13, and what every 426 must have."""
    outcome = refused(VERSION, *lines)
    assert (outcome.reason, outcome.status) == (Reason.BAD_VERSION, 426)
    assert dict(outcome.fields) == {
        b"Upgrade": b"websocket",
        b"Connection": b"upgrade",
        b"Cache-Control": b"no-store",
        b"Sec-WebSocket-Version": b"13",
    }
    assert outcome.detail


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [b""],
        [KEY, KEY],
        [base64.b64encode(bytes(15))],
        [base64.b64encode(bytes(17))],
        [base64.b64encode(bytes(18))],
        [base64.urlsafe_b64encode(b"\xff" * 16)],
        [b"-" * 22 + b"=="],
        [KEY + b"\n"],
        [KEY + b" "],
        [KEY.rstrip(b"=")],
        [KEY[:-1]],
        [b"*" * 22 + b"=="],
        [KEY + b", " + KEY],
        [b"A" * 24],
    ],
)
def test_bad_key(lines):
    """WS-05, WS-08: a key that is not there once as the base64 form of 16 bytes gets 400."""
    outcome = refused(KEY_NAME, *lines)
    assert (outcome.reason, outcome.status, outcome.fields) == (Reason.BAD_KEY, 400, ())


@given(st.binary(min_size=0, max_size=20))
def test_key(nonce):
    """WS-05: the base64 form of 16 bytes is a key, and that of any other number of bytes is none."""
    key = base64.b64encode(nonce)
    outcome = handshake(with_lines(KEY_NAME, key), None)
    assert isinstance(outcome, Handshake) is (len(nonce) == 16)


def test_key_with_bits_left_over():
    """WS-05: the four bits that no byte needs may be anything."""
    assert isinstance(handshake(with_lines(KEY_NAME, b"1234567890123456789012=="), None), Handshake)


def test_accept_of_the_rfc():
    """WS-09: the example of RFC 6455 section 1.3."""
    assert accept_value(KEY) == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@given(st.binary(min_size=16, max_size=16))
def test_accept(nonce):
    """WS-09: the base64 form of the SHA-1 of key and GUID."""
    key = base64.b64encode(nonce)
    digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    assert base64.b64decode(accept_value(key), validate=True) == digest


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], ()),
        ([b"chat"], ("chat",)),
        ([b"chat, superchat"], ("chat", "superchat")),
        ([b"chat", b"superchat,v2.json"], ("chat", "superchat", "v2.json")),
        ([b",chat,"], ("chat",)),
        ([b"chat, Chat"], ("chat", "Chat")),
    ],
)
def test_subprotocols(lines, expected):
    """WS-10: names over all lines, in the client's order; their case matters."""
    outcome = handshake(with_lines(PROTOCOL, *lines), None)
    assert isinstance(outcome, Handshake)
    assert outcome.subprotocols == expected


@pytest.mark.parametrize(
    "lines",
    [
        [b""],
        [b","],
        [b"a, a"],
        [b"a", b"b, a"],
        [b"a b"],
        [b'"a"'],
        [b"a/b"],
        [b"a", b"\xe4"],
        [b"a\r\nX: y"],
        [b'"a, b'],
    ],
)
def test_bad_subprotocols(lines):
    """WS-08, WS-10: a list that is empty, repeats a name or holds what is no token gets 400."""
    outcome = refused(PROTOCOL, *lines)
    assert (outcome.reason, outcome.status, outcome.fields) == (Reason.BAD_SUBPROTOCOL, 400, ())


def test_subprotocols_that_are_passed_on():
    """A gateway leaves names that are no tokens to the server that knows them; what would part a list stays out."""
    for name in ("SPDY/3.1+portforward.k8s.io", "chat", "a(b)"):
        outcome = handshake(with_lines(PROTOCOL, name.encode(), b"other"), None, any_subprotocol=True)
        assert isinstance(outcome, Handshake)
        assert outcome.subprotocols == (name, "other")
    for bad in (b"", b"a b", b'"a"', b"\xe4", b"a, a"):
        outcome = handshake(with_lines(PROTOCOL, bad), None, any_subprotocol=True)
        assert isinstance(outcome, Refuse)
        assert outcome.reason is Reason.BAD_SUBPROTOCOL


def test_extensions():
    """WS-11: the extensions offered, over all lines."""
    outcome = handshake(with_lines(EXTENSIONS, b"a; x, b", b"c"), None)
    assert isinstance(outcome, Handshake)
    assert [extension.name for extension in outcome.extensions] == ["a", "b", "c"]


def test_bad_extensions():
    """WS-08, WS-11: a list that does not follow its grammar gets 400."""
    outcome = refused(EXTENSIONS, b"a; x=")
    assert (outcome.reason, outcome.status, outcome.fields) == (Reason.BAD_EXTENSIONS, 400, ())
    assert outcome.detail == "Sec-WebSocket-Extensions: a; x="


@pytest.mark.parametrize("lines", [[], [b""], [b"app.example", b"app.example"], [b"a/b"], [b"app.example:99999"]])
def test_host(lines):
    """WS-02: Host must be there once and name a host."""
    outcome = refused(b"Host", *lines)
    assert (outcome.reason, outcome.status, outcome.fields) == (Reason.BAD_HOST, 400, ())


def test_origin():
    """WS-13, A-12: a page of another origin gets 403."""
    outcome = refused(b"Origin", b"https://evil.example")
    assert (outcome.reason, outcome.status) == (Reason.ORIGIN_MISMATCH, 403)
    assert isinstance(handshake(with_lines(b"Origin", b"https://evil.example"), ("https://evil.example",)), Handshake)


def test_order():
    """Of several faults the same one is always told: version, key, subprotocols, extensions, host, origin."""
    faults = [
        (VERSION, b"8", Reason.BAD_VERSION),
        (KEY_NAME, b"x", Reason.BAD_KEY),
        (PROTOCOL, b"", Reason.BAD_SUBPROTOCOL),
        (EXTENSIONS, b"", Reason.BAD_EXTENSIONS),
        (b"Host", b"", Reason.BAD_HOST),
        (b"Origin", b"null", Reason.ORIGIN_NULL),
    ]
    fields = WEBSOCKET
    for name, line, reason in reversed(faults):
        fields = replaced(fields, name, line)
        outcome = handshake(head_of(fields), None)
        assert isinstance(outcome, Refuse)
        assert outcome.reason is reason


@pytest.mark.parametrize("key", [(), (KEY,), (b"nonsense",), (KEY, KEY)])
def test_on_a_stream_there_is_no_key(key):
    """EC-05: with extended CONNECT a key is not looked at, and there is none to answer."""
    head = stream_head(fields=(*ON_STREAM, *((b"sec-websocket-key", value) for value in key)))
    assert handshake(head, None) == Handshake(None, (), (), None)


@pytest.mark.parametrize("lines", [[], [b"8"], [b"13", b"13"], [b"013"]])
def test_version_on_a_stream(lines):
    """EC-06: a wrong version is 400 with the right one, because on HTTP/2 there is no 426."""
    fields = replaced(ON_STREAM, b"sec-websocket-version", *lines)
    outcome = handshake(stream_head(fields=fields), None)
    assert isinstance(outcome, Refuse)
    assert (outcome.reason, outcome.status) == (Reason.BAD_VERSION, 400)
    assert outcome.fields == ((b"Sec-WebSocket-Version", b"13"),)


def test_everything_else_is_the_same_on_a_stream():
    """EC-06: Origin, subprotocols and extensions are read as on HTTP/1.1."""
    more = ((b"sec-websocket-protocol", b"a, b"), (b"sec-websocket-extensions", b"x; y=1"))
    outcome = handshake(stream_head(fields=(*ON_STREAM, *more, (b"origin", b"http://app.example"))), None)
    assert isinstance(outcome, Handshake)
    assert (outcome.subprotocols, outcome.origin) == (("a", "b"), b"http://app.example")
    assert outcome.extensions[0].name == "x"
    for name, value, status in (
        (b"origin", b"http://evil.example", 403),
        (b"sec-websocket-protocol", b"a, a", 400),
        (b"sec-websocket-extensions", b";", 400),
    ):
        refused = handshake(stream_head(fields=(*ON_STREAM, (name, value))), None)
        assert isinstance(refused, Refuse)
        assert refused.status == status


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1011, 1012, 1014, 3000, 4999])
def test_close_codes(code: int) -> None:
    """RFC 6455 section 7.4: what a server may close with."""
    check_close_code(code)


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1010, 1015, 1016, 2999, 5000])
def test_what_is_no_close_code(code: int) -> None:
    """Codes that are never sent, a client's own, and numbers that nobody may use are refused."""
    with pytest.raises(ValueError, match=str(code)):
        check_close_code(code)
