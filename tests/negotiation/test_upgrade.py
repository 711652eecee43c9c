"""The decision on an Upgrade field."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.negotiation.heads import (
    WEBSOCKET,
    Offer,
    WebSocketOffer,
    head_of,
    offer,
    replaced,
    with_lines,
)
from upgradegw.negotiation.model import Candidate, Decline, Refuse, RequestHead, UpgradeProtocol
from upgradegw.negotiation.reasons import Reason
from upgradegw.negotiation.upgrade import negotiate, offered, refusal

WS = offer(b"websocket")


def decide(head: RequestHead, *supported: Offer | WebSocketOffer) -> Candidate[Offer] | Decline | Refuse:
    """Negotiate with what is supported: WebSocket if nothing is said."""
    return negotiate(head, supported or (WS,))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], []),
        ([b"websocket"], [b"websocket"]),
        ([b"foo/1, websocket", b"bar"], [b"foo/1", b"websocket", b"bar"]),
        ([b'foo/, /1, /, a/b/c, websocket websocket, "x", a/b c, ok'], [b"ok"]),
    ],
)
def test_offered(lines, expected):
    """UP-05, UP-06: the protocols of all lines in the client's order, without what does not follow the grammar."""
    assert [bytes(token) for token in offered(tuple((b"upgrade", line) for line in lines))] == expected


def test_candidate():
    """UP-01: a right request is a candidate, with the token as the client wrote it and what the check learned."""
    outcome = decide(with_lines(b"Upgrade", b"WebSocket"))
    assert outcome == Candidate(WS, UpgradeProtocol(b"WebSocket"), "checked websocket")


@pytest.mark.parametrize("token", [b"WebSocket", b"wEbSoCkEt", b"WEBSOCKET"])
def test_case_of_token(token):
    """UP-04: the name is compared without regard to case."""
    assert isinstance(decide(with_lines(b"Upgrade", token)), Candidate)


@pytest.mark.parametrize(
    "lines",
    [[b"foo/1, websocket"], [b"foo/1", b"websocket"], [b",,websocket,"], [b"websocket/, websocket"]],
)
def test_list_of_tokens(lines):
    """UP-05: Upgrade is a list over all its lines; what is unknown or malformed is passed over."""
    assert isinstance(decide(with_lines(b"Upgrade", *lines)), Candidate)


@pytest.mark.parametrize(
    "token",
    [b"foo", b"websocket/13", b"websocketx", b"websocket websocket", b"websocket/", b'"websocket"', b"h2c", b"/"],
)
def test_unsupported_token(token):
    """UP-03, UP-06: nothing is spoken that was not offered, by name and version."""
    outcome = decide(with_lines(b"Upgrade", token))
    assert isinstance(outcome, Decline)
    assert outcome.reason is Reason.UNSUPPORTED_TOKEN
    assert token.decode() in outcome.detail


@pytest.mark.parametrize("lines", [[], [b""], [b" , "]])
def test_no_upgrade(lines):
    """UP-07: a request that offers nothing is a plain one."""
    assert decide(with_lines(b"Upgrade", *lines)) == Decline(Reason.NO_UPGRADE)


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        (b"HTTP/1.0", Reason.HTTP_1_0),
        (b"HTTP/0.9", Reason.HTTP_1_0),
        (b"HTTP/1.2", Reason.HTTP_1_0),
        (b"HTTP/2", Reason.NO_UPGRADE),
        (b"http/1.1", Reason.NO_UPGRADE),
        (b"", Reason.NO_UPGRADE),
    ],
)
def test_http_version(version, reason):
    """UP-08, WS-01, A-07: Upgrade means something in HTTP/1.1 only."""
    assert decide(head_of(http_version=version)) == Decline(reason, version.decode())


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [b""],
        [b"keep-alive"],
        [b"upgraded"],
        [b'"upgrade"'],
        [b"up grade"],
        [b"keep-alive", b"close"],
        [b'", upgrade'],
    ],
)
def test_no_connection_option(lines):
    """UP-09, WS-04: without the connection option the field was forwarded improperly and is ignored."""
    outcome = decide(with_lines(b"Connection", *lines))
    assert isinstance(outcome, Decline)
    assert outcome.reason is Reason.NO_CONNECTION_OPTION


