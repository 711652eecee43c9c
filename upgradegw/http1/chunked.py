"""Chunked content (RFC 9112 section 7.1): bytes in, content out, without I/O.

llhttp decodes chunks, too, but does not say where a message ended, so what follows a request could not be told from
it. This decoder is as strict, and a test compares the two.
"""

from __future__ import annotations

import re

# chunk          = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
# chunk-size     = 1*HEXDIG; 16 digits are more than 2^63 bytes, more than anybody sends
# chunk-ext      = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] ); the optional whitespace is refused,
#                  for no client sends it and parsers disagree about it
_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_QUOTED = rb'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"'
_SIZE_LINE = re.compile(
    rb"([0-9A-Fa-f]{1,16})(?:;" + _TOKEN + rb"(?:=(?:" + _TOKEN + rb"|" + _QUOTED + rb"))?)*"  # extensions are ignored
)
# trailer-section = *( field-line CRLF ); dropped, but it must be one
_TRAILER_LINE = re.compile(_TOKEN + rb":[\t\x20-\x7e\x80-\xff]*")

#: Bytes of a chunk's size line, as in twisted.web.
MAX_SIZE_LINE = 1024
#: Bytes of all trailer lines, as for a head.
MAX_TRAILERS = 16 * 1024


class ChunkedError(ValueError):
    """The bytes are no chunked content."""


class ChunkedDecoder:
    """Decodes the content of one message."""

    __slots__ = ("_left", "_partial", "_trailers", "finished")

    #: Of ``_left``: the next bytes are a size line, the CRLF behind a chunk, or trailers.
    _SIZE, _CRLF, _TRAILER = -1, -2, -3

    def __init__(self) -> None:
        """Wait for the first chunk's size."""
        self.finished = False
        self._left = self._SIZE
        self._partial = b""
        self._trailers = 0

    def receive(self, data: bytes) -> tuple[bytes, bytes]:
        """Decode some bytes.

        Args:
            data: The next bytes of the connection.

        Returns:
            Content, and what follows the message; the latter is not empty only if ``finished`` is now true.

        Raises:
            ChunkedError: The bytes break the grammar or a bound; nothing after them can be trusted.
        """
        data = self._partial + data
        self._partial = b""
        at = 0
        pieces: list[bytes] = []
        while at < len(data) and not self.finished:
            if self._left > 0:
                piece = data[at : at + self._left]
                pieces.append(piece)
                at += len(piece)
                self._left = self._left - len(piece) or self._CRLF
                continue
            end = data.find(b"\n", at)
            if end < 0:
                self._keep(data[at:])
                break
            self._line(data[at : end + 1])
            at = end + 1
        return b"".join(pieces), data[at:] if self.finished else b""

    def _keep(self, start: bytes) -> None:
        """Keep the start of a line; one that can be no line is refused without waiting for its end."""
        bound = {self._CRLF: 1, self._SIZE: MAX_SIZE_LINE}.get(self._left, MAX_TRAILERS - self._trailers)
        if len(start) > bound or b"\r" in start[:-1] or (self._left == self._CRLF and start != b"\r"):
            raise ChunkedError("a line without end")
        self._partial = start

    def _line(self, line: bytes) -> None:
        """Take a line, its LF included."""
        if not line.endswith(b"\r\n"):
            raise ChunkedError("a line that ends with LF alone")
        line = line[:-2]
        if self._left == self._SIZE:
            self._size(line)
        elif self._left == self._CRLF:
            if line:
                raise ChunkedError("a chunk is longer than its size")
            self._left = self._SIZE
        else:
            self._trailer(line)

    def _size(self, line: bytes) -> None:
        match = _SIZE_LINE.fullmatch(line)
        if match is None or len(line) > MAX_SIZE_LINE:
            raise ChunkedError("no chunk size")
        self._left = int(match[1], 16) or self._TRAILER

    def _trailer(self, line: bytes) -> None:
        self._trailers += len(line)
        if not line:
            self.finished = True
        elif self._trailers > MAX_TRAILERS or _TRAILER_LINE.fullmatch(line) is None:
            raise ChunkedError("no trailer")
