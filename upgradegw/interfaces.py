"""The types at the seams: what a connection gives, what a protocol must offer, what an application answers.

Callbacks are typing.Protocol, so that a class of yours satisfies them without importing this module; zope interfaces
appear only where Twisted itself asks objects what they provide.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from twisted.internet.interfaces import IProtocol
from zope.interface import Interface

from upgradegw.negotiation.model import Client, Fields, Refuse, RequestHead, Supported, UpgradeProtocol
from upgradegw.negotiation.reasons import Reason


@dataclass(slots=True, unsafe_hash=True)
class UpgradeInfo:
    """What a protocol may want to know of the request that led to it.

    Attributes:
        head: The request's head.
        token: The token as the client wrote it.
        context: What ``authorize`` returned in ``Allow(context=…)``; None without it.
        client: The effective client (the same object as ``head.client``).
        secure: Whether this connection is encrypted by us.
        http_version: ``b"HTTP/1.1"`` or ``b"HTTP/2"``.
        content: The request's content, for protocols that accept some; else ``b""``.
        checked: What the upgrade's own ``check`` learned from the head.
        request: The ``twisted.web`` request, for an upgrade whose attribute ``wants_request`` is true, while it
            prepares; else None, for nobody should keep it as long as the connection.
        client_subject: Whose certificate the client has shown, as ``client_subject(request)`` returns it.
    """

    head: RequestHead
    token: UpgradeProtocol
    context: Any
    client: Client
    secure: bool
    http_version: bytes
    content: bytes = b""
    checked: object = None
    request: Any = None
    client_subject: str | None = None


class Upgraded(Protocol):
    """A protocol that wants to know the request: called behind the 101, before ``makeConnection``."""

    def upgraded(self, info: UpgradeInfo) -> None:
        """Take notice of the request.

        Args:
            info: The request's head, who asked, and what ``authorize`` found out.
        """


@dataclass(frozen=True, slots=True)
class Allow:
    """``authorize`` lets the request pass.

    Attributes:
        context: Anything; the protocol finds it in ``UpgradeInfo.context``.
        fields: Fields to add to the 101, for example ``Set-Cookie``.
        counted_as: What ``max_connections_per_context`` counts instead of the context, such as a user's name.
    """

    context: Any = None
    fields: Fields = ()
    counted_as: Any = None


@dataclass(frozen=True, slots=True)
class Deny:
    """The application does not let the request pass.

    Attributes:
        status: The status code, 300 to 599.
        fields: Fields of the response, for example ``Location`` or ``WWW-Authenticate``.
        body: The response's content; a short standard text if empty.
    """

    status: int = 403
    fields: Fields = ()
    body: bytes = b""


class Ending(Protocol):
    """What the access log and an orderly stop want from a protocol that knows more than its bytes."""

    def going_away(self, code: int = 1001) -> None:
        """End in order because the server stops, as the protocol's own rules have it.

        Args:
            code: The close code of RFC 6455 section 7.4, for protocols that have one.
        """

    def summary(self) -> EndSummary:
        """Say how the connection went, or has gone so far; called when it has ended, and by who looks at it before."""


class Witness(Protocol):
    """Who is told of a connection's life, around what the protocol is told."""

    def begins(self, transport: Any) -> None:
        """The protocol is about to be connected to this transport."""

    def ends(self) -> Reason | None:
        """The connection is gone and the protocol is about to be told; return why, if that is known better here."""


@dataclass(slots=True, unsafe_hash=True)
class EndSummary:
    """How an upgraded connection went.

    Attributes:
        bytes_in: Bytes received behind the request.
        bytes_out: Bytes sent behind the 101.
        close_code: The protocol's own code, for example WebSocket's 1000.
        reason: The value of a ``Reason``.
    """

    bytes_in: int
    bytes_out: int
    close_code: int | None = None
    reason: str = "closed"


def _nothing() -> None:
    """Release nothing."""


