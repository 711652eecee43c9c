"""Rows on what must not become a tunnel: a switch that nobody asked for, or that is not the one that was asked for."""

from __future__ import annotations

from tests.gateway import frames
from tests.gateway.rows import Front, Outcome, Row, came, echo, plain, request, row, switched, to
from tests.gateway.upstream import Answer, Asked, text
from tests.gateway.wire import Wire

ROWS: list[Row] = []

UPGRADE_TO_TCP = ("Connection: Upgrade", "Upgrade: tcp")
#: RFC 7540 section 3.2, as curl 7.88 asks.
H2C = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA")


def answers(*lines: str) -> Answer:
    """Return what answers 101 with these lines, whatever was asked, and then stays."""

    def answer(wire: Wire, _asked: Asked) -> None:
        wire.send(switched(*lines))
        echo(wire)

    return answer


def is_refused(front: Front, asked: bytes, answer: Answer) -> Outcome:
    """Tell what becomes of a wrong 101; one clear 502 is right."""
    with front.ask(asked, answer) as wire:
        head = wire.head()
        if head is None:
            return Outcome("cut" if wire.ended else "hangs", right=False)
        if head.status == 101:
            wire.send(b"data")
            heard = wire.piece()
            page = b"HTTP/1.1 502" in heard
            return Outcome("101 and a 502" if page else "tunnelled" if heard == b"data" else "101", right=False)
        wire.content(head)
        return Outcome(came(head), head.status == 502)


@row("wrong token in the 101", ROWS)
def wrong_token(front: Front) -> Outcome:
    """A token that the client has not offered is no switch."""
    return is_refused(front, request("GET /", *UPGRADE_TO_TCP), answers(*to("other")))


@row("a token too many in the 101", ROWS)
def a_token_too_many(front: Front) -> Outcome:
    """Every member of the list must have been offered."""
    return is_refused(front, request("GET /", *UPGRADE_TO_TCP), answers(*to("tcp, other")))


@row("101 without Connection: upgrade", ROWS)
def no_connection_option_in_the_101(front: Front) -> Outcome:
    """Upgrade is hop-by-hop, and says nothing unless Connection names it."""
    return is_refused(front, request("GET /", *UPGRADE_TO_TCP), answers("Upgrade: tcp"))


@row("bad Sec-WebSocket-Accept", ROWS)
def bad_accept(front: Front) -> Outcome:
    """A server that answers to another key has not understood the request."""
    wrong = f"Sec-WebSocket-Accept: {frames.accept_for('another')}"
    return is_refused(front, request("GET /", *frames.FIELDS), answers(*to("websocket", wrong)))


@row("Accept right but for its case", ROWS)
def accept_in_lower_case(front: Front) -> Outcome:
    """Base64 knows upper and lower case."""
    wrong = f"Sec-WebSocket-Accept: {frames.accept_for(frames.KEY).swapcase()}"
    return is_refused(front, request("GET /", *frames.FIELDS), answers(*to("websocket", wrong)))


@row("no Sec-WebSocket-Accept", ROWS)
def missing_accept(front: Front) -> Outcome:
    """A server that says nothing of the key has not understood the request either."""
    return is_refused(front, request("GET /", *frames.FIELDS), answers(*to("websocket")))


@row("unsolicited 101", ROWS)
def unsolicited(front: Front) -> Outcome:
    """A plain request cannot be switched."""
    return is_refused(front, request("GET /"), answers(*to("tcp")))


def is_ignored(front: Front, asked: bytes) -> Outcome:
    """Tell what becomes of an upgrade that was not asked for properly; a plain request is right."""

    def answer(wire: Wire, asked: Asked) -> None:
        if asked.head.all("upgrade"):
            accept = f"Sec-WebSocket-Accept: {frames.accept_for(frames.KEY)}"
            wire.send(switched(*to("websocket", accept)))
        else:
            plain(wire)

    with front.ask(asked, answer) as wire:
        head = wire.head()
        seen = front.upstream.asked() if head and head.status == 200 else None
    if head is not None and head.status == 101:
        return Outcome("upgraded", right=False)
    right = seen is not None and not seen.head.all("upgrade")
    return Outcome("ignored" if right else came(head), right)


@row("Upgrade without Connection", ROWS)
def no_connection_option(front: Front) -> Outcome:
    """RFC 9110 section 7.8: without the connection option the field is ignored."""
    return is_ignored(front, request("GET /", *frames.FIELDS[1:]))


@row("HTTP/1.0 with Upgrade", ROWS)
def http_1_0(front: Front) -> Outcome:
    """RFC 9110 section 7.8: in a request of HTTP/1.0 the field is ignored."""
    return is_ignored(front, request("GET /", *frames.FIELDS, version="HTTP/1.0"))


def not_forwarded(front: Front, asked: bytes, content: bytes = b"") -> Outcome:
    """Tell whether an offer of h2c stays in front of the gateway, and the request is answered all the same."""
    with front.ask(asked, text("plain")) as wire:
        head = wire.head()
        seen = front.upstream.asked()
        own = head is not None and head.status == 101
    if seen is None:
        return Outcome("own h2c" if own else came(head), right=own)
    options = [*seen.head.list("upgrade"), *seen.head.list("connection")]
    if "h2c" in options or "h2" in options or "http2-settings" in options or seen.head.all("http2-settings"):
        return Outcome("forwarded", right=False)
    right = own or (head is not None and head.status == 200 and seen.content == content)
    return Outcome("own h2c" if own else "not forwarded" if right else came(head), right)


@row("h2c offer (curl --http2)", ROWS)
def h2c(front: Front) -> Outcome:
    """A tunnel in which an upstream speaks HTTP/2 would go round every rule of the gateway."""
    return not_forwarded(front, request("GET /", "User-Agent: curl/7.88.1", "Accept: */*", *H2C))


@row("h2c offer with content", ROWS)
def h2c_with_content(front: Front) -> Outcome:
    """The content of a request whose offer is ignored reaches the upstream whole."""
    asked = request("POST /", *H2C, "Content-Length: 9", content=b"the whole")
    return not_forwarded(front, asked, b"the whole")


@row("h2c hidden on a second line", ROWS)
def h2c_hidden(front: Front) -> Outcome:
    """A list may stand on several lines, in any case, and the fields need not be there."""
    lines = ("Connection: Upgrade", "Upgrade: tcp", "Upgrade: other, H2C", "HTTP2-Settings: AAMAAABk")
    return not_forwarded(front, request("GET /", *lines))


@row("426 with its Upgrade list", ROWS)
def upgrade_required(front: Front) -> Outcome:
    """What the upstream asks for reaches the client, with the connection option that the field needs."""
    answer = text("switch, please", "Upgrade: websocket", "Connection: upgrade", status="426 Upgrade Required")
    with front.ask(request("GET /"), answer) as wire:
        head = wire.head()
        content = wire.content(head) if head else b""
    if head is None or head.status != 426:
        return Outcome(came(head), right=False)
    if head.list("upgrade") != ["websocket"]:
        return Outcome("Upgrade lost", right=False)
    wrong = ["no option"] if "upgrade" not in head.list("connection") else []
    wrong += ["Accept added"] * bool(head.all("sec-websocket-accept"))
    return Outcome(", ".join(wrong) or "yes", not wrong and content == b"switch, please")
