"""A guard's check that another server makes: it is asked with GET, and 2xx lets the request pass.

The same protocol as Traefik's ForwardAuth, Caddy's ``forward_auth`` and nginx's ``auth_request``: the other server gets
the request's fields but no content, and reads in ``X-Forwarded-Method``, ``-Proto``, ``-Host``, ``-Uri`` and ``-For``
what is asked for, and by whom. Any other answer of it is the client's: a 401, or the way to a page to log in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.web.server import NOT_DONE_YET

from upgradegw.interfaces import Allow, Respond
from upgradegw.negotiation.fields import connection_options, is_token, printable
from upgradegw.negotiation.model import Fields, Refuse, RequestHead
from upgradegw.negotiation.reasons import Reason
from upgradegw.proxy.address import UpstreamAddress
from upgradegw.proxy.exchange import Asked, ResponseHead, UpstreamRequest, UpstreamTunnel
from upgradegw.proxy.outgoing import UPSTREAM, Rules, upstream_request
from upgradegw.proxy.responding import ResponseWriter
from upgradegw.proxy.settings import UpstreamSettings
from upgradegw.proxy.upstream import upstream_for
from upgradegw.web.heads import request_head

# An upstream's address, and the target that is asked for there.
_URL = re.compile(r"(?P<address>[A-Za-z0-9+.\-]+://[^/?]+|unix:(?://)?/[^:]+):?(?P<target>[/?].*)?")
# RFC 9112 section 3.2.1: what may stand in an origin-form target.
_TARGET = re.compile(r"/[!-~]*")

#: What speaks of content that is not sent, makes the answer depend on a copy, or belongs to a switch.
_LEFT_OUT = (b"content-", b"if-", b"sec-websocket-")
_ALSO_LEFT_OUT = (b"expect", b"range", b"x-forwarded-method", b"x-forwarded-uri")

#: Bytes of content that are read behind a 2xx, so that the connection can be used again.
_MAX_IGNORED = 64 * 1024


class ForwardAuth:
    """A check that asks another server; see ``Guard``.

    Attributes:
        seconds: None: the settings towards the server have deadlines.
    """

    seconds = None

    def __init__(
        self,
        url: str,
        *,
        fields: Iterable[str] = (),
        settings: UpstreamSettings | None = None,
        reactor: Any = None,
        asked: Asked | None = None,
    ) -> None:
        """Ask nobody yet.

        Args:
            url: Who is asked, and for what: ``http://auth.example:9000/verify``, ``https://…``, or
                ``unix:/run/auth.sock:/verify``.
            fields: Fields of its 2xx response that go on with the request, such as ``X-Remote-User``. What the client
                sends under these names is removed, whatever the answer.
            settings: Timeouts, limits and TLS towards it.
            reactor: Connects; by default that of the site through which the first request comes.
            asked: Is asked in the place of the address.

        Raises:
            ValueError: The address, or the name of a field, is none.
        """
        address, self._target = _parse(url)
        self._fields = tuple(_checked_name(name) for name in fields)
        self._names = frozenset(map(_as_cgi_has_it, self._fields))
        self._asked = asked
        self._make: Callable[[Any], Asked] = lambda running: upstream_for(
            address, settings or UpstreamSettings(), reactor or running
        )

    def close(self) -> None:
        """Ask nobody any more: idle connections are closed, others behind their last response."""
        if self._asked is not None:
            self._asked.close()

    def __call__(self, request: Any) -> Refuse | Deferred[Allow | Refuse | Respond]:
        """Ask about a request."""
        options = connection_options(request.requestHeaders.getRawHeaders(b"Connection", ()))
        for option in options:
            if _as_cgi_has_it(option) not in self._names:
                continue
            # Whoever is behind us would remove what the answer says, and take the request for one of nobody.
            return Refuse(Reason.PROTECTED_CONNECTION_OPTION, 400, (), f"Connection: {printable(option)}")
        self._remove(request)
        head = request_head(request)
        outgoing = upstream_request(request, head, Rules(host=UPSTREAM))
        if isinstance(outgoing, Refuse):
            return outgoing
        if self._asked is None:
            self._asked = self._make(request.site.reactor)
        return _Question(request, self._fields).ask(self._asked, self._question(head, outgoing))

    def _remove(self, request: Any) -> None:
        """Remove what the client says in the other server's name, also where CGI would take it for that."""
        headers = request.requestHeaders
        for name, _ in list(headers.getAllRawHeaders()):
            if _as_cgi_has_it(name) in self._names:
                headers.removeHeader(name)

    def _question(self, head: RequestHead, outgoing: UpstreamRequest) -> UpstreamRequest:
        kept = [(name, value) for name, value in outgoing.fields if not _is_left_out(name.lower())]
        asked_for: Fields = ((b"X-Forwarded-Method", outgoing.method), (b"X-Forwarded-Uri", head.target))
        return replace(
            outgoing,
            method=b"GET",
            target=self._target,
            fields=(*kept, *asked_for),
            content_length=0,
            tokens=(),
            idempotent=True,
        )


