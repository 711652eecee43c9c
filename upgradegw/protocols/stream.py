"""Any Twisted protocol as an upgrade: raw bytes both ways behind the 101, under a token of your choice.

The factory need not know of HTTP. A protocol that wants to know the request has a method ``upgraded(info)``; one that
provides ``IHalfCloseableProtocol`` is told of half-closes; ``loseConnection``, ``abortConnection`` and producers are
the transport's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from upgradegw.interfaces import Accept, UpgradeInfo
from upgradegw.negotiation.fields import is_token
from upgradegw.negotiation.model import Fields, Refuse, RequestHead, UpgradeProtocol
from upgradegw.negotiation.reasons import Reason
from upgradegw.protocols.connections import Connections, Slow
from upgradegw.protocols.factories import FactoryUse
from upgradegw.protocols.limits import check_limit
from upgradegw.protocols.members import Member, Members
from upgradegw.switching import checked_fields, checked_switching_fields

_Text = str | bytes
_FieldsArgument = Iterable[tuple[_Text, _Text]] | Callable[[UpgradeInfo], Iterable[tuple[_Text, _Text]]]


def _bytes(text: _Text) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1")


def _as_fields(pairs: Iterable[tuple[_Text, _Text]]) -> Fields:
    return checked_switching_fields(tuple((_bytes(name), _bytes(value)) for name, value in pairs))


def parse_token(token: _Text) -> UpgradeProtocol:
    """Read an upgrade token from an argument.

    Raises:
        ValueError: It does not follow ``name ["/" version]``, or it is one that HTTP itself uses.
    """
    protocol = UpgradeProtocol.parse(_bytes(token))
    if not is_token(protocol.name) or not (protocol.version is None or is_token(protocol.version)):
        raise ValueError(f"{token!r} is no upgrade token: use a name, or a name and a version, as in 'feed/2'")
    if protocol.name.lower() in (b"h2c", b"h2", b"http"):
        raise ValueError(f"{token!r} names a version of HTTP, which no protocol of yours can be")
    return protocol


class StreamUpgrade:
    """What ``stream`` returns; see there."""

    def __init__(
        self,
        protocol: UpgradeProtocol,
        factory: Any,
        methods: Sequence[bytes],
        content: bool,
        fields: _FieldsArgument,
        phrase: bytes,
        max_unsent: int | None,
    ) -> None:
        """See ``stream``."""
        self.protocol = protocol
        self.methods = methods
        self.content = content
        self._use = FactoryUse(factory)
        self._phrase = phrase
        self._fields = fields if callable(fields) else _as_fields(fields)
        self._members = Members(max_unsent)

    @property
    def connections(self) -> Connections:
        """The protocols of the open connections: there from before ``makeConnection`` until ``connectionLost``."""
        return self._members.connections

    def broadcast(self, data: bytes, where: Callable[[Any], bool] | None = None, slow: Slow = "close") -> int:
        """Write bytes to all open connections, or to some: to their transports, as the protocols would do.

        A connection that is being closed is left out. One that fails concerns no other.

        Args:
            data: The bytes; to write them between two messages of the protocol is the application's care.
            where: Asked for each open protocol before anything is written; false leaves it out.
            slow: What becomes of a client with more than ``max_unsent`` bytes unsent: ``"close"`` aborts the
                connection, for a stream has no way to say why; ``"skip"`` leaves it out.

        Returns:
            To how many connections they were written.

        Raises:
            TypeError: These are no bytes.
            ValueError: ``slow`` is neither of the two.
            Exception: What ``where`` raised; nothing has been written then.
        """
        return self._members.broadcast(data, where, slow)

    def check(self, head: RequestHead) -> Refuse | None:  # noqa: ARG002 - the interface's
        """There is no rule beyond those of the Upgrade mechanism."""
        return None

    def prepare(self, info: UpgradeInfo, transport: Any) -> Accept | Refuse:
        """Build the protocol."""
        use = self._use
        use.acquire()
        try:
            fields = _as_fields(self._fields(info)) if callable(self._fields) else self._fields
            protocol = use.factory.buildProtocol(transport.getPeer())
        except BaseException:
            use.release()
            raise
        if protocol is None:
            use.release()
            return Refuse(Reason.NO_PROTOCOL, 503)
        return Accept(protocol, fields, self._phrase, release=use.release, witness=Member(self._members, protocol))


def stream(
    token: _Text,
    factory: Any,
    methods: Sequence[_Text] = ("GET",),
    content: bool = False,
    fields: _FieldsArgument = (),
    reason: _Text = "Switching Protocols",
    max_unsent: int | None = 16 << 20,
) -> StreamUpgrade:
    """Serve a Twisted protocol under an upgrade token.

    Args:
        token: The name under which clients ask for it: ``"feed"``, ``"feed/2"``.
        factory: An ``IProtocolFactory``. ``doStart`` is called at its first connection and ``doStop`` after the last.
            ``buildProtocol`` gets the peer's address; None refuses the connection with 503.
        methods: The methods with which it may be asked for. GET is the safe choice (RFC 9931 section 6).
        content: Whether the request may have content; it is then in ``info.content``.
        fields: Fields to add to the 101: pairs, or a callable that gets the ``UpgradeInfo`` and returns pairs.
        reason: The reason phrase of the 101.
        max_unsent: Bytes that may be unsent to a client when something is broadcast; see there. 16 MiB; None for no
            limit. What the protocol writes itself is for its producer to hold back.

    Raises:
        ValueError: The token, a method, a field or the phrase cannot stand where it would have to; or the limit is
            none.
    """
    names = tuple(_bytes(method) for method in methods)
    if not names or not all(is_token(name) for name in names):
        raise ValueError(f"methods={methods!r} must be one or more HTTP methods")
    phrase = _bytes(reason)
    checked_fields(((b"reason", phrase),))
    check_limit("max_unsent", max_unsent)
    return StreamUpgrade(parse_token(token), factory, names, content, fields, phrase, max_unsent)