@pytest.mark.parametrize(
    "lines", [[b"keep-alive, uPgRaDe"], [b"keep-alive", b"Upgrade"], [b",upgrade,"], [b"close,Upgrade"]]
)
def test_connection_option(lines):
    """UP-09, WS-04: the option may stand anywhere in the list, in any case, on any line."""
    assert isinstance(decide(with_lines(b"Connection", *lines)), Candidate)


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"DELETE", b"HEAD", b"OPTIONS", b"get", b"CONNECT"])
def test_method(method):
    """UP-11, WS-01: the semantics of the request must be honoured, so the method must be one of the protocol's."""
    outcome = decide(head_of(method=method))
    assert outcome == Decline(Reason.METHOD_NOT_ALLOWED, f"{method.decode()} for websocket")


def test_content():
    """UP-12, A-04: content is never taken for the new protocol's bytes; only a protocol that asks for it gets it."""
    assert decide(head_of(has_content=True)) == Decline(Reason.CONTENT_NOT_ALLOWED, "GET for websocket")
    accepting = offer(b"websocket", b"GET", content=True)
    assert isinstance(decide(head_of(has_content=True), accepting), Candidate)


def test_first_that_fits():
    """The first token in the client's order that is supported, and whose method and content fit, is the token."""
    post, get, full = offer(b"a", b"POST"), offer(b"b"), offer(b"c", b"GET", content=True)
    head = with_lines(b"Upgrade", b"x, a, c, b")
    assert decide(head, post, get, full).upgrade is full
    assert decide(head, post, get).upgrade is get
    assert decide(head, post) == Decline(Reason.METHOD_NOT_ALLOWED, "GET for a")
    assert decide(head_of(head.fields, has_content=True), get, offer(b"c", b"GET"), post).detail == "GET for a"


def test_same_token_twice():
    """Two protocols of one name with different methods live on one path."""
    get, post = offer(b"a", b"GET"), offer(b"a", b"POST", content=True)
    head = with_lines(b"Upgrade", b"a")
    assert decide(head, get, post).upgrade is get
    assert decide(head_of(head.fields, method=b"POST", has_content=True), get, post).upgrade is post


def test_no_falling_back():
    """A token that is refused by its own rules is refused, also if the client offers another one behind it."""
    head = head_of(replaced(with_lines(b"Upgrade", b"websocket, feed").fields, b"Sec-WebSocket-Key", b"x"))
    outcome = decide(head, offer(b"feed"), WebSocketOffer())
    assert isinstance(outcome, Refuse)
    assert outcome.reason is Reason.BAD_KEY


@pytest.mark.parametrize(
    "option",
    [
        b"Host",
        b"content-length",
        b"Content-Type",
        b"Transfer-Encoding",
        b"COOKIE",
        b"Authorization",
        b"Expect",
        b"Forwarded",
        b"X-Forwarded-For",
        b"x-forwarded-proto",
        b"X-Real-IP",
        b"Via",
        b"Origin",
        b"Sec-WebSocket-Key",
        b"Sec-WebSocket-Version",
        b"Sec-Fetch-Site",
    ],
)
def test_protected_connection_option(option):
    """UP-18, A-11: a connection option that would have a proxy strip what the next hop relies on is refused."""
    outcome = decide(with_lines(b"Connection", b"upgrade, " + option))
    assert outcome == Refuse(Reason.PROTECTED_CONNECTION_OPTION, 400, detail=f"Connection: {option.lower().decode()}")


@pytest.mark.parametrize("option", [b"close", b"keep-alive", b"TE", b"HTTP2-Settings", b"X-Anything", b"Cookies"])
def test_other_connection_options(option):
    """UP-17: options that are the connection's own business do not stand against a switch."""
    assert isinstance(decide(with_lines(b"Connection", option, b"upgrade")), Candidate)


@pytest.mark.parametrize("byte", [*range(9), *range(0x0A, 0x20), 0x7F])
def test_control_characters(byte):
    """A-10, A-35: a control character in any field value is refused."""
    head = with_lines(b"Cookie", b"n=" + bytes([byte]) + b"X-User: admin")
    outcome = decide(head)
    assert isinstance(outcome, Refuse)
    assert (outcome.reason, outcome.status) == (Reason.CONTROL_CHARACTERS, 400)
    assert outcome.detail.startswith("Cookie: n=\\")


@pytest.mark.parametrize("value", [b"a\tb", b"\xc3\x85", b"\x85", b"\x80\xff"])
def test_no_control_characters(value):
    """A-10: HTAB, and bytes above ASCII (the UTF-8 form of a letter among them), are no control characters."""
    assert isinstance(decide(with_lines(b"Cookie", value)), Candidate)


