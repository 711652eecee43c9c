"""Fields on their way through the gateway."""

from __future__ import annotations

import pytest

from tests.negotiation.heads import head_of
from upgradegw.negotiation.model import Fields, Refuse, UpgradeProtocol
from upgradegw.negotiation.reasons import Reason
from upgradegw.proxy.exchange import ResponseHead
from upgradegw.proxy.fields import ANY, may_be_tunnelled, request_fields, response_fields
from upgradegw.proxy.forwarded import Sender

STRANGER = Sender("192.0.2.7", False, b"http", b"a.example")
PROXY = Sender("10.0.0.1", True, b"https", b"shop.example")
#: What is added for the stranger.
ADDED = (
    (b"Via", b"1.1 upgradegw"),
    (b"X-Forwarded-For", b"192.0.2.7"),
    (b"X-Forwarded-Proto", b"http"),
    (b"X-Forwarded-Host", b"a.example"),
)


def passed(*lines: tuple[bytes, bytes], sender: Sender = STRANGER, style: str = "x-forwarded") -> Fields:
    """What is left of a request's lines, without those that were added at the end."""
    fields = request_fields(head_of(((b"Host", b"a.example"), *lines)), sender, style)
    assert not isinstance(fields, Refuse), fields
    added = [name for name, _ in fields].index(b"Via")
    return fields[:added]


def refused(*lines: tuple[bytes, bytes]) -> Refuse:
    """Why a request with these lines is not passed on."""
    refuse = request_fields(head_of(((b"Host", b"a.example"), *lines)), STRANGER)
    assert isinstance(refuse, Refuse), refuse
    return refuse


# --- Requests.


def test_hop_by_hop_fields_stay() -> None:
    """UP-17: what Connection names and the known fields of one connection do not pass."""
    assert passed(
        (b"Connection", b"X-A, close"),
        (b"connection", b"keep-alive , x-b"),
        (b"X-A", b"1"),
        (b"x-b", b"2"),
        (b"X-C", b"3"),
        (b"Proxy-Connection", b"keep-alive"),
        (b"Keep-Alive", b"timeout=5"),
        (b"TE", b"trailers"),
        (b"Trailer", b"X-T"),
        (b"Transfer-Encoding", b"chunked"),
        (b"Content-Length", b"5"),
        (b"Proxy-Authorization", b"Basic eA=="),
        (b"Proxy", b"http://192.0.2.66:8080"),
    ) == ((b"X-C", b"3"),)


def test_h2c_never_passes() -> None:
    """HC-11, A-01: no Upgrade, however spelled or split, and no HTTP2-Settings goes to the upstream as it came."""
    lines = [
        (b"Connection", b"Upgrade, HTTP2-Settings"),
        (b"Upgrade", b"h2c"),
        (b"upgrade", b"web"),
        (b"UPGRADE", b"H2C, websocket"),
        (b"HTTP2-Settings", b"AAMAAABkAAQCAAAAAAIAAAAA"),
    ]
    assert passed(*lines) == ()
    assert passed(*lines[1:]) == ()


@pytest.mark.parametrize(
    "option",
    [b"Host", b"Cookie", b"X-Forwarded-For", b"Content-Length", b"Authorization", b"Forwarded", b"sec-websocket-key"],
)
def test_protected_fields_are_not_to_be_removed(option: bytes) -> None:
    """UP-18, A-11: a request whose Connection names what the next hop relies on is refused."""
    refuse = refused((b"Connection", b"close, " + option))
    assert (refuse.reason, refuse.status) == (Reason.PROTECTED_CONNECTION_OPTION, 400)


def test_control_characters() -> None:
    """A-10: a value with control characters goes nowhere."""
    for byte in (b"\x0b", b"\x00", b"\x1c", b"\x7f"):
        refuse = refused((b"X-A", b"a" + byte + b"b"))
        assert (refuse.reason, refuse.status) == (Reason.CONTROL_CHARACTERS, 400)


def test_repeated_lines_stay() -> None:
    """Repeated fields are neither joined nor reordered; end-to-end fields pass as they came."""
    lines = (
        (b"X-Stream-Protocol-Version", b"v5.channel.k8s.io"),
        (b"X-Stream-Protocol-Version", b"v4.channel.k8s.io"),
        (b"Authorization", b"Bearer t"),
        (b"Cookie", b"a=1"),
        (b"X-Empty", b""),
        (b"X-Latin", b"\xe9"),
        (b"X-Stream-Protocol-Version", b"channel.k8s.io"),
    )
    assert passed(*lines) == lines


def test_what_is_added() -> None:
    """RFC 9110 section 7.6.3: Via has an entry of ours behind those that are there."""
    lines = ((b"Host", b"a.example"), (b"Via", b"1.0 fred"))
    assert request_fields(head_of(lines), STRANGER) == ((b"Via", b"1.0 fred"), *ADDED)
    over_http2 = request_fields(head_of(lines, http_version=b"HTTP/2"), STRANGER)
    assert (b"Via", b"2 upgradegw") in over_http2  # type: ignore[operator]


def test_a_strangers_word_on_itself() -> None:
    """A-34: fields that tell of the client do not pass from a stranger, in any spelling."""
    lies = (
        (b"X-Forwarded-For", b"203.0.113.9"),
        (b"x-forwarded-port", b"443"),
        (b"X-Real-IP", b"203.0.113.9"),
        (b"Forwarded", b"for=203.0.113.9"),
        (b"X-Forwarded-Prefix", b"/admin"),
    )
    assert passed(*lies) == ()


