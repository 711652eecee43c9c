"""An endpoint on which one's own protocol speaks behind an upgrade: any other endpoint, and a request for a switch."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.error import TimeoutError as ConnectTimeout
from twisted.internet.interfaces import IProtocol, IProtocolFactory, ISSLTransport, IStreamClientEndpoint
from twisted.python.failure import Failure
from zope.interface import implementer

from upgradegw.client.opening import Opening, Openings
from upgradegw.client.reading import ResponseReader
from upgradegw.client.request import (
    Text,
    checked_host,
    checked_method,
    checked_request_fields,
    checked_target,
    checked_token,
    request_head,
)
from upgradegw.http.content import EXPECT_CONTENT
from upgradegw.negotiation.authority import DEFAULT_PORTS
from upgradegw.protocols.limits import check_limit


@implementer(IStreamClientEndpoint)
class UpgradeClientEndpoint:
    """Connects a Twisted protocol to the other side of an HTTP upgrade (RFC 9110 section 7.8).

    ``connect(factory)`` connects the inner endpoint, asks for the token and, behind a right 101, starts the factory's
    protocol on the connection's own transport. If it has a method ``upgraded``, that gets the ``UpgradeResponse``
    before ``makeConnection``. Bytes that came behind the 101 follow when the Deferred has fired.

    The Deferred of ``connect`` fails with ``UpgradeRefused`` if the server gives any other answer, with
    ``BadUpgradeResponse`` if what it sends is no answer or a wrong 101, with ``twisted.internet.error.TimeoutError``
    after ``timeout``, and otherwise with whatever the inner endpoint and the connection fail with. In each case, and
    if the Deferred is cancelled, the connection is closed.
    """

    def __init__(
        self,
        endpoint: Any,
        path: Text,
        token: Text,
        fields: Iterable[tuple[Text, Text]] = (),
        *,
        host: Text | None = None,
        method: Text = "GET",
        content: bytes = b"",
        timeout: float | None = 10.0,
        max_head: int = 16 * 1024,
        max_body: int = 64 * 1024,
        reactor: Any = None,
    ) -> None:
        """Put an upgrade on an endpoint.

        Args:
            endpoint: An ``IStreamClientEndpoint`` that leads to the server: TCP, UNIX, or with TLS by
                ``wrapClientTLS``.
            path: The path, with a query if there is one: ``"/talk"``.
            token: What is asked for: ``"feed"``, ``"feed/2"``.
            fields: More fields of the request, for example ``[("Authorization", "Bearer …")]``.
            host: The server's name for ``Host``, with its port if that is not the usual one: ``"app.example"``,
                ``"localhost:8080"``. Endpoints do not tell the name they were made with, so without it Host is the
                address that was connected to, and ``localhost`` on a UNIX socket; a server of several sites needs it.
            method: The method. Servers expect GET unless they say otherwise.
            content: The request's content, for tokens that take some.
            timeout: Seconds from ``connect`` to the switch; None for no limit.
            max_head: Bytes of a response head.
            max_body: Bytes of a refusal's content that are kept.
            reactor: Whose time counts; None for the global reactor.

        Raises:
            TypeError: The content is no bytes.
            ValueError: An argument cannot stand in a request, or is not the caller's to set; or a limit is none.
        """
        if not isinstance(content, bytes):
            raise TypeError(f"content is bytes, not {type(content).__name__}")
        check_limit("timeout", timeout)
        for name, size in (("max_head", max_head), ("max_body", max_body)):
            if isinstance(size, bool) or not isinstance(size, int) or size < 0:
                raise ValueError(f"{name}={size!r} must be a number of bytes")
        self._endpoint = endpoint
        self._target = checked_target(path)
        self._token = checked_token(token)
        self._fields = checked_request_fields(fields)
        self._host = None if host is None else checked_host(host)
        self._method = checked_method(method)
        self._content = content
        self._timeout = timeout
        self._limits = max_head, max_body
        self._reactor = reactor

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect, ask, and start a protocol of the factory behind the switch.

        Args:
            protocolFactory: Builds the protocol.

        Returns:
            A Deferred of the running protocol.
        """
        asked: list[Opening] = []
        result = Deferred.fromCoroutine(self._connect(protocolFactory, asked))
        if self._timeout is not None:
            result.addTimeout(self._timeout, self._clock(), partial(_too_late, asked))
        return result

    async def _connect(self, factory: IProtocolFactory, asked: list[Opening]) -> IProtocol:
        opening = await self._endpoint.connect(Openings(factory, self._opening))
        asked.append(opening)
        return await opening.ask(self._request(opening.transport))  # type: ignore[no-any-return]

    def _opening(self, protocol: IProtocol) -> Opening:
        reader = ResponseReader(*self._limits, head_only=self._method == b"HEAD")
        return Opening(protocol, reader, self._token)

    def _request(self, transport: Any) -> bytes:
        length = len(self._content) if self._content or self._method in EXPECT_CONTENT else None
        host = self._host or address_host(transport)
        head = request_head(self._method, self._target, host, self._token, self._fields, length)
        return head + self._content

    def _clock(self) -> Any:
        if self._reactor is not None:
            return self._reactor
        from twisted.internet import reactor  # noqa: PLC0415 - importing us installs none

        return reactor


def address_host(transport: Any) -> bytes:
    """Return the address of a connection's other end as it may stand in Host (RFC 9110 section 7.2).

    Args:
        transport: The connection.
    """
    peer = transport.getPeer()
    if not isinstance(peer, IPv4Address | IPv6Address):
        return b"localhost"
    # RFC 4007 section 11: a zone is this machine's own affair.
    host = f"[{peer.host.partition('%')[0]}]" if isinstance(peer, IPv6Address) else peer.host
    usual = DEFAULT_PORTS[b"https" if ISSLTransport.providedBy(transport) else b"http"]
    return (host if peer.port == usual else f"{host}:{peer.port}").encode("ascii")


def _too_late(asked: list[Opening], outcome: Any, seconds: float) -> Any:
    """Turn the cancelling at the deadline into what it means; a refusal that has begun is told as far as it came."""
    if not isinstance(outcome, Failure):
        return outcome
    refusal = asked[0].refusal if asked else None
    what = "the server has not answered" if asked else "there was no connection"
    raise refusal or ConnectTimeout(string=f"{what} within {seconds:g} seconds") from None
