"""The question, over HTTP/1.1 or HTTP/2, and the answer as it came; what follows a switch is read and written here."""

from __future__ import annotations

from dataclasses import dataclass, field

from upgradegw.client.reading import ResponseReader
from upgradegw.client.request import request_head
from upgradegw.client.response import BadUpgradeResponse, UpgradeResponse
from upgradegw.http2.asking import Asking, NotHttp2
from upgradegw.negotiation.model import Fields
from upgradegw.probe.arguments import Wish
from upgradegw.probe.connecting import Deadline, NoAnswer, ProbeFailed, Wire
from upgradegw.probe.transcript import Transcript, field_lines
from upgradegw.probe.websocket import first_frame, new_key, opening_fields

#: Bytes of a head and of a refusal's content that are read.
_MAX_HEAD, _MAX_BODY = 64 * 1024, 64 * 1024

#: How a person knows HTTP/2 from a server that answers its preface in HTTP/1.1.
_HTTP1 = b"HTTP/1."


@dataclass
class Answered:
    """An answer, and the connection as it is behind it.

    Attributes:
        response: The answer.
        body: A refusal's content.
        key: The WebSocket key that was sent, or None.
        leading: What came behind a switch, so far.
        wire: The connection.
        asking: On HTTP/2, the stream.
    """

    response: UpgradeResponse
    body: bytes
    key: bytes | None
    wire: Wire
    leading: bytes = b""
    asking: Asking | None = field(default=None, repr=False)

    def frame(self, opcode: int, seconds: float) -> bytes | None:
        """Wait for a WebSocket frame of a kind and return its content; None if none comes in time."""
        patience = Deadline(seconds)
        going = True
        while (found := first_frame(self.leading, opcode)) is None and going:
            going = not patience.over and self._more(patience.left)
        return found

    def _more(self, seconds: float) -> bool:
        """Wait for more behind the switch; False if nothing will follow."""
        try:
            data = self.wire.receive(seconds)
            if self.asking is None:
                self.leading += data
                return bool(data) and len(self.leading) < _MAX_BODY
            _feed(self.asking, data, self.wire)
        except (TimeoutError, ProbeFailed):
            return False
        self.leading, self.asking.content = self.leading + self.asking.content, b""
        return bool(data) and not self.asking.ended and len(self.leading) < _MAX_BODY

    def send(self, data: bytes) -> None:
        """Send bytes behind the switch, the last ones."""
        if self.asking is None:
            self.wire.send(data)
            return
        self.asking.send(data, end=True)
        self.wire.send(self.asking.unsent())


def _fields(wish: Wish, key: bytes | None) -> Fields:
    origin = () if wish.origin is None else ((b"Origin", wish.origin),)
    own = opening_fields(wish.subprotocols, key) if wish.is_websocket else ()
    given = {name.lower() for name, _ in wish.fields}
    # What is given by hand counts: a wrong version, for example, to see what the server says.
    return (*(each for each in own if each[0].lower() not in given), *origin, *wish.fields)


def ask_http1(wish: Wish, wire: Wire, transcript: Transcript) -> Answered:
    """Ask with Upgrade (RFC 9110 section 7.8).

    Args:
        wish: What to ask.
        wire: The connection.
        transcript: Shows both sides.

    Raises:
        ProbeFailed: There is no answer, or none in HTTP/1.1.
    """
    given = [value for name, value in wish.fields if name.lower() == b"sec-websocket-key"]
    key = (given[0] if given else new_key()) if wish.is_websocket else None
    length = None if wish.content is None else len(wish.content)
    head = request_head(wish.method, wish.target, wish.authority, wish.token, _fields(wish, key), length)
    transcript.sent(head.removesuffix(b"\r\n\r\n").split(b"\r\n"))
    wire.send(head + (wish.content or b""))
    reader = ResponseReader(_MAX_HEAD, _MAX_BODY, wish.method == b"HEAD", lambda head: _show(head, transcript))
    shown = False
    while not reader.complete:
        data = _next(wire, reader.response is not None)
        try:
            reader.feed(data)
        except BadUpgradeResponse as error:
            raise ProbeFailed(f"{error}{_advice(str(error))}") from None
        if reader.response is not None and not shown:
            _show(reader.response, transcript)
            shown = True
        if not data:
            break
    if reader.response is None:
        raise NoAnswer("the server closed the connection without an answer")
    transcript.content(reader.body)
    return Answered(reader.response, reader.body, key, wire, reader.leading_data)