def test_a_trusted_proxys_word() -> None:
    """A-34: those of a trusted proxy pass, except the ones that are written anew."""
    lines = (
        (b"X-Forwarded-For", b"203.0.113.9"),
        (b"X-Forwarded-Port", b"443"),
        (b"X-Real-IP", b"203.0.113.9"),
        (b"Forwarded", b"for=203.0.113.9"),
    )
    assert passed(*lines, sender=PROXY) == (lines[1], lines[2])
    assert passed(*lines, sender=PROXY, style="forwarded") == (lines[2],)
    assert passed(*lines, sender=PROXY, style="both") == (lines[1], lines[2])


@pytest.mark.parametrize(
    "name",
    [
        b"X_Forwarded_For",
        b"x_forwarded-for",
        b"X.Forwarded.For",
        b"Sec_WebSocket_Key",
        b"Content_Length",
        b"Transfer_Encoding",
        b"Proxy_Connection",
        b"X_User",
        b"x~user",
    ],
)
def test_twins(name: bytes) -> None:
    """A-43: a name that would be taken for one of ours, or for another of the request, is dropped."""
    assert passed((b"X-User", b"alice"), (name, b"evil")) == ((b"X-User", b"alice"),)


def test_other_odd_names_pass() -> None:
    """A-43: a name with an underscore that is nobody's twin is the upstream's affair."""
    assert passed((b"my_own", b"1"), (b"X_User", b"2")) == ((b"my_own", b"1"), (b"X_User", b"2"))


def test_expect() -> None:
    """Expect passes where the client still waits, and not where what it asked for is done."""
    head = head_of(((b"Host", b"a.example"), (b"Expect", b"100-continue")))
    assert request_fields(head, STRANGER) == ADDED
    assert request_fields(head, STRANGER, expects=True) == ((b"Expect", b"100-continue"), *ADDED)


# --- Responses.

WEBSOCKET = (UpgradeProtocol(b"websocket"),)


def answered(
    *lines: tuple[bytes, bytes],
    status: int = 200,
    length: int | None = None,
    tokens: tuple[UpgradeProtocol, ...] = WEBSOCKET,
    http_version: bytes = b"HTTP/1.1",
) -> Fields:
    """What of a response's lines reaches the client."""
    return response_fields(ResponseHead(status, b"", lines, b"HTTP/1.1", length), tokens, http_version)


def test_response_fields_pass() -> None:
    """Repeated fields of a response, Set-Cookie above all, stay separate and in order."""
    lines = ((b"Set-Cookie", b"a=1, b"), (b"X-A", b"1"), (b"Set-Cookie", b"c=2"), (b"Via", b"1.1 other"))
    assert answered(*lines) == lines


def test_hop_by_hop_fields_of_a_response() -> None:
    """UP-17: those of the upstream's connection stay here, with what its Connection names."""
    assert (
        answered(
            (b"Connection", b"keep-alive, X-Hop"),
            (b"X-Hop", b"1"),
            (b"Keep-Alive", b"timeout=5"),
            (b"Transfer-Encoding", b"chunked"),
            (b"Trailer", b"X-T"),
            (b"Proxy-Authenticate", b"Basic"),
        )
        == ()
    )


def test_length_of_a_response() -> None:
    """Content-Length is said once, as it was understood, and not in a 204 or 1xx (RFC 9110 section 8.6)."""
    lines = ((b"Content-Length", b"5"), (b"content-length", b"5"))
    assert answered(*lines, length=5) == ((b"Content-Length", b"5"),)
    assert answered(*lines, length=0, status=204) == ()
    assert answered(*lines, length=5, status=103) == ()
    assert answered() == ()


def test_upgrade_of_a_response() -> None:
    """HC-11: of what the upstream offers, the client reads what may be tunnelled; over HTTP/2 nothing."""
    lines = ((b"Upgrade", b"h2,h2c, websocket"), (b"Connection", b"Upgrade"), (b"Upgrade", b"tcp"))
    offer = ((b"Upgrade", b"websocket"), (b"Connection", b"upgrade"))
    assert answered(*lines, status=426) == offer
    assert answered(*lines, tokens=(ANY,))[0] == (b"Upgrade", b"websocket, tcp")
    assert answered(*lines, tokens=()) == ()
    assert answered(*lines, http_version=b"HTTP/2") == ()
    assert answered(*lines, http_version=b"HTTP/1.0") == ()


@pytest.mark.parametrize(
    ("token", "tunnelled"),
    [
        (b"tcp", True),
        (b"H2C", False),
        (b"h2", False),
        (b"h2c/1", False),
        (b"h2c-14", False),
        (b"H2-17", False),
        (b"HTTP/2.0", False),
        (b"http/3", False),
        (b"HTTP/1.1", True),
        (b"h2x", True),
        (b"httpx/2", True),
    ],
)
def test_what_may_be_tunnelled(token: bytes, tunnelled: bool) -> None:
    """HC-11, A-01: even where all tokens are let through, HTTP/2 is not, nor as its drafts called it."""
    assert may_be_tunnelled(UpgradeProtocol.parse(token), (ANY,)) == tunnelled
    assert not may_be_tunnelled(UpgradeProtocol.parse(token), WEBSOCKET)
