"""Answers and the words that are made of them, one by one."""

from __future__ import annotations

import pytest

from upgradegw.client.response import UpgradeResponse
from upgradegw.negotiation.model import Fields
from upgradegw.negotiation.websocket import accept_value
from upgradegw.probe.arguments import read
from upgradegw.probe.verdicts import Verdict, judge

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
SWITCH: Fields = ((b"Upgrade", b"websocket"), (b"Connection", b"Upgrade"), (b"Sec-WebSocket-Accept", accept_value(KEY)))


def verdict(
    status: int,
    fields: Fields = (),
    *options: str,
    version: bytes = b"HTTP/1.1",
    phrase: bytes = b"",
    body: bytes = b"",
) -> Verdict:
    wish = read(["http://a.example/ws", *options])
    key = KEY if wish.is_websocket and not wish.http2 else None
    return judge(wish, UpgradeResponse(status, phrase, fields, version), body, key)


def test_a_right_websocket() -> None:
    """CL-09: a right handshake is told with its subprotocol and its extensions."""
    assert verdict(101, SWITCH) == Verdict(True, "ok: switched to websocket (no subprotocol, no extension)")
    more = ((b"Sec-WebSocket-Protocol", b"b"), (b"Sec-WebSocket-Extensions", b"permessage-deflate"))
    found = verdict(101, (*SWITCH, *more), "--subprotocol", "a", "--subprotocol", "b")
    assert found == Verdict(True, "ok: switched to websocket (subprotocol b, permessage-deflate)")


def test_a_right_switch() -> None:
    """CL-02: another token needs no more than its name, whatever its case."""
    fields = ((b"upgrade", b"FEED/2"), (b"connection", b"x, upgrade"))
    assert verdict(101, fields, "--token", "feed/2") == Verdict(True, "ok: switched to feed/2")


def test_a_right_switch_over_http_2() -> None:
    """Over HTTP/2 it is a 200 without Upgrade and without an Accept."""
    assert verdict(200, (), "--http2", version=b"HTTP/2").switched
    assert verdict(200, (), "--http2", "--token", "feed", version=b"HTTP/2").switched


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (SWITCH[:2], "there is no Sec-WebSocket-Accept"),
        ((*SWITCH[:2], (b"Sec-WebSocket-Accept", b"wrong")), "is wrong, and belongs to another key"),
        ((*SWITCH, SWITCH[2]), "belongs to another key"),
        ((*SWITCH[:1], SWITCH[2]), "a 101 without Connection: upgrade"),
        (SWITCH[1:], "a 101 without Upgrade"),
        ((*SWITCH[1:], (b"Upgrade", b"h2c")), "a switch to h2c, and websocket was offered"),
        ((*SWITCH, (b"Content-Length", b"0")), "content-length"),
        ((*SWITCH, (b"Sec-WebSocket-Protocol", b"c")), "the subprotocol c was not offered"),
        ((*SWITCH, (b"Sec-WebSocket-Protocol", b"a"), (b"Sec-WebSocket-Protocol", b"a")), "a and a was not offered"),
        ((*SWITCH, (b"Sec-WebSocket-Extensions", b"x-zip")), "the extensions x-zip were not offered"),
        ((*SWITCH, (b"Sec-WebSocket-Extensions", b";;")), "the extensions ;; were not offered"),
    ],
)
def test_a_wrong_switch(fields: Fields, words: str) -> None:
    """CL-09: what a client must not accept is said to be wrong, though the status is 101."""
    found = verdict(101, fields, "--subprotocol", "a")
    assert not found.switched
    assert found.text.startswith("the server switched, but wrongly, and a client must leave: ")
    assert words in found.text


@pytest.mark.parametrize(
    ("status", "fields", "options", "words"),
    [
        (200, (), (), "a plain answer, as if nothing had been asked"),
        (302, ((b"Location", b"/login"),), (), "it points to /login"),
        (400, ((b"Sec-WebSocket-Version", b"8"),), (), "speaks WebSocket version 8"),
        (400, (), (), "malformed"),
        (401, ((b"WWW-Authenticate", b"Basic realm=x"),), (), "who asks (Basic realm=x): -H 'Authorization:"),
        (403, (), (), "try --origin"),
        (403, (), ("--origin", "https://b.example"), "try --origin http://a.example, or allow this one"),
        (403, (), ("--origin", "http://a.example"), "--trusted-proxy"),
        (404, (), (), "nothing at /ws"),
        (405, ((b"Allow", b"GET"),), ("--method", "POST"), "POST does not go with this upgrade: try --method GET"),
        (405, (), ("--http2",), "knows no extended CONNECT"),
        (421, (), ("--http2",), "not responsible for a.example"),
        (426, ((b"Upgrade", b"feed/2"),), (), "serves feed/2 here, not websocket: try --token feed/2"),
        (426, ((b"Upgrade", b"WebSocket"),), (), "the offer did not reach it: a proxy in front"),
        (426, ((b"Upgrade", b"websocket"), (b"Sec-WebSocket-Version", b"13")), (), "speaks WebSocket version 13"),
        (426, (), (), "does not say which"),
        (429, (), (), "Retry-After"),
        (500, (), (), "access log"),
        (501, (), ("--http2", "--token", "feed"), "does not know feed"),
        (502, (), (), "a proxy in front reaches no server"),
        (503, (), (), "has no server to ask"),
        (504, (), (), "waited in vain"),
    ],
)
def test_refusals(status: int, fields: Fields, options: tuple[str, ...], words: str) -> None:
    """Each status says what it means here, and what to try."""
    found = verdict(status, fields, *options, version=b"HTTP/2" if "--http2" in options else b"HTTP/1.1")
    if "--http2" in options:
        assert not found.switched
    assert (found.switched, found.text.startswith(f"not switched: {status}: ")) == (False, True), found
    assert words in found.text


def test_what_is_offered_by_hand_counts() -> None:
    """CL-09: subprotocols and extensions in fields of one's own were offered, too, and nothing else was."""
    by_hand = "-H", "Sec-WebSocket-Protocol: x, y", "-H", "Sec-WebSocket-Extensions: x-zip"
    chosen = (b"Sec-WebSocket-Protocol", b"y"), (b"Sec-WebSocket-Extensions", b"x-zip")
    assert verdict(101, (*SWITCH, *chosen), *by_hand).switched
    assert not verdict(101, (*SWITCH, (b"Sec-WebSocket-Extensions", b"permessage-deflate")), *by_hand).switched


def test_http_1_0() -> None:
    """CL-02: an answer in HTTP/1.0 tells of a server or proxy that has no upgrades."""
    assert "has no upgrade" in verdict(426, version=b"HTTP/1.0").text
    assert "in HTTP/1.0, which has none" in verdict(101, SWITCH, version=b"HTTP/1.0").text


def test_a_port_that_wants_tls() -> None:
    """Servers that find HTTP on a TLS port say so in a 400; that is told, and not believed of others."""
    body = b"The plain HTTP request was sent to HTTPS port"
    assert "the server speaks TLS here" in verdict(400, body=body).text
    assert "TLS" not in verdict(404, body=body).text


def test_phrases_cannot_reach_the_terminal() -> None:
    """What the server wrote stands in the verdict escaped."""
    assert r"not switched: 418 a\xffb: " in verdict(418, phrase=b"a\xffb").text
