"""Resources of few words: a redirect, and a response that is always the same."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote_from_bytes

from twisted.python.usage import UsageError
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from upgradegw.negotiation.fields import has_control
from upgradegw.service.config.model import Redirect, Respond
from upgradegw.web.responses import write_refusal

#: Statuses whose responses have no content (RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5).
_WITHOUT_CONTENT = frozenset((204, 205, 304))
_NAMES = re.compile(r"\{(path|query)\}")
_TEXT = b"See the Location field of this response.\n"
# What RFC 3986 section 3.3 lets stand in a segment as it is; not "%", which stands for itself here.
_IN_SEGMENT = "-._~!$&'()*+,;=:@"


class RedirectResource(Resource):
    """Sends every request below a path elsewhere."""

    isLeaf = True

    def __init__(self, redirect: Redirect | str) -> None:
        """Redirect.

        Args:
            redirect: Where to, and with which status.

        Raises:
            UsageError: The address cannot stand in a field.
        """
        super().__init__()
        table = Redirect(to=redirect) if isinstance(redirect, str) else redirect
        if not table.to.isascii() or has_control(table.to.encode()) or " " in table.to:
            raise UsageError(f"{table.to!r} is no address: write what is no ASCII letter as %XX")
        if not re.match(r"https?://[^/{}]|/(?!/)", table.to):
            raise UsageError(f"{table.to!r} is no address: write https://…, http://…, or a path that begins with /")
        if re.search(r"[^/]\{path\}", table.to):
            raise UsageError(f"{table.to!r}: write a slash before {{path}}, or it could become a part of the host")
        self._to, self._status = table.to, table.status

    def render(self, request: Any) -> bytes:
        """Answer with the address."""
        # The rest comes without escapes; it gets them back, so that it is the same path there.
        rest = "/".join(quote_from_bytes(segment, safe=_IN_SEGMENT) for segment in request.postpath)
        _, mark, query = request.uri.partition(b"?")
        values = {"path": rest, "query": (mark + query).decode("latin-1")}
        address = _NAMES.sub(lambda match: values[match[1]], self._to)
        if address.startswith("//"):
            address = "/." + address  # a path of the same host (RFC 3986 section 4.2), and never another one's name
        return write_refusal(request, self._status, ((b"Location", address.encode("latin-1")),), _TEXT)


class FixedResource(Resource):
    """Answers every request below a path alike."""

    isLeaf = True

    def __init__(self, respond: Respond) -> None:
        """Answer so.

        Args:
            respond: How.

        Raises:
            UsageError: The type cannot stand in a field, or the status has no content.
        """
        super().__init__()
        self._status, self._content = respond.status, respond.content.encode()
        if self._content and self._status in _WITHOUT_CONTENT:
            raise UsageError(f"a response of status {self._status} has no content")
        if not respond.content_type.isascii() or has_control(respond.content_type.encode()):
            raise UsageError(f"{respond.content_type!r} is no media type")
        self._type = respond.content_type.encode("ascii")

    def render(self, request: Any) -> bytes | int:
        """Answer."""
        request.setResponseCode(self._status)
        if self._status in _WITHOUT_CONTENT:
            request.finish()  # RFC 9110 section 8.6: not even a length, which render would set
            return NOT_DONE_YET
        request.setHeader(b"Content-Type", self._type)
        return self._content