def _next(wire: Wire, answered: bool) -> bytes:
    """Return more of the answer; none at its end, or when there is no waiting for the rest of a refusal."""
    try:
        return wire.receive()
    except (TimeoutError, ProbeFailed) as error:
        if answered:
            return b""
        if isinstance(error, ProbeFailed):
            raise
        raise ProbeFailed("the server took the request and does not answer; --timeout gives it more time") from None


def _advice(error: str) -> str:
    if "TLS" in error:
        return ": use https:// or wss://"
    return ": try --http2" if "HTTP/2" in error else ""


def _show(head: UpgradeResponse, transcript: Transcript) -> None:
    line = b"%b %d %b" % (head.http_version, head.status, head.phrase)
    transcript.received([line.rstrip(), *field_lines(head.fields)])


# --- HTTP/2.


def ask_http2(wish: Wish, wire: Wire, transcript: Transcript) -> Answered:
    """Ask with extended CONNECT (RFC 8441 section 4), once the server has said that one may.

    Args:
        wish: What to ask.
        wire: The connection.
        transcript: Shows both sides.

    Raises:
        ProbeFailed: There is no answer, or none in HTTP/2.
    """
    asking = Asking()
    wire.send(asking.unsent())
    while not asking.greeted:
        _turn(asking, wire)
    said = "1" if asking.extended_connect else "absent or 0"
    transcript.note(f"HTTP/2; the server's SETTINGS_ENABLE_CONNECT_PROTOCOL is {said}")
    if not asking.extended_connect:
        raise ProbeFailed(
            "the server speaks HTTP/2 but no extended CONNECT (RFC 8441): browsers use HTTP/1.1 for WebSockets then;"
            " try without --http2"
        )
    if not asking.has_room:
        raise ProbeFailed("the server lets nobody open a stream: its SETTINGS_MAX_CONCURRENT_STREAMS is 0")
    fields = _http2_fields(wish)
    if not asking.ended:
        transcript.sent(field_lines(fields))
        asking.ask(fields)
        wire.send(asking.unsent())
    while asking.status is None:
        if asking.ended:
            raise ProbeFailed(f"the server ended the stream without an answer ({asking.ending or 'in order'})")
        _turn(asking, wire)
    for status, each in asking.interim:
        transcript.received([b":status: %d" % status, *field_lines(each)])
    transcript.received([b":status: %d" % asking.status, *field_lines(asking.fields)])
    response = UpgradeResponse(asking.status, b"", asking.fields, b"HTTP/2")
    return _http2_answer(asking, response, wire, transcript)


def _http2_answer(asking: Asking, response: UpgradeResponse, wire: Wire, transcript: Transcript) -> Answered:
    if 200 <= response.status < 300:  # noqa: PLR2004 - the switch, RFC 8441 section 5
        leading, asking.content = asking.content, b""
        return Answered(response, b"", None, wire, leading, asking)
    while not asking.ended and len(asking.content) < _MAX_BODY:
        data = _next(wire, answered=True)
        if not data:
            break
        _feed(asking, data, wire)
    transcript.content(asking.content)
    return Answered(response, asking.content, None, wire, b"", asking)


def _http2_fields(wish: Wish) -> Fields:
    own = (
        (b":method", b"CONNECT"),
        (b":protocol", bytes(wish.token)),
        (b":scheme", b"https" if wish.secure else b"http"),
        (b":path", wish.target),
        (b":authority", wish.authority),
    )
    # RFC 9113 section 8.2: names are in lower case.
    return (*own, *((name.lower(), value) for name, value in _fields(wish, None)))


def _turn(asking: Asking, wire: Wire) -> None:
    data = _next(wire, answered=False)
    if not data:
        raise NoAnswer("the server closed the connection: it may not speak HTTP/2 here; try without --http2")
    _feed(asking, data, wire)


def _feed(asking: Asking, data: bytes, wire: Wire) -> None:
    if not asking.greeted and data.startswith(_HTTP1):
        raise ProbeFailed("the server answers HTTP/2 in HTTP/1.1: try without --http2")
    try:
        asking.receive(data)
    except NotHttp2 as error:
        raise ProbeFailed(f"what the server sent is no HTTP/2 ({error})") from None
    wire.send(asking.unsent())
