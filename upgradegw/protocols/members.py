"""The open connections of a stream upgrade: who is there, what is sent to all of them, and who does not read it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.logger import Logger

from upgradegw.negotiation.reasons import Reason
from upgradegw.protocols.connections import Connections, Slow, check_slow, choose
from upgradegw.transports import abort_transport, unsent_bytes

_log = Logger(namespace="upgradegw")


class Members:
    """The open connections of one upgrade."""

    def __init__(self, max_unsent: int | None) -> None:
        """Start with nobody.

        Args:
            max_unsent: Bytes that may be unsent to a client before it counts as one that does not read, or None.
        """
        self._max_unsent = max_unsent
        self._opened: dict[int, Any] = {}
        self._members: dict[int, Member] = {}

    @property
    def connections(self) -> Connections:
        """The protocols."""
        return Connections(self._opened)

    def open(self, member: Member) -> None:
        """Count a connection in."""
        self._opened[id(member.protocol)] = member.protocol
        self._members[id(member.protocol)] = member

    def close(self, member: Member) -> None:
        """Count a connection out."""
        self._opened.pop(id(member.protocol), None)
        self._members.pop(id(member.protocol), None)

    def broadcast(self, data: bytes, where: Callable[[Any], bool] | None, slow: Slow) -> int:
        """Write to all, or some; see ``StreamUpgrade.broadcast``."""
        check_slow(slow)
        if not isinstance(data, bytes):
            raise TypeError(f"what is broadcast on a stream is bytes, not {type(data).__name__}")
        return sum(self._writes(protocol, data, slow) for protocol in choose(self.connections, where))

    def _writes(self, protocol: Any, data: bytes, slow: Slow) -> bool:
        member = self._members.get(id(protocol))
        if member is None:
            return False  # closed by what an earlier one did
        try:
            return member.write(data, self._max_unsent, slow)
        except Exception:  # noqa: BLE001 - what a transport, or a producer that it tells, raises concerns it alone
            _log.failure("a broadcast failed on one connection")
            return False


class Member:
    """One connection: the ``Witness`` of its life."""

    __slots__ = ("_members", "_reason", "_transport", "protocol")

    def __init__(self, members: Members, protocol: Any) -> None:
        """Wait for the switch.

        Args:
            members: Those that this one will be among.
            protocol: The protocol.
        """
        self.protocol = protocol
        self._members = members
        self._transport: Any = None
        self._reason: Reason | None = None

    def begins(self, transport: Any) -> None:
        """The protocol is about to be connected."""
        self._transport = transport
        self._members.open(self)

    def ends(self) -> Reason | None:
        """The connection is gone, and the protocol is about to be told."""
        self._members.close(self)
        return self._reason

    def write(self, data: bytes, max_unsent: int | None, slow: Slow) -> bool:
        """Write, unless the connection is being closed or its client does not read; return whether it was done."""
        transport = self._transport
        if getattr(transport, "disconnecting", False):
            return False
        if max_unsent is not None and (unsent_bytes(transport) or 0) > max_unsent:
            if slow == "close":
                self._reason = Reason.SLOW_READER
                abort_transport(transport)
            return False
        transport.write(data)
        return True
