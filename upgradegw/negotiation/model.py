"""The values of a negotiation: the request's head, the client, the token, and the three possible decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from upgradegw.negotiation.fields import by_name
from upgradegw.negotiation.reasons import Reason

#: Field lines in the order they were received; names as received, compared without regard to case.
Fields = tuple[tuple[bytes, bytes], ...]

U = TypeVar("U", bound="Supported")


@dataclass(frozen=True, slots=True)
class UpgradeProtocol:
    """One protocol of an Upgrade field: ``name ["/" version]`` (RFC 9110 section 7.8).

    Names are compared without regard to ASCII case, versions literally: ``feed/2`` matches ``FEED/2``, not ``feed``.

    Attributes:
        name: What stands before the slash.
        version: What stands behind it; None without a slash.
    """

    name: bytes
    version: bytes | None = None

    @classmethod
    def parse(cls, token: bytes) -> UpgradeProtocol:
        """Split ``name/version``; the caller has checked the grammar or does not need it checked.

        Args:
            token: The whole token.
        """
        name, slash, version = token.partition(b"/")
        return cls(name, version if slash else None)

    def matches(self, other: UpgradeProtocol) -> bool:
        """Tell whether both name the same protocol.

        Args:
            other: A token that was offered, or is supported.
        """
        return self.version == other.version and (self.name == other.name or self.name.lower() == other.name.lower())

    def __bytes__(self) -> bytes:
        """The form that stands in a field."""
        return self.name if self.version is None else self.name + b"/" + self.version

    def __str__(self) -> str:
        """The same as text, for logs."""
        return bytes(self).decode("latin-1")


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks, and under which name: what trusted proxies said, else what the connection says.

    Attributes:
        address: The client's address as text (``192.0.2.1``, ``2001:db8::1``), or None on a UNIX socket.
        scheme: ``b"http"`` or ``b"https"`` as the client used it, or None if a trusted proxy left it open.
        authority: Host and port as the client used them, or None if a trusted proxy left it open or there is none.
        peer: The address of the other end of this connection, which may be a proxy's.
    """

    address: str | None
    scheme: bytes | None
    authority: bytes | None
    peer: str | None


@dataclass(slots=True, unsafe_hash=True)
class RequestHead:  # not frozen, nor is what else is made for each handshake: that takes several times as long
    """A request without its content.

    Attributes:
        method: For example ``b"GET"``; case matters.
        target: The request target as received.
        http_version: ``b"HTTP/1.1"``, ``b"HTTP/1.0"`` or ``b"HTTP/2"``.
        fields: The field lines.
        has_content: Whether Content-Length is above zero or there is any Transfer-Encoding.
        client: The effective client, scheme and authority.
        protocol: The token that extended CONNECT asks for (``:protocol``, RFC 8441 section 4); None without it.
    """

    method: bytes
    target: bytes
    http_version: bytes
    fields: Fields
    has_content: bool
    client: Client
    protocol: bytes | None = None
    _index: Mapping[bytes, list[bytes]] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def by_name(self) -> Mapping[bytes, list[bytes]]:
        """The values of the fields by name in lower case."""
        index = self._index
        if index is None:
            index = by_name(self.fields)
            self._index = index
        return index

    def get_all(self, lower_name: bytes) -> list[bytes]:
        """Return the values of all field lines of this name, in the order they were received.

        Args:
            lower_name: The name in lower case.
        """
        return (self._index or self.by_name).get(lower_name, [])

    def keep_index(self, index: Mapping[bytes, list[bytes]]) -> None:
        """Have ``by_name`` from somebody who has read the fields already.

        Args:
            index: What it would be.
        """
        self._index = index

    def forget_index(self) -> None:
        """Let go of what is only needed for looking up: the decision is made, and the head may be kept for long."""
        self._index = None


class Supported(Protocol):
    """What a decision needs to know of a protocol that a resource offers.

    One whose attribute ``needs_connection_option`` is there and false may be asked for as some clients do that do not
    follow RFC 9110 section 7.8: without ``Connection: upgrade``, and with spaces in the token's version.
    """

    @property
    def protocol(self) -> UpgradeProtocol:
        """The token under which the protocol is asked for."""

    @property
    def methods(self) -> Sequence[bytes]:
        """The methods with which it may be asked for."""

    @property
    def content(self) -> bool:
        """Whether the request may have content."""

    def check(self, head: RequestHead) -> Refuse | object:
        """Apply the token's own rules; return a Refuse, or what was learned for the next step."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The request is answered with an error, also where plain requests would be answered.

    Attributes:
        reason: The stable reason, for the log.
        status: The status code.
        fields: Fields that the response must have.
        detail: The values that were compared, for the log only.
    """

    reason: Reason
    status: int
    fields: Fields = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Decline:
    """The offer is passed over: the request is answered as a plain one (RFC 9110 section 7.8)."""

    reason: Reason
    detail: str = ""


@dataclass(slots=True, unsafe_hash=True)
class Candidate(Generic[U]):
    """The one protocol that will be spoken if nobody objects.

    Attributes:
        upgrade: The protocol among the supported ones.
        token: The token as the client wrote it; the response has the supported one's spelling.
        checked: What ``check`` returned.
    """

    upgrade: U
    token: UpgradeProtocol
    checked: object
