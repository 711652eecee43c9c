"""A WebSocket as a client has it (RFC 6455): messages, pings and the closing handshake, on either HTTP version."""

from __future__ import annotations

from upgradegw.testing.exchange import Exchange
from upgradegw.testing.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Frame, FrameReader, encode
from upgradegw.testing.responses import Response, Unanswered, Violation
from upgradegw.testing.tunnel import Tunnel

#: RFC 6455 section 7.1.5: a Close without a code, and no Close at all.
_NO_CODE, _NO_CLOSE = 1005, 1006


class WebSocket:
    """An open WebSocket, or one that has been.

    It answers pings, and Close with Close, as every client does, unless told otherwise. If the application sends
    something that no server may send, ``Violation`` is raised from wherever it is noticed.

    Attributes:
        tunnel: The bytes beneath: for frames that this class would not send, and for leaving without a Close.
        pongs: What the contents of the pongs were that have come.
        answers_pings: Whether pings are answered.
        answers_close: Whether a Close is answered.
    """

    def __init__(self, exchange: Exchange) -> None:
        """Speak on an exchange once it has been switched.

        Args:
            exchange: The exchange.
        """
        self.tunnel = Tunnel(exchange)
        self.pongs: list[bytes] = []
        self.answers_pings = self.answers_close = True
        self._exchange = exchange
        self._reader = FrameReader()
        self._messages: list[str | bytes] = []
        self._read = 0
        self._parts: list[bytes] = []
        self._kind: int | None = None
        self._close_sent = False
        self._code: int | None = None
        self._reason = ""
        exchange.listen(self._bytes_received, self._end_received)

    # --- What there is to see.

    @property
    def response(self) -> Response:
        """The response that announced the switch."""
        return self.tunnel.response

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that the site chose, or None."""
        value = self.response.get("Sec-WebSocket-Protocol")
        return None if value is None else value.decode("latin-1")

    @property
    def messages(self) -> list[str | bytes]:
        """All messages that have come: text as str, binary as bytes."""
        self._exchange.way.turn()
        return list(self._messages)

    def receive(self) -> str | bytes:
        """Return the next message.

        Raises:
            Unanswered: None has come.
        """
        messages = self.messages
        if self._read == len(messages):
            raise Unanswered(f"no message has come behind the first {self._read}; close_code is {self.close_code}")
        self._read += 1
        return messages[self._read - 1]

    @property
    def close_code(self) -> int | None:
        """The code of the site's Close; 1005 for a Close without one, 1006 for an end without Close, None before."""
        self._exchange.way.turn()
        return self._code

    @property
    def close_reason(self) -> str:
        """The reason in the site's Close."""
        self._exchange.way.turn()
        return self._reason

    @property
    def closed(self) -> bool:
        """Whether nothing can come or go any more."""
        return self.tunnel.closed

    # --- What a client does.

    def send(self, message: str | bytes) -> None:
        """Send a message.

        Args:
            message: Text or bytes.
        """
        if isinstance(message, str):
            self._send(Frame(TEXT, message.encode()))
        else:
            self._send(Frame(BINARY, message))

    def ping(self, content: bytes = b"") -> None:
        """Send a ping; the answer is in ``pongs``.

        Args:
            content: At most 125 bytes.
        """
        self._send(Frame(PING, content))

    def close(self, code: int | None = 1000, reason: str = "") -> None:
        """Begin the closing handshake (RFC 6455 section 7).

        Args:
            code: The code; None for a Close without one.
            reason: The reason.
        """
        self._close_sent = True
        self._send(Frame(CLOSE, b"" if code is None else code.to_bytes(2, "big") + reason.encode()))

    def lose(self) -> None:
        """Leave without a Close, in order."""
        self.tunnel.lose()

    def abort(self) -> None:
        """Leave without a Close, as a client whose process was killed."""
        self.tunnel.abort()

    def _send(self, frame: Frame) -> None:
        self.tunnel.send(encode(frame))

    # --- What comes.

    def _bytes_received(self, data: bytes) -> None:
        for frame in self._reader.feed(data):
            if self._code is not None:
                raise Violation("a frame behind the Close (RFC 6455 section 5.5.1)")
            if frame.opcode == CLOSE:
                self._close_received(frame.content)
            elif frame.opcode == PING:
                if self.answers_pings and not self._close_sent:
                    self._send(Frame(PONG, frame.content))
            elif frame.opcode == PONG:
                self.pongs.append(frame.content)
            else:
                self._part_received(frame)

    def _part_received(self, frame: Frame) -> None:
        """A frame of a message has come (RFC 6455 section 5.4)."""
        if (frame.opcode == CONTINUATION) != (self._kind is not None):
            raise Violation("a fragment without its message, or a message inside of another (RFC 6455 section 5.4)")
        if self._kind is None:
            self._kind = frame.opcode
        self._parts.append(frame.content)
        if frame.fin:
            content, kind = b"".join(self._parts), self._kind
            self._parts.clear()
            self._kind = None
            self._messages.append(_text(content) if kind == TEXT else content)

    def _close_received(self, content: bytes) -> None:
        if len(content) == 1:
            raise Violation("a Close with half a code (RFC 6455 section 5.5.1)")
        self._code = int.from_bytes(content[:2], "big") if content else _NO_CODE
        self._reason = _text(content[2:])
        if self.answers_close and not self._close_sent:
            self._close_sent = True
            self._send(Frame(CLOSE, content[:2]))

    def _end_received(self) -> None:
        if self._code is None:
            self._code = _NO_CLOSE


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise Violation("text that is no UTF-8 (RFC 6455 section 8.1)") from error
