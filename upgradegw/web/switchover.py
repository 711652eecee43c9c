"""One request on its way to a switch: ask the application, then take the connection or answer.

Whatever the application does — answer late or never, raise, return something odd — ends in an ordinary response, or,
once the 101 is out, costs this connection and no other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from upgradegw.http.client_subject import client_subject
from upgradegw.interfaces import Accept, Allow, Deny, Respond, Takeable, Upgrade, UpgradeInfo
from upgradegw.negotiation.model import Candidate, Fields, Refuse, RequestHead
from upgradegw.negotiation.reasons import Reason
from upgradegw.web.admission import Place
from upgradegw.web.answering import Answering
from upgradegw.web.asking import AUTHORIZE, PREPARE, Asking
from upgradegw.web.completing import Switching
from upgradegw.web.responses import answer_refusal

T = TypeVar("T")

#: Fields of a response that say something about its content; a 101 has none (RFC 9110 section 15.2.2).
_CONTENT_FIELDS = frozenset(
    (
        b"connection",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"keep-alive",
        b"transfer-encoding",
        b"upgrade",
    )
)


_ALLOW = Allow()


def _content(request: Any) -> bytes:
    """Return the request's content, also if ``authorize`` has read it."""
    request.content.seek(0)
    return request.content.read()  # type: ignore[no-any-return]


class Switchover:
    """The way from a candidate to a running protocol, or to a response."""

    def __init__(
        self, request: Any, connection: Takeable, head: RequestHead, candidate: Candidate[Upgrade], place: Place
    ) -> None:
        """Start with a decision.

        Args:
            request: The request.
            connection: Its connection.
            head: Its head.
            candidate: The protocol that will be spoken if nobody objects.
            place: Where the request is counted; it gives it back itself if it is answered.
        """
        self._request = request
        self._connection = connection
        self._head = head
        self._candidate = candidate
        self._place = place
        self._asking = Asking(request)
        self._allow = _ALLOW
        self._began = request.site.reactor.seconds()
        self._prepare_seconds: float | None = None

    def run(
        self, authorize: Callable[[Any], Any] | None, authorize_seconds: float, prepare_seconds: float | None
    ) -> None:
        """Ask, then switch or answer; at once if nobody needs time.

        Args:
            authorize: The application's, or None.
            authorize_seconds: How long it may take.
            prepare_seconds: How long the protocol may take; None where it has deadlines of its own.
        """
        self._prepare_seconds = prepare_seconds
        if authorize is None:
            self._authorized(_ALLOW)
        else:
            self._asking.ask(AUTHORIZE, authorize_seconds, lambda: authorize(self._request), self._authorized)

    # --- Asking.

    def _authorized(self, permission: Allow | Deny | Refuse) -> None:
        if not isinstance(permission, Allow):
            self._answer(permission, Reason.DENIED)
            return
        if self._asking.is_answered():
            return
        refuse = self._place.count(permission)
        if refuse is not None:
            self._answer(refuse, refuse.reason)
            return
        candidate, head, request = self._candidate, self._head, self._request
        self._allow = permission
        self._info = info = UpgradeInfo(
            head,
            candidate.token,
            permission.context,
            head.client,
            request.isSecure(),
            head.http_version,
            _content(request) if head.has_content and not getattr(candidate.upgrade, "streams_content", False) else b"",
            candidate.checked,
            request if getattr(candidate.upgrade, "wants_request", False) else None,
            client_subject(request),
        )
        transport = self._connection.transport_to_be()
        self._asking.ask(
            PREPARE, self._prepare_seconds, lambda: candidate.upgrade.prepare(info, transport), self._prepared
        )

    def _prepared(self, answer: Accept | Deny | Refuse | Respond) -> None:
        if isinstance(answer, Accept):
            self._switch(answer, self._allow)
        elif isinstance(answer, Respond):
            self._respond(answer)
        else:
            self._answer(answer, Reason.DENIED_BY_APPLICATION)

    # --- Answering.

    def _respond(self, answer: Respond) -> None:
        """Let the request have the answer that the protocol has found, as any request has one."""
        if self._asking.is_answered():
            answer.release()
            return
        self._connection.close_after_response()
        self._request.render(Answering(answer.render, self._allow.fields))

    def _answer(self, outcome: Deny | Refuse, denied: Reason) -> None:
        if isinstance(outcome, Deny):
            refuse = Refuse(denied, outcome.status, outcome.fields)
            body = outcome.body
        else:
            refuse, body = outcome, b""
        if self._asking.is_answered():
            return
        self._connection.close_after_response()
        answer_refusal(self._request, refuse, body)

    # --- Switching.

    def _switch(self, accept: Accept, allow: Allow) -> None:
        request, connection = self._request, self._connection
        if self._asking.is_answered():
            accept.release()
            return
        refuse = self._place.keep()
        if refuse is not None:
            accept.release()
            self._answer(refuse, refuse.reason)
            return
        switching = Switching(
            connection,
            request.site,
            self._place,
            self._candidate.upgrade,
            self._info,
            accept,
            path=request.path,
            route=getattr(request, "upgradegw_route", None),
            began=self._began,
        )
        try:
            fields = self._response_fields(accept, allow)
            if self._head.protocol is None:
                request.setResponseCode(101, accept.phrase)
            request.switched = True  # so that it is not logged as one that was answered
            request.site.log(request)
            taken = connection.take(request)
        except Exception:
            accept.release()
            self._place.leave()
            raise
        switching.complete(taken, fields)

    def _response_fields(self, accept: Accept, allow: Allow) -> Fields:
        """The response's fields: the switch first, then what was set on the request, by authorize and by the protocol.

        On an HTTP/2 stream the status says it all (RFC 8441 section 5).
        """
        request = self._request
        token = accept.token or bytes(self._candidate.upgrade.protocol)
        fields = [(b"Upgrade", token), (b"Connection", b"Upgrade")]
        if self._head.protocol is not None:
            fields.clear()
        headers = request.responseHeaders
        for cookie in request.cookies:
            headers.addRawHeader(b"Set-Cookie", cookie)  # as Request does, so that line breaks are made harmless
        for name, values in headers.getAllRawHeaders():
            if name.lower() not in _CONTENT_FIELDS:
                fields.extend((name, value) for value in values)
        fields.extend(allow.fields)
        fields.extend(accept.fields)
        return tuple(fields)
