"""Why a request was not switched, kept for the log and never sent to the client."""

from __future__ import annotations

from typing import Any

from upgradegw.events import access_events
from upgradegw.negotiation.model import Decline, Refuse
from upgradegw.negotiation.reasons import Reason


def note_outcome(request: Any, outcome: Refuse | Decline) -> None:
    """Remember why a request was not switched, for the access log.

    Where nobody writes an access log that would show it (a stock Site), a refusal of an offer is logged at once.
    """
    request.upgrade_outcome = outcome
    if isinstance(outcome, Refuse) and outcome.reason is not Reason.NO_UPGRADE and not _logs_requests(request):
        access_events.emit(
            "{method} {target!r}: upgrade refused with {status}: {reason} {detail} ({hint})",
            event="refuse",
            method=request.method.decode("latin-1"),
            target=request.uri.decode("latin-1"),
            status=outcome.status,
            reason=outcome.reason.value,
            detail=outcome.detail,
            hint=outcome.reason.hint,
        )


def _logs_requests(request: Any) -> bool:
    return bool(getattr(request.channel, "logs_requests", False))