class _Question(ResponseWriter):
    """One question; the ``Receiver`` of its answer."""

    def __init__(self, request: Any, fields: tuple[bytes, ...]) -> None:
        super().__init__(request)
        self._fields = fields
        self._allowed = False
        self._ignored = 0
        self._answer: Deferred[Allow | Refuse | Respond] = Deferred(self._cancel)

    def ask(self, asked: Asked, question: UpstreamRequest) -> Deferred[Allow | Refuse | Respond]:
        """Ask; the Deferred may be cancelled."""
        self.begin(asked.ask(question, self))
        return self._answer

    def _cancel(self, _answer: object = None) -> None:
        self._client_left()

    def interim(self, head: ResponseHead) -> None:
        """Nothing of what comes before the answer is for the client."""

    def head(self, head: ResponseHead) -> None:
        """The answer: let the request pass, or give it to the client."""
        if self.over:
            return
        if not 200 <= head.status <= 299:  # noqa: PLR2004 - RFC 9110 section 15.3
            self._answer.callback(Respond(lambda _request: self._respond(head), self._cancel))
            return
        self.over = self._allowed = True
        headers = self.request.requestHeaders
        for name in self._fields:
            values = [value for each, value in head.fields if each.lower() == name.lower()]
            if values:
                headers.setRawHeaders(name, values)
        self._answer.callback(Allow())

    def _respond(self, head: ResponseHead) -> int:
        super().head(head)
        return NOT_DONE_YET

    def data(self, data: bytes) -> None:
        """Content of the answer: the client's, if the answer is."""
        if not self._allowed:
            super().data(data)
            return
        self._ignored += len(data)
        if self._ignored > _MAX_IGNORED and self._exchange is not None:
            self._exchange.cancel()

    def switched(self, head: ResponseHead, tunnel: UpstreamTunnel) -> None:  # noqa: ARG002 - the interface's
        """Never: nothing was offered."""
        tunnel.transport.abortConnection()

    def refuse(self, refuse: Refuse, body: bytes = b"") -> None:  # noqa: ARG002 - no refusal of ours has content
        """Nobody can say that the request may pass, so it may not: leave the refusal to the guard."""
        self.over = True
        self._answer.callback(refuse)


def _parse(url: str) -> tuple[UpstreamAddress, bytes]:
    match = _URL.fullmatch(url)
    if match is None:
        UpstreamAddress.parse(url)  # says what is wrong
        raise ValueError(f"{url!r} is no address to ask: write http://HOST[:PORT]/PATH or unix:/PATH/OF.SOCKET:/PATH")
    target = match["target"] or "/"
    target = "/" + target if target.startswith("?") else target
    if _TARGET.fullmatch(target) is None or "#" in target:
        raise ValueError(f"{url!r}: {target!r} is no path; what is no letter is written as %XX")
    return UpstreamAddress.parse(match["address"]), target.encode("ascii")


def _checked_name(name: str) -> bytes:
    encoded = name.encode("ascii", "replace")
    if not is_token(encoded):
        raise ValueError(f"{name!r} is no name of a field")
    return encoded


def _as_cgi_has_it(name: bytes) -> bytes:
    """Return a name as CGI and its successors see it, where all that is no letter and no digit is the same."""
    return re.sub(rb"[^a-z0-9]", b"_", name.lower())


def _is_left_out(lower_name: bytes) -> bool:
    return lower_name in _ALSO_LEFT_OUT or lower_name.startswith(_LEFT_OUT)
