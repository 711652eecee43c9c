"""A protocol for a connection: built as its factory would, and begun as Autobahn would."""

from __future__ import annotations

from typing import Any

from autobahn.twisted.websocket import WebSocketServerProtocol

from upgradegw.interfaces import UpgradeInfo
from upgradegw.protocols.twisted_websocket import TwistedFactory
from upgradegw.protocols.websocket.beginning import autobahns_transport, begin
from upgradegw.protocols.websocket.kinds import Kinds
from upgradegw.protocols.websocket.opening import abandon
from upgradegw.protocols.websocket.settings import Policy, Settings
from upgradegw.protocols.websocket.watch import Watch


class Building:
    """Builds the protocols of one upgrade."""

    def __init__(self, factory: Any, settings: Settings, policy: Policy) -> None:
        """Build for a factory.

        Args:
            factory: The application's.
            settings: What all protocols have.
            policy: What is watched on them.
        """
        self._factory = factory
        self._kinds = Kinds(settings)
        self._policy = policy

    def plain_kind(self) -> Any:
        """Return the class of the next protocol, if nothing of the application's runs while one is built; else None."""
        return self._kinds.plain(self._factory)

    def build(self, info: UpgradeInfo, transport: Any, kind: Any) -> Any:
        """Build a protocol and let it begin; None if the factory has none.

        Args:
            info: What it is about.
            transport: The transport, to be asked for addresses.
            kind: What ``plain_kind`` says.

        Raises:
            Exception: What the application raised. A protocol that is counted has been told that it was in vain.
        """
        factory = self._factory
        connected = factory.countConnections
        protocol = None
        try:
            if kind is not None:
                protocol = kind.__new__(kind)
                protocol.factory = factory
                protocol.upgradegw_watch = Watch(self._policy)
                protocol.transport = autobahns_transport(transport)
                begin(protocol)
            else:
                protocol = self._ask(info, transport.getPeer())
                if protocol is not None:
                    self._connect(protocol, transport)
        except BaseException as why:
            if factory.countConnections > connected:
                # An overridden connectionMade failed behind Autobahn's own.
                abandon(protocol, f"the opening handshake was not completed: {why!r}")
            raise
        return protocol

    def _ask(self, info: UpgradeInfo, address: Any) -> Any:
        if isinstance(self._factory, TwistedFactory):
            return self._factory.build_for(info.request, address)
        return self._factory.buildProtocol(address)

    def _connect(self, protocol: Any, transport: Any) -> None:
        """Put settings and watch on a new protocol, and give it the transport to ask for addresses."""
        if not isinstance(protocol, WebSocketServerProtocol):
            raise TypeError(f"the factory built {protocol!r}, which is no WebSocketServerProtocol of autobahn.twisted")
        self._kinds.adopt(protocol)
        protocol.upgradegw_watch = Watch(self._policy)
        protocol.makeConnection(autobahns_transport(transport))
