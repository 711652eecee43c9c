"""One plain request passed on to the upstream, and its response to the client, both as streams.

The content follows as soon as the client sends it. A client that waits to be told (Expect: 100-continue) is told when
the upstream says so, or after a moment if it says nothing, for many servers do not know of it.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IDelayedCall
from twisted.web.http import OK

from upgradegw.negotiation.model import Refuse, RequestHead
from upgradegw.negotiation.reasons import Reason
from upgradegw.proxy.content import send_content
from upgradegw.proxy.exchange import Asked, Exchange, ResponseHead, UpstreamError, UpstreamRequest, UpstreamTunnel
from upgradegw.proxy.outgoing import Rules, upstream_request, waits_for_continue, with_fewer_forwards
from upgradegw.proxy.responding import CONTINUE, ResponseWriter

#: Seconds for which an upstream may leave a client waiting for 100 (Continue); as long as curl waits before it sends.
CONTINUE_SECONDS = 1.0


def forward(request: Any, head: RequestHead, asked: Asked, rules: Rules) -> None:
    """Pass a request on, and answer it with what comes back.

    Args:
        request: The request that is being rendered.
        head: Its head.
        asked: The upstream.
        rules: The route's.
    """
    forwarding = Forwarding(request, rules)
    outgoing = upstream_request(request, head, rules)
    if isinstance(outgoing, Refuse):
        forwarding.refuse(outgoing)
        return
    forwarded = with_fewer_forwards(outgoing)
    if forwarded is None:
        request.setResponseCode(OK)
        request.setHeader(b"Content-Length", b"0")
        request.finish()
        return
    forwarding.start(head, asked, forwarded)


class Forwarding(ResponseWriter):
    """A request under way; the ``Receiver`` of its answer."""

    _waits: IDelayedCall | None = None
    _sends = False

    def __init__(self, request: Any, rules: Rules) -> None:
        """Prepare to pass a request on.

        Args:
            request: The request.
            rules: The route's.
        """
        super().__init__(request, rules.tokens)

    def start(self, head: RequestHead, asked: Asked, outgoing: UpstreamRequest) -> None:
        """Ask the upstream.

        Args:
            head: The head of the client's request.
            asked: The upstream.
            outgoing: The request for it.
        """
        exchange = asked.ask(outgoing, self)
        self.begin(exchange)
        if outgoing.content_length == 0 or self.over:
            return
        if waits_for_continue(self.request, head):
            clock = self.request.site.reactor
            self._waits = clock.callLater(CONTINUE_SECONDS, self._send_content, exchange)
            self.request.notifyFinish().addBoth(self._wait_no_longer)
        else:
            self._send_content(exchange)

    # --- The request's content.

    def _send_content(self, exchange: Exchange) -> None:
        self._wait_no_longer()
        if not self._sends and not self.over:
            self._sends = True
            send_content(self.request, exchange, self._content_lost)

    def _wait_no_longer(self, _result: object = None) -> None:
        waits, self._waits = self._waits, None
        if waits is not None and waits.active():
            waits.cancel()

    def _content_lost(self, refused: tuple[int, Reason, str] | None) -> None:
        """The rest of the content will not come."""
        if refused is not None:
            status, reason, detail = refused
            self.give_up(Refuse(reason, status, (), detail))
        # Otherwise the client has left, which ``notifyFinish`` tells.

    # --- Receiver.

    def interim(self, head: ResponseHead) -> None:
        """An interim response has come; 100 lets the content come, too."""
        if head.status == CONTINUE and self._waits is not None and self._exchange is not None:
            self._send_content(self._exchange)
        else:
            super().interim(head)

    def head(self, head: ResponseHead) -> None:
        """The final response begins: a client that still waits will not be told to go on."""
        self._wait_no_longer()
        super().head(head)

    def failed(self, error: UpstreamError) -> None:
        """There is no response, or no more of it."""
        self._wait_no_longer()
        super().failed(error)

    def switched(self, head: ResponseHead, tunnel: UpstreamTunnel) -> None:
        """Never: nothing was offered."""
        tunnel.transport.abortConnection()
        detail = f"status {head.status} to a request that offered nothing"
        self.failed(UpstreamError(Reason.UPSTREAM_BAD_SWITCH, 502, detail))
