"""A guard around a resource: everything below it is found and rendered only when all of its checks have let it pass.

A check is what ``UpgradeResource(authorize=…)`` is: it gets the request and answers ``Allow`` or ``Deny``, at once or
later. Here it is asked of every request, plain ones and extended CONNECT among them, before the tree is traversed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Any

from twisted.web.resource import IResource, Resource, getChildForRequest
from twisted.web.server import NOT_DONE_YET
from zope.interface import implementer

from upgradegw.http.content import ContentStream
from upgradegw.interfaces import Allow, Deny, IUpgradeResource, Respond
from upgradegw.negotiation.model import Refuse
from upgradegw.negotiation.reasons import Reason
from upgradegw.takeover import takeable
from upgradegw.web.answering import Answering
from upgradegw.web.asking import Asking, Step
from upgradegw.web.responses import add_fields, answer_refusal, say_close_if_cut_short

#: What a check may be. One with an attribute ``seconds`` has a deadline of its own; None if it sees to that itself.
Check = Callable[[Any], "Allow | Deny | Refuse | Respond | Awaitable[Allow | Deny | Refuse | Respond]"]

_STEP = Step("a guard's check", (Allow, Deny, Refuse, Respond), Reason.AUTHORIZE_TIMEOUT, Reason.AUTHORIZE_FAILED)

#: Texts that fit plain requests, too.
_TEXTS = {403: "You may not use this."}


def granted(request: Any) -> Allow:
    """Return what the guards around a resource have said of a request, as ``UpgradeResource(authorize=granted)``.

    Args:
        request: The request.

    Returns:
        The context and ``counted_as`` of the last check that gave one; fields are on the response already.
    """
    allow: Allow = getattr(request, "upgradegw_granted", Allow())
    return allow


@implementer(IUpgradeResource)
class Guard(Resource):
    """Let requests pass to another resource, and to all below it, if every check allows it.

    Limits on content, and whether it is streamed, are those of the other resource.
    """

    isLeaf = True

    def __init__(self, resource: IResource, checks: Iterable[Check], *, timeout: float = 10.0) -> None:
        """Stand before a resource.

        Args:
            resource: The resource.
            checks: What is asked, in this order; the first that does not allow the request is the last that is asked.
            timeout: Seconds for each; then 503.
        """
        super().__init__()
        self._resource = resource
        self._checks = tuple(checks)
        self._timeout = timeout

    @property
    def upgradegw_limits(self) -> Any:
        """The resource's limits (see ``limit``)."""
        return self._resource.upgradegw_limits  # type: ignore[attr-defined]

    @upgradegw_limits.setter
    def upgradegw_limits(self, limits: Any) -> None:
        self._resource.upgradegw_limits = limits  # type: ignore[attr-defined]

    def static_route(self, segments: list[bytes], host: object = None) -> tuple[Any, int]:  # noqa: ARG002
        """Show the resource to those who look for the limits of a subtree.

        Args:
            segments: What is left of the path; none of it is taken here.
            host: Returns the host.
        """
        return self._resource, 0

    def resource_for_server(self) -> Guard | None:
        """Return what answers ``OPTIONS *`` where this is a site's root; None leaves it to the site."""
        return None if self._find_for_server() is None else self

    def _find_for_server(self) -> Any:
        find = getattr(self._resource, "resource_for_server", None)
        return None if find is None else find()

    def find(self, request: Any) -> Any:
        """Find what answers a request that may pass.

        Args:
            request: The request.
        """
        return self._find_for_server() if request.path == b"*" else getChildForRequest(self._resource, request)

    def render(self, request: Any) -> int:
        """Ask."""
        _Passing(self, request, self._checks, self._timeout).ask()
        return NOT_DONE_YET


class _Passing:
    """One request on its way through the checks."""

    def __init__(self, guard: Guard, request: Any, checks: tuple[Check, ...], timeout: float) -> None:
        self._guard = guard
        self._request = request
        self._checks = list(checks)
        self._timeout = timeout
        self._asking = Asking(request)

    def ask(self) -> None:
        """Ask the next check, or let the request pass."""
        request = self._request
        if self._checks:
            check = self._checks.pop(0)
            seconds = getattr(check, "seconds", self._timeout)
            self._asking.ask(_STEP, seconds, lambda: check(request), self._answered)
            return
        content = request.content
        if not isinstance(content, ContentStream):
            content.seek(0)  # a check may have read it
        request.render(self._guard.find(request))

    def _answered(self, answer: Allow | Deny | Refuse | Respond) -> None:
        request = self._request
        if self._asking.is_answered():
            if isinstance(answer, Respond):
                answer.release()
            return
        if isinstance(answer, Allow):
            self._note(answer)
            self.ask()
        elif isinstance(answer, Respond):
            self._close_behind()
            request.render(Answering(answer.render))
        elif isinstance(answer, Deny):
            self._refuse(Refuse(Reason.DENIED, answer.status, answer.fields), answer.body)
        else:
            self._refuse(answer)

    def _note(self, allow: Allow) -> None:
        request, before = self._request, granted(self._request)
        add_fields(request, allow.fields)
        if allow.context is not None or allow.counted_as is not None:
            before = replace(allow, fields=())
        request.upgradegw_granted = before

    def _refuse(self, refuse: Refuse, body: bytes = b"") -> None:
        self._close_behind()
        answer_refusal(self._request, refuse, body, _TEXTS.get(refuse.status))

    def _close_behind(self) -> None:
        """Do not read what comes behind an offer that is not accepted (RFC 9931), nor content that nobody wants."""
        request = self._request
        connection = takeable(request)
        if connection is not None:
            connection.close_after_response()
        say_close_if_cut_short(request)
