"""``--check=connect``: each upstream is asked a real request, and for each token a real handshake.

What an upstream answers is for the reader to judge: the path of a route need not be one where it switches. Wrong is
what the gateway itself would refuse, or no answer at all.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from typing import Any

from twisted.internet.defer import Deferred, gatherResults

from upgradegw.negotiation.fields import printable
from upgradegw.negotiation.model import Client, Fields, RequestHead, UpgradeProtocol
from upgradegw.negotiation.websocket import Handshake
from upgradegw.proxy.address import UpstreamAddress
from upgradegw.proxy.exchange import Asked, UpstreamRequest
from upgradegw.proxy.judging import Offer, WrongSwitch, is_websocket, judge
from upgradegw.proxy.settings import UpstreamSettings
from upgradegw.proxy.upstream import upstream_for
from upgradegw.proxy.upstreams import Upstreams
from upgradegw.service.check_answers import Answer, ask, end
from upgradegw.service.config.model import Route
from upgradegw.service.gateway.live import LiveRoute
from upgradegw.transports import abort_transport

#: Seconds for an answer, where the route allows more: a person waits for it.
PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one question.

    Attributes:
        pairs: What to tell.
        wrong: Whether the gateway would refuse it.
    """

    pairs: dict[str, str | None]
    wrong: bool = False


async def ask_all(routes: Iterable[LiveRoute], reactor: Any) -> list[Finding]:
    """Ask the upstreams of all routes, all of them at once.

    Args:
        routes: The routes.
        reactor: Connects.
    """
    waiting = []
    for route in routes:
        for upstreams in route.upstreams:
            if not isinstance(upstreams, Upstreams):
                continue
            for address in upstreams.addresses:
                asked = upstream_for(address, _patient(upstreams.settings), reactor)
                waiting.append(Deferred.fromCoroutine(_ask_one(asked, address, route.config, reactor)))
    return [finding for findings in await gatherResults(waiting, consumeErrors=True) for finding in findings]


def _patient(settings: UpstreamSettings) -> UpstreamSettings:
    return replace(settings, response_timeout=min(settings.response_timeout or PATIENCE, PATIENCE), max_idle=0)


async def _ask_one(asked: Asked, address: UpstreamAddress, route: Route, reactor: Any) -> list[Finding]:
    place = {"path": route.path, "host": ",".join(route.hosts) or None, "upstream": str(address)}
    tunnelled = address in map(UpstreamAddress.parse, route.upstreams)  # and no other that the route asks
    findings = [each async for each in ask_upstream(asked, route, route.upgrades if tunnelled else (), reactor)]
    asked.close()
    return [replace(finding, pairs={**place, **finding.pairs}) for finding in findings]


async def ask_upstream(asked: Asked, route: Route, tokens: Iterable[str], reactor: Any) -> AsyncIterator[Finding]:
    """Ask one upstream everything.

    Args:
        asked: The upstream.
        route: Its route.
        tokens: The upgrade tokens that are tunnelled to it.
        reactor: Tells the time.
    """
    answer = await ask(asked, _request(route), reactor)
    yield _finding(answer, {})
    if answer.error is not None:
        return  # it would only say so again for each token
    for token in tokens:
        if token != "*":  # noqa: S105 - no secret: it stands for any token, and there is none to ask for
            yield await _handshake(asked, route, UpgradeProtocol.parse(token.encode("ascii", "replace")), reactor)


async def _handshake(asked: Asked, route: Route, token: UpgradeProtocol, reactor: Any) -> Finding:
    key = b64encode(os.urandom(16)) if is_websocket(token) and asked.http_version != b"HTTP/2" else None
    fields: Fields = ()
    if is_websocket(token):
        fields = ((b"Sec-WebSocket-Version", b"13"), *(() if key is None else ((b"Sec-WebSocket-Key", key),)))
    answer = await ask(asked, _request(route, fields, (bytes(token),)), reactor)
    told: dict[str, str | None] = {"token": str(token)}
    if answer.tunnel is None or answer.response is None:
        return _finding(answer, {**told, "switched": "no"})
    told["status"] = str(answer.response.status)
    offer = Offer(
        (token,),
        Handshake(key, (), (), None) if is_websocket(token) else None,
        strict="no-connection-option" not in route.lenient,
    )
    try:
        switch = judge(answer.response, offer, RequestHead(b"GET", b"/", b"HTTP/1.1", fields, False, _NOBODY))
    except WrongSwitch as wrong:
        abort_transport(answer.tunnel.transport)
        return Finding({**told, "error": "upstream_bad_switch", "detail": str(wrong)}, wrong=True)
    told["switched"] = "yes"
    if switch.framed:
        told |= {"accept": None if key is None else "right", "subprotocol": switch.subprotocol or "none"}
    return Finding({**told, **await end(answer.tunnel, reactor, framed=switch.framed)})


#: The gateway itself.
_NOBODY = Client(None, b"http", None, None)


def _request(route: Route, fields: Fields = (), tokens: tuple[bytes, ...] = ()) -> UpstreamRequest:
    path = route.health.path if route.health is not None and not tokens else None
    path = path or ("/" if route.strip_path else route.path)
    host = next(iter(route.hosts), "upstream") if route.proxy_host == "keep" else route.proxy_host
    authority = b"" if host == "upstream" or host.startswith("*") else host.encode("ascii", "replace")
    fields = ((b"User-Agent", b"upgradegw"), *fields)
    return UpstreamRequest(b"GET", path.encode("ascii", "replace"), authority, fields, tokens=tokens)


def _finding(answer: Answer, pairs: dict[str, str | None]) -> Finding:
    if answer.error is not None:
        told = {"error": answer.error.reason.value, "detail": answer.error.detail}
        return Finding({**pairs, **told}, wrong=True)
    assert answer.response is not None  # noqa: S101 - one of the two has come
    version, status = printable(answer.response.http_version), str(answer.response.status)
    return Finding({"http": version, **pairs, "status": status, "seconds": f"{answer.seconds:.3f}"})
