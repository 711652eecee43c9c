"""A 101 is what was asked for, or it is none: the rules one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.negotiation.heads import KEY, WEBSOCKET, head_of, replaced, stream_head
from upgradegw.negotiation.model import Fields, UpgradeProtocol
from upgradegw.negotiation.websocket import Handshake, accept_value, handshake
from upgradegw.proxy.exchange import ResponseHead
from upgradegw.proxy.judging import Offer, Switch, WrongSwitch, judge, tokens_for
from upgradegw.proxy.upgrades import parse_tokens

REQUEST = replaced(
    replaced(WEBSOCKET, b"Sec-WebSocket-Protocol", b"chat, superchat"),
    b"Sec-WebSocket-Extensions",
    b"permessage-deflate",
)
ACCEPT = accept_value(KEY)
RIGHT: Fields = (
    (b"Connection", b"Upgrade"),
    (b"Upgrade", b"websocket"),
    (b"Sec-WebSocket-Accept", ACCEPT),
)


def _opening() -> Handshake:
    opening = handshake(head_of(REQUEST), ("*", "null"))
    assert isinstance(opening, Handshake)
    return opening


def _offer(*tokens: bytes, strict: bool = True) -> Offer:
    return Offer(tuple(map(UpgradeProtocol.parse, tokens)), strict=strict)


WS = Offer((UpgradeProtocol(b"websocket"),), _opening())


def _judge(fields: Fields, offer: Offer = WS, version: bytes = b"HTTP/1.1") -> Switch:
    return judge(ResponseHead(101, b"", fields, version), offer, head_of(REQUEST))


def _wrong(fields: Fields, offer: Offer = WS, version: bytes = b"HTTP/1.1") -> str:
    with pytest.raises(WrongSwitch) as caught:
        _judge(fields, offer, version)
    return str(caught.value)


def test_a_right_switch() -> None:
    """The fields of the connection stay here; the proof is passed on."""
    more = (*RIGHT, (b"Sec-WebSocket-Protocol", b"chat"), (b"X-A", b"1"), (b"x-a", b"2"), (b"Keep-Alive", b"1"))
    switch = _judge((*more, (b"Connection", b"X-Own"), (b"X-Own", b"mine")))
    assert switch == Switch(
        b"websocket",
        ((b"Sec-WebSocket-Protocol", b"chat"), (b"X-A", b"1"), (b"x-a", b"2"), (b"Sec-WebSocket-Accept", ACCEPT)),
        "chat",
        framed=True,
    )


#: What is wrong, and what is said of it.
WRONG = {
    "no Upgrade": (replaced(RIGHT, b"Upgrade"), "without Upgrade"),
    "no Connection": (replaced(RIGHT, b"Connection"), "without Connection: upgrade"),
    "another Connection": (replaced(RIGHT, b"Connection", b"keep-alive"), "without Connection: upgrade"),
    "another token": (replaced(RIGHT, b"Upgrade", b"tcp"), "a switch to tcp, and websocket was asked for"),
    "one token more": (replaced(RIGHT, b"Upgrade", b"websocket, tcp"), "a switch to websocket, tcp"),
    "another line of tokens": ((*RIGHT, (b"Upgrade", b"h2c")), "a switch to websocket, h2c"),
    "a version": (replaced(RIGHT, b"Upgrade", b"websocket/13"), "a switch to websocket/13"),
    "no proof": (replaced(RIGHT, b"Sec-WebSocket-Accept"), "Sec-WebSocket-Accept is absent"),
    "a wrong proof": (replaced(RIGHT, b"Sec-WebSocket-Accept", accept_value(b"x")), "was expected"),
    "a proof in lower case": (replaced(RIGHT, b"Sec-WebSocket-Accept", ACCEPT.lower()), "was expected"),
    "two proofs": ((*RIGHT, (b"Sec-WebSocket-Accept", ACCEPT)), "was expected"),
    "a foreign subprotocol": (
        (*RIGHT, (b"Sec-WebSocket-Protocol", b"mqtt")),
        "is mqtt, and chat, superchat was offered",
    ),
    "two subprotocols": ((*RIGHT, (b"Sec-WebSocket-Protocol", b"chat, superchat")), "is chat, superchat"),
    "a foreign extension": ((*RIGHT, (b"Sec-WebSocket-Extensions", b"x-gzip")), "and permessage-deflate was offered"),
    "a malformed extension": ((*RIGHT, (b"Sec-WebSocket-Extensions", b";")), "Sec-WebSocket-Extensions is ;"),
    "content": ((*RIGHT, (b"Content-Length", b"5")), "with Content-Length: 5"),
    "chunks": ((*RIGHT, (b"Transfer-Encoding", b"chunked")), "with Transfer-Encoding: chunked"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_switch(name: str) -> None:
    """RFC 9110 section 7.8, RFC 6455 section 4.1: the text compares what came with what was asked for (A-02, A-03)."""
    fields, words = WRONG[name]
    assert words in _wrong(fields)


def test_a_switch_in_a_version_without_switches() -> None:
    """HTTP/1.0 has no 101."""
    assert "HTTP/1.0" in _wrong(RIGHT, version=b"HTTP/1.0")


def test_an_extension_that_was_offered() -> None:
    """It passes."""
    extension = (b"Sec-WebSocket-Extensions", b"permessage-deflate; server_no_context_takeover")
    assert extension in _judge((*RIGHT, extension)).fields


def test_several_tokens() -> None:
    """The upstream may name several that were offered, in its own spelling (CUPS); zero for a length is no content."""
    fields = ((b"Connection", b"Upgrade"), (b"Upgrade", b"tls/1.2,TLS/1.1"), (b"Content-Length", b"0"))
    switch = _judge(fields, _offer(b"TLS/1.3", b"TLS/1.2", b"TLS/1.1"))
    assert switch == Switch(b"tls/1.2, TLS/1.1", (), None, framed=False)


def test_a_lenient_route() -> None:
    """No Connection: upgrade, and a space in the value, where the route says so (IF-T/TLS)."""
    offer = _offer(b"IF-T/TLS 1.0", strict=False)
    assert _judge(((b"Upgrade", b"IF-T/TLS 1.0"),), offer).token == b"IF-T/TLS 1.0"
    assert "without Connection" in _wrong(((b"Upgrade", b"IF-T/TLS 1.0"),), replace(offer, strict=True))


def test_websocket_without_a_key() -> None:
    """There is nothing to prove, and no frames are to be expected; the upstream's fields pass as they are."""
    switch = _judge(RIGHT, _offer(b"websocket"))
    assert not switch.framed
    assert (b"Sec-WebSocket-Accept", ACCEPT) in switch.fields


