"""The resources of the operator's listener, and who may ask them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from hmac import compare_digest
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qs

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from twisted.web.resource import Resource

from upgradegw.negotiation.authority import split_authority
from upgradegw.negotiation.client import TrustedProxies
from upgradegw.negotiation.forwarded import parse_address
from upgradegw.service.admin.page import POLICY, status_page
from upgradegw.service.admin.state import ORDERS, ServerState, rows
from upgradegw.web.clients import client_of
from upgradegw.web.responses import write_refusal
from upgradegw.web.site import UpgradeSite

_FIELDS = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)


class AdminSite(UpgradeSite):
    """The site of the operator's listener; what is asked there is no access of anybody's."""

    noisy = False

    def log(self, request: Any) -> None:
        """Write nothing, and count nothing."""


class AdminPages(Resource):
    """``/``, ``/connections.json``, ``/metrics``, ``/healthz`` and ``/readyz``; anybody else gets 403."""

    isLeaf = True

    def __init__(self, state: ServerState, registry: CollectorRegistry, allow: Iterable[str]) -> None:
        """Show a server.

        Args:
            state: The server.
            registry: Its metrics.
            allow: Networks, addresses, and ``unix``: who may ask.

        Raises:
            ValueError: One of them is none.
        """
        super().__init__()
        self._state = state
        self._registry = registry
        self._allowed = TrustedProxies.parse(allow)
        self._secret = token_urlsafe(24)

    def render(self, request: Any) -> bytes:
        """Answer whoever may ask."""
        if client_of(request).peer not in self._allowed:
            return write_refusal(request, 403, text="Only the networks that [admin] allows may ask here.")
        path = request.path
        if path.startswith(b"/connections/"):
            return self._act(request, path)
        answer = _PAGES.get(path)
        if answer is None:
            return write_refusal(request, 404)
        if request.method not in (b"GET", b"HEAD"):
            return write_refusal(request, 405, ((b"Allow", b"GET, HEAD"),))
        return answer(self, request)

    def _health(self, request: Any) -> bytes:
        """The process answers, so it is alive."""
        return _text(request, 200, "alive")

    def _readiness(self, request: Any) -> bytes:
        """New connections are taken, or not any more."""
        return _text(request, 200, "ready") if self._state.ready else _text(request, 503, "stopping")

    def _metrics(self, request: Any) -> bytes:
        request.setHeader(b"content-type", CONTENT_TYPE_LATEST.encode())
        return generate_latest(self._registry)

    # --- What is for persons: not to be had by a page of another site whose name has been made to lead here.

    def _status(self, request: Any) -> bytes:
        if not _asked_by_address(request):
            return _misdirected(request)
        for name, value in _FIELDS:
            request.setHeader(name, value)
        return status_page(self._state, _order(request), self._secret)

    def _connections(self, request: Any) -> bytes:
        if not _asked_by_address(request):
            return _misdirected(request)
        request.setHeader(b"content-type", b"application/json")
        request.setHeader(b"cache-control", b"no-store")
        return json.dumps([asdict(row) for row in rows(self._state.live, _order(request))]).encode()

    def _act(self, request: Any, path: bytes) -> bytes:
        """Drain or end a connection, as a form of the status page says."""
        if not _asked_by_address(request):
            return _misdirected(request)
        if request.method != b"POST":
            return write_refusal(request, 405, ((b"Allow", b"POST"),))
        try:
            form = parse_qs(request.content.read(), max_num_fields=8)
        except ValueError:
            return write_refusal(request, 400)
        secret = form.get(b"secret", [b""])[0]
        if not compare_digest(secret, self._secret.encode()):
            return write_refusal(request, 403, text="This form is not of the page as it is now: load the page again.")
        action = form.get(b"action", [b""])[0]
        number = path.rpartition(b"/")[2]
        live = self._state.live
        known = live is not None and number.isdigit() and len(number) < 20  # noqa: PLR2004 - more than there ever are
        connection = live.get(int(number)) if live is not None and known else None
        if action == b"drain" and connection is not None:
            connection.drain()
        elif action == b"end" and connection is not None:
            connection.end()
        elif action not in (b"drain", b"end"):
            return write_refusal(request, 400)
        # A connection that has ended meanwhile is as it was to be.
        request.redirect(b"../?sort=" + _order(request).encode())
        request.setResponseCode(303)
        return b""


_PAGES = {
    b"/": AdminPages._status,  # noqa: SLF001 - the table of this class
    b"/connections.json": AdminPages._connections,  # noqa: SLF001
    b"/metrics": AdminPages._metrics,  # noqa: SLF001
    b"/healthz": AdminPages._health,  # noqa: SLF001
    b"/readyz": AdminPages._readiness,  # noqa: SLF001
}


def _text(request: Any, status: int, text: str) -> bytes:
    request.setResponseCode(status)
    request.setHeader(b"content-type", b"text/plain; charset=utf-8")
    request.setHeader(b"cache-control", b"no-store")
    return text.encode() + b"\n"


def _order(request: Any) -> str:
    order = request.args.get(b"sort", [b""])[0].decode("latin-1")
    return order if order in ORDERS else "number"


def _asked_by_address(request: Any) -> bool:
    """Tell whether the Host field is an address or localhost, which no stranger's name can be."""
    found = split_authority(request.getHeader(b"host") or b"")
    if found is None:
        return False
    name = found[0].decode("ascii").strip("[]")
    return name == "localhost" or parse_address(name) is not None


def _misdirected(request: Any) -> bytes:
    text = "This page is shown under an address or localhost only: a name could be a stranger's."
    return write_refusal(request, 421, text=text)