def test_declined_before_refused():
    """A request whose offer is passed over is a plain one, whatever else is odd about it."""
    odd = replaced(replaced(WEBSOCKET, b"Connection", b"upgrade, cookie"), b"Cookie", b"\x0b")
    assert isinstance(decide(head_of(odd, method=b"POST")), Decline)


def test_protected_before_control():
    """The refusals come in one order, so that a log line is the same for the same request."""
    odd = replaced(replaced(WEBSOCKET, b"Connection", b"upgrade, cookie"), b"Sec-WebSocket-Key", b"\x0b")
    assert decide(head_of(odd), WebSocketOffer()).reason is Reason.PROTECTED_CONNECTION_OPTION
    odd = replaced(WEBSOCKET, b"Sec-WebSocket-Key", b"\x0b")
    assert decide(head_of(odd), WebSocketOffer()).reason is Reason.CONTROL_CHARACTERS


NO_STORE = (b"Cache-Control", b"no-store")


def test_426():
    """UP-02, UP-13, A-41: 426 names the supported protocols in order of preference, and may not be stored."""
    decline = Decline(Reason.NO_UPGRADE, "why")
    outcome = refusal(decline, head_of(), [offer(b"feed/2"), WS, offer(b"FEED/2"), offer(b"feed/2", b"POST")])
    fields = ((b"Upgrade", b"feed/2, websocket, FEED/2"), (b"Connection", b"upgrade"), NO_STORE)
    assert outcome == Refuse(Reason.NO_UPGRADE, 426, fields, "why")


@pytest.mark.parametrize("token", [b"h2c", b"H2C", b"h2", b"h2c/1"])
def test_426_without_h2c(token):
    """UP-13: HTTP/2 is never advertised, also where somebody supports it."""
    outcome = refusal(Decline(Reason.NO_UPGRADE), head_of(), [offer(token), WS])
    assert outcome.fields[0] == (b"Upgrade", b"websocket")


def test_426_for_head():
    """UP-11, UP-13: HEAD counts as GET."""
    assert refusal(Decline(Reason.METHOD_NOT_ALLOWED), head_of(method=b"HEAD"), [WS]).status == 426


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"DELETE", b"OPTIONS", b"get"])
def test_405(method):
    """UP-11: a method that no protocol of the path has gets 405, with those that there are."""
    supported = [WS, offer(b"tcp", b"PATCH", b"GET"), offer(b"h2c", b"OPTIONS")]
    outcome = refusal(Decline(Reason.METHOD_NOT_ALLOWED, "x"), head_of(method=method), supported)
    fields = ((b"Allow", b"GET, PATCH"), NO_STORE)
    assert outcome == Refuse(Reason.METHOD_NOT_ALLOWED, 405, fields, f"method {method.decode()}")


def test_405_for_head():
    """HEAD counts as GET also where there is no GET."""
    assert refusal(Decline(Reason.NO_UPGRADE), head_of(method=b"HEAD"), [offer(b"tcp", b"POST")]).status == 405


def test_nothing_to_advertise():
    """A path without a protocol that may be named allows no method (RFC 9110 section 10.2.1), and sends no 426."""
    outcome = refusal(Decline(Reason.NO_UPGRADE), head_of(), [offer(b"h2c")])
    assert (outcome.status, outcome.fields[0]) == (405, (b"Allow", b""))


@dataclass(frozen=True)
class Lenient(Offer):
    """A protocol that may be asked for without ``Connection: upgrade``."""

    needs_connection_option: bool = False


IFT = Lenient(UpgradeProtocol(b"IF-T", b"TLS 1.0"))


@pytest.mark.parametrize("connection", [(), (b"keep-alive",), (b"Upgrade",)])
def test_lenient(connection):
    """UP-09: where a protocol says so it is found without ``Connection: upgrade``, and with a space in its version."""
    head = head_of(replaced(replaced(WEBSOCKET, b"Connection", *connection), b"Upgrade", b"foo, if-t/TLS 1.0"))
    decision = negotiate(head, [WS, IFT])
    assert (decision.upgrade, bytes(decision.token)) == (IFT, b"if-t/TLS 1.0")


def test_lenient_for_itself_alone():
    """UP-09: that holds for no other protocol of the same resource."""
    head = with_lines(b"Connection", b"keep-alive")
    assert negotiate(head, [WS, IFT]) == Decline(Reason.NO_CONNECTION_OPTION, "Connection: keep-alive")
    assert isinstance(negotiate(head_of(), [IFT, WS]), Candidate)