@dataclass(slots=True, unsafe_hash=True)
class Accept:
    """``prepare`` is ready to switch.

    Attributes:
        protocol: What is connected to the transport behind the 101.
        fields: Fields of the 101 beyond Upgrade and Connection.
        phrase: The reason phrase of the 101.
        subprotocol: For the log.
        ending: Who knows how it went; without it bytes are counted and the transport is closed at a stop.
        release: Called once when the protocol is done with: the connection has ended, or the switch never came.
        witness: Who is told just before the protocol is connected, and just before it learns of the end.
        token: The value of the 101's Upgrade, where it is not the one that the upgrade is known by.
    """

    protocol: IProtocol
    fields: Fields = ()
    phrase: bytes = b"Switching Protocols"
    subprotocol: str | None = None
    ending: Ending | None = None
    release: Callable[[], None] = _nothing
    witness: Witness | None = None
    token: bytes | None = None


@dataclass(frozen=True, slots=True)
class Respond:
    """``prepare`` has another answer than a switch: the request is rendered as an ordinary one.

    Attributes:
        render: Called with the request; writes the response, and returns as ``IResource.render`` does.
        release: Called instead, once, if nobody is left to be answered.
    """

    render: Callable[[Any], bytes | int]
    release: Callable[[], None] = _nothing


class Upgrade(Supported, Protocol):
    """A protocol that a resource serves behind a switch: what the rules ask of it, and ``prepare``.

    One whose attribute ``wants_request`` is there and true finds the request in ``UpgradeInfo.request``. One that takes
    content and whose attribute ``streams_content`` is there and true is asked before the content has come, and reads it
    from the request with ``deliver_content``; it must not accept before it has all of it.

    One whose class has ``accept_at_once(info, transport)`` beside ``prepare`` is asked with that first, where no
    request was made yet. It answers as ``prepare`` would, with Accept, if it needs nothing of the application's for
    that; otherwise it returns None or raises, and nothing must have happened: ``check`` and ``prepare`` follow then.
    """

    def prepare(
        self, info: UpgradeInfo, transport: Any
    ) -> Accept | Deny | Refuse | Respond | Awaitable[Accept | Deny | Refuse | Respond]:
        """Make ready to switch; write nothing to the transport.

        It may wait; it is cancelled at the deadline and when the client leaves. What it raises becomes a 500.

        Args:
            info: The request.
            transport: The transport that the protocol will get, to be asked for addresses and certificates.
        """


@dataclass(slots=True, unsafe_hash=True)
class Taken:
    """A connection that has stopped speaking HTTP.

    Attributes:
        transport: The connection's own transport, no wrapper.
        leading_data: The bytes that came behind the request.
        attach: Makes a protocol the receiver of the transport's events.
        write_head: Writes the response head that announces the switch: phrase and fields, Upgrade and Connection
            among them. HTTP/1.1 writes a 101, an HTTP/2 stream would write ``:status 200``.
        resume: Starts reading again; None if reading had not stopped.
        read_closed: Whether the client has already ended its side.
    """

    transport: Any
    leading_data: bytes
    attach: Callable[[IProtocol], None]
    write_head: Callable[[bytes, Fields], None]
    resume: Callable[[], None] | None
    read_closed: bool = False


class Standing(Protocol):
    """What stands for a connection that speaks another protocol."""

    def ended(self) -> None:
        """The switched connection is gone."""


class Takeable(Protocol):
    """A request's connection that can be taken away from HTTP.

    Implemented by ``http1.Channel`` and, for a stock ``twisted.web.http.HTTPChannel``, by ``takeover``.
    """

    connection_id: str
    logs_requests: bool

    def transport_to_be(self) -> Any:
        """The transport that ``take`` will give; only to be asked, not to be written to."""

    def bytes_behind(self) -> bool:
        """Tell whether bytes came behind the request."""

    def close_after_response(self) -> None:
        """Close behind the response to this request and parse nothing that came behind the request."""

    def take(self, request: Any) -> Taken:
        """End HTTP on this connection: timers cancelled, producers unregistered, request detached."""

    def switched(self, going_away: Callable[[int], None]) -> Standing:
        """The connection is another protocol's now; an orderly stop calls ``going_away`` with a close code.

        Returns:
            Who stands for the connection from now on; it may be the same object.
        """

    def ended(self) -> None:
        """The switched connection is gone; called if it has ended before ``switched``."""


class IUpgradeResource(Interface):
    """A resource that answers upgrades, and may therefore be asked with extended CONNECT (RFC 8441)."""
