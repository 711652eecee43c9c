"""One offer on its way to the upstream, until it is a tunnel or has another answer.

The request's content goes first. A switch that was asked for becomes ``Accept``; one that nobody asked for is a 502,
and its connection is broken off; any other response is passed on as that of a plain request.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.web.server import NOT_DONE_YET

from upgradegw.interfaces import Accept, Respond
from upgradegw.negotiation.model import Fields, Refuse, RequestHead
from upgradegw.negotiation.reasons import Reason
from upgradegw.proxy.exchange import Asked, ResponseHead, UpstreamRequest, UpstreamTunnel
from upgradegw.proxy.forwarding import Forwarding
from upgradegw.proxy.judging import Offer, WrongSwitch, judge
from upgradegw.proxy.outgoing import Rules
from upgradegw.proxy.tunnel import Tunnel, Watch
from upgradegw.transports import abort_transport
from upgradegw.web.responses import say_close_if_cut_short

#: Fields that are on a request before anybody has said anything about the response.
_OURS = (b"Server", b"Content-Type")

#: The first status that is none of success (RFC 9110 section 15.3).
_BEHIND_SUCCESS = 300


class Offering(Forwarding):
    """A request with an offer; the ``Receiver`` of its answer."""

    def __init__(self, request: Any, rules: Rules, head: RequestHead, offer: Offer, watch: Watch) -> None:
        """Prepare to pass a request on.

        Args:
            request: The request.
            rules: The route's.
            head: The request's head.
            offer: What goes to the upstream.
            watch: The clock of the tunnel that may come of it.
        """
        super().__init__(request, rules)
        self._client_head = head
        self._offer = offer
        self._watch = watch
        self._answer: Deferred[Accept | Refuse | Respond] = Deferred(self._cancel)

    def ask(self, asked: Asked, outgoing: UpstreamRequest) -> Deferred[Accept | Refuse | Respond]:
        """Ask the upstream; the Deferred may be cancelled.

        Args:
            asked: The upstream.
            outgoing: The request for it.
        """
        self.start(self._client_head, asked, outgoing)
        return self._answer

    def _cancel(self, _answer: object = None) -> None:
        self._client_left()

    # --- Receiver.

    def switched(self, head: ResponseHead, tunnel: UpstreamTunnel) -> None:
        """The upstream has switched: judge it."""
        if self.over:
            abort_transport(tunnel.transport)
            return
        try:
            switch = judge(head, self._offer, self._client_head)
        except WrongSwitch as wrong:
            abort_transport(tunnel.transport)
            self.refuse(Refuse(Reason.UPSTREAM_BAD_SWITCH, 502, (), str(wrong)))
            return
        self._end()
        joined = Tunnel(tunnel, self._watch, framed=switch.framed)
        self._answer.callback(
            Accept(
                joined.client,
                self._own_fields(switch.fields),
                head.phrase or b"Switching Protocols",
                switch.subprotocol,
                joined,
                joined.release,
                token=switch.token,
            )
        )

    def head(self, head: ResponseHead) -> None:
        """Another answer: the client's, unless on HTTP/2 it would be taken for a tunnel (RFC 8441 section 5)."""
        if self.over:
            return
        self._wait_no_longer()
        if self._client_head.protocol is not None and head.status < _BEHIND_SUCCESS:
            self._cancel()
            detail = f"status {head.status}, which on HTTP/2 would say that it has switched"
            self.refuse(Refuse(Reason.UPSTREAM_BAD_SWITCH, 502, (), detail))
            return
        self._answer.callback(Respond(lambda _request: self._respond(head), self._cancel))

    def _respond(self, head: ResponseHead) -> int:
        super().head(head)
        return NOT_DONE_YET

    def refuse(self, refuse: Refuse, body: bytes = b"") -> None:  # noqa: ARG002 - no refusal of ours has content
        """Leave the refusal to who has asked."""
        self._end()
        say_close_if_cut_short(self.request)
        self._answer.callback(refuse)

    def _own_fields(self, fields: Fields) -> Fields:
        """Return the upstream's fields for the 101; ours do not stand beside them, those of the route do in place."""
        headers = self.request.responseHeaders
        for name in _OURS:
            headers.removeHeader(name)
        if any(name.lower() == b"date" for name, _ in fields):
            headers.removeHeader(b"Date")
        before = {name.lower() for name, _ in headers.getAllRawHeaders()}
        return tuple((name, value) for name, value in fields if name.lower() not in before)