def test_from_http2_to_http1() -> None:
    """The proof that the gateway asked for is checked, and not passed on (RFC 8441 section 5)."""
    switch = judge(ResponseHead(101, b"", RIGHT, b"HTTP/1.1"), WS, stream_head())
    assert (switch.fields, switch.framed) == ((), True)


def test_from_http1_to_http2() -> None:
    """The status says it all, and the proof is made here; the first token is the one that was asked for."""
    fields = ((b"sec-websocket-protocol", b"chat"), (b"server", b"x"))
    offer = replace(WS, tokens=(UpgradeProtocol(b"websocket"), UpgradeProtocol(b"tcp")))
    switch = judge(ResponseHead(200, b"", fields, b"HTTP/2"), offer, head_of(REQUEST))
    assert switch == Switch(b"websocket", (*fields, (b"Sec-WebSocket-Accept", ACCEPT)), "chat", framed=True)
    with pytest.raises(WrongSwitch, match="mqtt"):
        judge(ResponseHead(200, b"", ((b"sec-websocket-protocol", b"mqtt"),), b"HTTP/2"), offer, head_of(REQUEST))


def test_from_http2_to_http2() -> None:
    """There is no key on either side."""
    offer = replace(WS, handshake=replace(_opening(), key=None))
    switch = judge(ResponseHead(200, b"", ((b"x-a", b"1"),), b"HTTP/2"), offer, stream_head())
    assert switch == Switch(b"websocket", ((b"x-a", b"1"),), None, framed=True)


#: What a client offers, what the route allows, and what goes to the upstream.
OFFERED = [
    (b"tcp, websocket", ("*",), (b"tcp", b"websocket")),
    (b"tcp, websocket", ("websocket", "SPDY/3.1"), (b"websocket",)),
    (b"WebSocket", ("websocket",), (b"WebSocket",)),
    (b"SPDY/3.1, spdy/3.1, SPDY/3", ("spdy/3.1",), (b"SPDY/3.1", b"spdy/3.1")),
    (b"tcp, tcp", ("*",), (b"tcp",)),
    (b"h2c, tcp, H2, h2C/1", ("*",), (b"tcp",)),
    (b"tcp@, IF-T/TLS 1.0", ("*",), ()),
]


@pytest.mark.parametrize(("upgrade", "allowed", "expected"), OFFERED)
def test_what_goes_to_the_upstream(upgrade: bytes, allowed: tuple[str, ...], expected: tuple[bytes, ...]) -> None:
    """What was offered and is allowed, in the client's order; never h2c and h2, however they are spelled (A-01)."""
    head = head_of(replaced(WEBSOCKET, b"Upgrade", upgrade))
    assert tuple(map(bytes, tokens_for(head, parse_tokens(allowed), lenient=False))) == expected


def test_h2c_over_several_lines() -> None:
    """A-01: a list may span lines, and each member is looked at."""
    head = head_of(replaced(WEBSOCKET, b"Upgrade", b"tcp,", b" h2c ", b",H2C,websocket"))
    assert list(map(bytes, tokens_for(head, parse_tokens(["*"]), lenient=False))) == [b"tcp", b"websocket"]


def test_websocket_is_asked_for_with_get() -> None:
    """RFC 6455 section 4.1: with another method, or with content, it is not among what is offered."""
    head = head_of(replaced(WEBSOCKET, b"Upgrade", b"websocket, tcp"), method=b"POST")
    assert list(map(bytes, tokens_for(head, parse_tokens(["*"]), lenient=False))) == [b"tcp"]
    head = head_of(has_content=True)
    assert tokens_for(head, parse_tokens(["websocket"]), lenient=False) == ()


def test_a_version_with_a_space() -> None:
    """Only where the route says so."""
    head = head_of(replaced(WEBSOCKET, b"Upgrade", b"IF-T/TLS 1.0"))
    allowed = parse_tokens(["IF-T/TLS 1.0"], ["no-connection-option"])
    assert list(map(bytes, tokens_for(head, allowed, lenient=True))) == [b"IF-T/TLS 1.0"]
    assert tokens_for(head, allowed, lenient=False) == ()


def test_extended_connect_asks_for_one() -> None:
    """RFC 8441 section 4: its token is what goes on."""
    assert tokens_for(stream_head(b"echo/2"), (), lenient=False) == (UpgradeProtocol(b"echo", b"2"),)
