"""Bytes of a connection to responses: heads one by one, then leading data or the content of a refusal; no I/O."""

from __future__ import annotations

import re
from collections.abc import Callable

from upgradegw.client.response import SWITCHING_PROTOCOLS, BadUpgradeResponse, UpgradeResponse, no_head, parse_head
from upgradegw.http1.chunked import ChunkedDecoder, ChunkedError
from upgradegw.negotiation.fields import members

#: Responses with 100, 102 or 103 that are passed over: nobody sends more than a few; curl stops at 3,000.
MAX_INTERIM = 10

#: Statuses whose responses have no content (RFC 9110 sections 15.3.5 and 15.4.5).
_WITHOUT_CONTENT = frozenset((204, 304))

#: Bytes by which a head is told from what is none, and that are shown of it.
_TELLING = 200

_OK = 200
_BARE_LF = re.compile(rb"(?<!\r)\n")
_DIGITS = re.compile(rb"[0-9]{1,19}")


class ResponseReader:
    """Reads the answer to one request.

    Attributes:
        response: The head of the final response or of a 101; None until it is complete.
        leading_data: The bytes behind a 101.
        body: The content of any other response, as far as it has come and is wanted.
        complete: Whether there is nothing more to wait for.
    """

    def __init__(
        self,
        max_head: int,
        max_body: int,
        head_only: bool = False,
        interim: Callable[[UpgradeResponse], None] = lambda _: None,
    ) -> None:
        """Wait for a head.

        Args:
            max_head: Bytes of one head.
            max_body: Bytes of content that are kept; with more the response is complete.
            head_only: Whether the request was a HEAD.
            interim: Called with each response that is passed over.
        """
        self.response: UpgradeResponse | None = None
        self.leading_data = b""
        self.body = b""
        self.complete = False
        self._max_head = max_head
        self._max_body = max_body
        self._head_only = head_only
        self._interim = interim
        self._interims = 0
        self._in = bytearray()
        self._searched = 0
        self._left: int | None = None
        self._chunks: ChunkedDecoder | None = None

    def feed(self, data: bytes) -> None:
        """Take bytes from the server.

        Args:
            data: The next bytes.

        Raises:
            BadUpgradeResponse: They are no HTTP/1.1 response, or beyond a bound.
        """
        if self.response is not None:
            self._take_content(data)
            return
        self._in += data
        while self.response is None:
            end = self._end_of_head()
            if end is None:
                return
            head, self._in = parse_head(bytes(self._in[:end])), self._in[end + 4 :]
            self._searched = 0
            self._take_head(head)
        rest, self._in = bytes(self._in), bytearray()
        self._take_content(rest)

    def _end_of_head(self) -> int | None:
        """Return where the head ends, or None if it has not ended yet."""
        if not self._in:
            return None
        wrong = no_head(bytes(self._in[:_TELLING]))
        if wrong is not None:
            raise BadUpgradeResponse(wrong)
        end = self._in.find(b"\r\n\r\n", max(self._searched - 3, 0))
        size = end if end >= 0 else len(self._in)
        if size > self._max_head:
            raise BadUpgradeResponse(f"the server's response head has more than {self._max_head} bytes")
        if _BARE_LF.search(self._in, self._searched, size) is not None:
            raise BadUpgradeResponse("a line of the server's response ends with LF alone (RFC 9112 section 2.2)")
        self._searched = size
        return end if end >= 0 else None

    def _take_head(self, head: UpgradeResponse) -> None:
        if head.status == SWITCHING_PROTOCOLS or head.status >= _OK:
            self.response = head
            self._frame(head)
            return
        self._interims += 1
        if self._interims > MAX_INTERIM:
            raise BadUpgradeResponse(f"the server sent more than {MAX_INTERIM} interim responses and no answer")
        self._interim(head)

    def _frame(self, head: UpgradeResponse) -> None:
        """Find out where the content ends (RFC 9112 section 6.3); without a length that counts, with the connection."""
        if self._head_only or head.status in _WITHOUT_CONTENT:
            self._left = 0
            return
        codings = members(head.get_all(b"transfer-encoding"))
        if codings:
            if [coding.lower() for coding in codings] == [b"chunked"]:
                self._chunks = ChunkedDecoder()
            return
        lengths = set(members(head.get_all(b"content-length")))
        if len(lengths) == 1 and _DIGITS.fullmatch(length := lengths.pop()):
            self._left = int(length)

    def _take_content(self, data: bytes) -> None:
        if self.response is not None and self.response.status == SWITCHING_PROTOCOLS:
            self.leading_data += data
            self.complete = True
            return
        if self.complete:
            return
        if self._chunks is not None:
            try:
                data, _ = self._chunks.receive(data)
            except ChunkedError:
                self.complete = True  # what has come is all that can be told of a response that is of no use anyway
                return
            self.complete = self._chunks.finished
        elif self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
            self.complete = not self._left
        self.body += data
        if len(self.body) >= self._max_body:
            self.body = self.body[: self._max_body]
            self.complete = True
