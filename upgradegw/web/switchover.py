"""One request on its way to a switch: ask the application, then take the connection or answer.

Whatever the application does — answer late or never, raise, return something odd — ends in an ordinary response, or,
once the 101 is out, costs this connection and no other.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from twisted.logger import Logger

from upgradegw.events import access_events
from upgradegw.http.client_subject import client_subject
from upgradegw.interfaces import Accept, Allow, Deny, EndSummary, Takeable, Upgrade, UpgradeInfo
from upgradegw.negotiation.model import Candidate, Fields, Refuse, RequestHead
from upgradegw.negotiation.reasons import Reason
from upgradegw.switching import switch
from upgradegw.takeover import is_disconnected
from upgradegw.web.admission import Place
from upgradegw.web.asking import AUTHORIZE, PREPARE, Asking
from upgradegw.web.outcomes import note_outcome
from upgradegw.web.responses import write_refusal

_log = Logger(namespace="upgradegw")

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
        self._prepare_seconds = 0.0

    def run(self, authorize: Callable[[Any], Any] | None, authorize_seconds: float, prepare_seconds: float) -> None:
        """Ask, then switch or answer; at once if nobody needs time.

        Args:
            authorize: The application's, or None.
            authorize_seconds: How long it may take.
            prepare_seconds: How long the protocol may take.
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
        if self._is_answered():
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
            _content(request) if head.has_content else b"",
            candidate.checked,
            request if getattr(candidate.upgrade, "wants_request", False) else None,
            client_subject(request),
        )
        transport = self._connection.transport_to_be()
        self._asking.ask(
            PREPARE, self._prepare_seconds, lambda: candidate.upgrade.prepare(info, transport), self._prepared
        )

    def _prepared(self, answer: Accept | Deny | Refuse) -> None:
        if isinstance(answer, Accept):
            self._switch(answer, self._allow)
        else:
            self._answer(answer, Reason.DENIED_BY_APPLICATION)

    # --- Answering.

    def _answer(self, outcome: Deny | Refuse, denied: Reason) -> None:
        request = self._request
        if isinstance(outcome, Deny):
            refuse = Refuse(denied, outcome.status, outcome.fields)
            body = outcome.body
        else:
            refuse, body = outcome, b""
        if self._is_answered():
            return
        self._connection.close_after_response()
        note_outcome(request, refuse)
        content = write_refusal(request, refuse.status, refuse.fields, body)
        request.setHeader(b"Content-Length", b"%d" % len(content))
        request.write(content)
        request.finish()

    def _is_answered(self) -> bool:
        """Tell whether there is nobody left to answer: the client has gone, or the application answered by itself."""
        request = self._request
        if self._asking.gone or is_disconnected(request):
            return True
        if request.startedWriting:
            # What has been written cannot be taken back, and nothing of ours may stand behind it.
            _log.error("the application wrote to a request for which it was only asked; its connection is closed")
            request.loseConnection()
            return True
        return False

    # --- Switching.

    def _switch(self, accept: Accept, allow: Allow) -> None:
        request, connection = self._request, self._connection
        if self._is_answered():
            accept.release()
            return
        refuse = self._place.keep()
        if refuse is not None:
            accept.release()
            self._answer(refuse, refuse.reason)
            return
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
        ended = self._ended(accept)
        switch(taken, (accept.phrase, fields), accept.protocol, self._info, ended, accept.ending, accept.witness)
        going_away = self._going_away(accept, taken.transport)
        connection.switched(going_away)
        self._place.switched(going_away, taken.transport)

    def _response_fields(self, accept: Accept, allow: Allow) -> Fields:
        """The response's fields: the switch first, then what was set on the request, by authorize and by the protocol.

        On an HTTP/2 stream the status says it all (RFC 8441 section 5).
        """
        request = self._request
        fields = [(b"Upgrade", bytes(self._candidate.upgrade.protocol)), (b"Connection", b"Upgrade")]
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

    @staticmethod
    def _going_away(accept: Accept, transport: Any) -> Callable[[int], None]:
        if accept.ending is not None:
            return accept.ending.going_away

        def close(_code: int) -> None:
            # On TLS a close waits for a registered producer, which need not know that it is to end.
            with suppress(RuntimeError):  # a transport may object if there is none
                transport.unregisterProducer()
            transport.loseConnection()

        return close

    def _ended(self, accept: Accept) -> Callable[[EndSummary], None]:
        """Log the switch now and the end when it comes; give back what the connection used."""
        connection, clock, place = self._connection, self._request.site.reactor, self._place

        def give_back(_summary: EndSummary) -> None:
            connection.ended()
            place.leave()
            accept.release()

        if not access_events.wanted:
            return give_back
        began = clock.seconds()
        about = {
            "connection_id": connection.connection_id,
            "client": self._head.client.address,
            "path": self._request.path.decode("latin-1"),
            "token": str(self._candidate.upgrade.protocol),
            "subprotocol": accept.subprotocol,
            "http_version": self._head.http_version.decode("ascii"),
        }
        if self._info.client_subject is not None:
            about["client_subject"] = self._info.client_subject
        access_events.emit(
            "{client} {path!r}: switched to {token} from {http_version} ({connection_id}, subprotocol {subprotocol})",
            event="switch",
            **about,
        )

        def ended(summary: EndSummary) -> None:
            give_back(summary)
            access_events.emit(
                "{client} {path!r}: {token} ended ({connection_id}): {reason} {close_code} after {seconds:.3f} s, "
                "{bytes_in} bytes in, {bytes_out} out",
                event="end",
                seconds=clock.seconds() - began,
                bytes_in=summary.bytes_in,
                bytes_out=summary.bytes_out,
                close_code=summary.close_code,
                reason=summary.reason,
                **about,
            )

        return ended
