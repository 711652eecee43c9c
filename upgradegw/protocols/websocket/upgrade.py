"""``websocket(factory, …)``: an Autobahn factory as an upgrade."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from inspect import isawaitable
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory
from autobahn.websocket.types import ConnectionDeny

from upgradegw.interfaces import Accept, Deny, UpgradeInfo
from upgradegw.negotiation.model import Refuse, RequestHead, UpgradeProtocol
from upgradegw.negotiation.origin import parse_origins
from upgradegw.negotiation.reasons import Reason
from upgradegw.negotiation.websocket import Handshake, handshake
from upgradegw.protocols.connections import Connections, Slow, check_slow, choose
from upgradegw.protocols.factories import FactoryUse
from upgradegw.protocols.twisted_websocket import TwistedFactory, is_twisted_factory
from upgradegw.protocols.websocket.accepting import Acceptance, Acceptor
from upgradegw.protocols.websocket.answers import read_denial
from upgradegw.protocols.websocket.broadcasting import Broadcast
from upgradegw.protocols.websocket.building import Building
from upgradegw.protocols.websocket.opening import WebSocketEnding, abandon
from upgradegw.protocols.websocket.origins import FactoryOrigins
from upgradegw.protocols.websocket.requests import connection_request
from upgradegw.protocols.websocket.settings import UNSET, Given, Policy, Settings, autobahn_settings, check_subprotocols
from upgradegw.protocols.websocket.timing import SlotTimer
from upgradegw.protocols.websocket.watch import OPEN

_Outcome = Accept | Deny | Refuse


class WebSocketUpgrade:
    """What ``websocket`` returns; see there."""

    protocol = UpgradeProtocol(b"websocket")
    methods: Sequence[bytes] = (b"GET",)
    content = False

    def __init__(
        self,
        factory: Any,
        origins: Given[Sequence[str] | None],
        settings: dict[str, Any],
        policy: Policy,
        compression: bool | None,
        subprotocols: Sequence[str],
    ) -> None:
        """See ``websocket``."""
        self.factory = factory
        self.wants_request = isinstance(factory, TwistedFactory)
        if not isinstance(factory._batched_timer, SlotTimer):  # noqa: SLF001
            factory._batched_timer = SlotTimer()  # noqa: SLF001
        self._use = FactoryUse(factory)
        self._factory_origins = FactoryOrigins(factory) if origins is UNSET else None
        self._origins = None if origins is UNSET or origins is None else parse_origins(origins)
        self._building = Building(factory, Settings(settings), policy)
        self._acceptor = Acceptor(factory, compression, check_subprotocols(subprotocols))
        self._opened: dict[int, Any] = {}

    @property
    def connections(self) -> Connections:
        """The protocols of the open connections: there from just before ``onOpen`` until just before ``onClose``."""
        return Connections(self._opened)

    def broadcast(self, message: str | bytes, where: Callable[[Any], bool] | None = None, slow: Slow = "close") -> int:
        """Send a message on all open connections, or on some; it is encoded once for all that can share that.

        What it costs beyond the writes depends on the compression that was negotiated: none, or
        permessage-deflate with ``server_no_context_takeover``, is encoded once; with context takeover each connection
        has a state of its own and compresses for itself.

        A connection on which the application is sending another message piece by piece (``beginMessage``) gets this
        one behind that. A connection that fails is closed with 1011, and the others get the message all the same.

        Args:
            message: A text, or bytes for a binary message.
            where: Asked for the protocol of each open connection before anything is sent; false leaves it out.
            slow: What becomes of a client with more than ``max_unsent`` bytes unsent: ``"close"`` says Close 1008
                behind them and drops the connection after the closing handshake's time; ``"skip"`` leaves it out.

        Returns:
            On how many connections the message was sent.

        Raises:
            TypeError: The message is neither text nor bytes.
            ValueError: ``slow`` is neither of the two, or the text cannot be encoded (a lone surrogate).
            Exception: What ``where`` raised; nothing has been sent then.
        """
        check_slow(slow)
        broadcast = Broadcast(message, close_slow=slow == "close")
        return broadcast.send(choose([each for each in self.connections if each.state == OPEN], where))

    @property
    def origins(self) -> tuple[str, ...] | None:
        """The origins whose pages may connect, as they are compared; None for the origin of the request itself."""
        if self._factory_origins is not None and self._factory_origins.in_force:
            return self._factory_origins.listed
        return self._origins

    def check(self, head: RequestHead) -> Handshake | Refuse:
        """Apply the rules of the opening handshake (RFC 6455 section 4.2.1)."""
        if self._factory_origins is not None and self._factory_origins.in_force:
            return self._factory_origins.check(head)
        return handshake(head, self._origins)

    def accept_at_once(self, info: UpgradeInfo, transport: Any) -> Accept | None:
        """Accept where nothing of the application's is asked, or started; else None, and nothing has happened."""
        kind, checked = self._building.plain_kind(), info.checked
        if kind is None or kind.upgradegw_asks or not self._use.in_use or self._is_full():
            return None
        if not isinstance(checked, Handshake) or not self._acceptor.decides_alone(kind, checked):
            return None
        acceptance = self._acceptor.decide(kind, checked, None)
        protocol = self._build(info, transport, kind)
        try:
            self._describe(protocol, info)
            return self._accept(protocol, acceptance)
        except BaseException as why:
            self._fail(protocol, why)
            raise

    def _is_full(self) -> bool:
        return 0 < self.factory.maxConnections <= self.factory.countConnections  # type: ignore[no-any-return]

    def prepare(self, info: UpgradeInfo, transport: Any) -> _Outcome | Awaitable[_Outcome]:
        """Build the protocol and ask its ``onConnect``."""
        checked = info.checked
        if not isinstance(checked, Handshake):
            raise TypeError("info.checked must be what check() returned")
        if self._is_full():
            limit = f"maxConnections={self.factory.maxConnections}"
            return Refuse(Reason.TOO_MANY_CONNECTIONS, 503, ((b"Retry-After", b"10"),), limit)
        protocol = self._build(info, transport)
        if protocol is None:
            return Refuse(Reason.NO_PROTOCOL, 503)
        try:
            self._describe(protocol, info)
            answer = None
            if protocol.upgradegw_asks or "onConnect" in vars(protocol):
                answer = protocol.onConnect(connection_request(protocol))
            if answer is not None and isawaitable(answer):
                return self._wait(protocol, checked, answer)
            return self._accept(protocol, self._acceptor.decide(protocol, checked, answer))
        except BaseException as why:  # noqa: BLE001 - whatever it is, the protocol must learn that it was in vain
            return self._fail(protocol, why)

    def _build(self, info: UpgradeInfo, transport: Any, kind: Any = None) -> Any:
        """Build a protocol, for which the factory is in use; None if it has none.

        Without the class of the protocol that is looked for here: to begin with, the factory is started, and may set
        anything then.
        """
        self._use.acquire()
        protocol = None
        try:
            protocol = self._building.build(info, transport, kind or self._building.plain_kind())
        finally:
            if protocol is None:
                self._use.release()
        return protocol

    @staticmethod
    def _describe(protocol: Any, info: UpgradeInfo) -> None:
        """Put the request on a protocol."""
        protocol.upgrade_info = info if info.request is None else replace(info, request=None)
        client = info.client
        if client.address != client.peer and client.address is not None:
            protocol.peer = client.address

    async def _wait(self, protocol: Any, checked: Handshake, answer: Awaitable[Any]) -> _Outcome:
        try:
            return self._accept(protocol, self._acceptor.decide(protocol, checked, await answer))
        except BaseException as why:  # noqa: BLE001 - see prepare; a cancelled wait is one of these
            return self._fail(protocol, why)

    def _accept(self, protocol: Any, acceptance: Acceptance) -> Accept:
        """Promise what was decided."""
        protocol.websocket_protocol_in_use = acceptance.subprotocol
        protocol.websocket_extensions_in_use = []
        protocol.upgradegw_opening = (acceptance.compression, self._opened)
        ending = WebSocketEnding(protocol, self._use)
        return Accept(
            protocol, acceptance.fields, subprotocol=acceptance.subprotocol, ending=ending, release=ending.release
        )

    def _fail(self, protocol: Any, why: BaseException) -> Deny:
        """Tell the protocol that it was in vain; turn a denial into a response and raise everything else."""
        abandon(protocol, f"the opening handshake was not completed: {why!r}")
        self._use.release()
        if isinstance(why, ConnectionDeny):
            return read_denial(why)
        raise why


def websocket(
    factory: Any,
    *,
    origins: Given[Sequence[str] | None] = UNSET,
    max_message_size: Given[int | None] = UNSET,
    max_frame_size: Given[int | None] = UNSET,
    max_fragments: int | None = 1024,
    ping_interval: Given[float | None] = UNSET,
    ping_timeout: Given[float | None] = UNSET,
    close_timeout: Given[float | None] = UNSET,
    message_timeout: float | None = 60,
    control_frames_per_second: int | None = 100,
    max_unsent: int | None = 16 << 20,
    write_timeout: float | None = 60,
    compression: Given[bool | None] = UNSET,
    subprotocols: Sequence[str] = (),
) -> WebSocketUpgrade:
    """Serve WebSocket connections with a factory of Autobahn's or of ``twisted.web.websocket``'s.

    What is given here holds; else what was set on the factory, if it differs from Autobahn's default; else our own
    default. None is no limit. No setting of the factory itself is changed. Its ``maxConnections`` and ``headers``
    hold; what ``settings.ALWAYS`` names, ``trustXForwardedFor`` and ``externalPort`` do not.

    Args:
        factory: A ``WebSocketServerFactory`` of ``autobahn.twisted``, or a subclass such as WAMP's; or an object with
            ``buildProtocol(request)`` as ``twisted.web.websocket`` has it, whose protocols are called as there.
        origins: The origins whose pages may connect, such as ``"https://app.example"``; ``"null"`` for pages of opaque
            origin, ``"*"`` for all others. Not given: the factory's ``allowedOrigins``; None, or nothing set there:
            the origin of the request itself.
        max_message_size: Bytes of a message received, inflated; beyond it the connection is closed with 1009. 1 MiB.
        max_frame_size: Bytes of a frame received. 1 MiB, or ``max_message_size`` if that is larger.
        max_fragments: Frames of a message received: beyond it 1008. 1,024.
        ping_interval: Seconds between pings; at least 1. 20.
        ping_timeout: Seconds in which a ping must be answered, or data must arrive; at least 1. 20.
        close_timeout: Seconds for the closing handshake; at least 1. 5.
        message_timeout: Seconds from a message's first byte to its last; beyond it 1008. 60.
        control_frames_per_second: Pings, pongs and closes received a second; beyond it 1008. 100.
        max_unsent: Bytes kept for a client that does not read; beyond it the next message resets the connection, or
            closes it with 1008 if it is broadcast.
        write_timeout: Seconds in which a client must read some of what is unsent, or the connection is reset. 60, as
            nginx's ``send_timeout``.
        compression: True accepts permessage-deflate with small windows, False never; not given or None: as the
            factory's ``perMessageCompressionAccept`` says.
        subprotocols: If ``onConnect`` returns no subprotocol, the first of the client's that is in this list; the
            factory's own ``protocols`` choose none.

    Raises:
        TypeError: This is no factory of either.
        ValueError: A limit, an origin or a subprotocol is none.
    """
    if is_twisted_factory(factory):
        factory = TwistedFactory(factory)
    if not isinstance(factory, WebSocketServerFactory):
        raise TypeError(f"{factory!r} is no WebSocketServerFactory, neither Autobahn's nor twisted.web.websocket's")
    settings = autobahn_settings(
        max_message_size=max_message_size,
        max_frame_size=max_frame_size,
        ping_interval=ping_interval,
        ping_timeout=ping_timeout,
        close_timeout=close_timeout,
    )
    policy = Policy(max_fragments, message_timeout, control_frames_per_second, max_unsent, write_timeout)
    chosen = None if compression is UNSET else compression
    return WebSocketUpgrade(factory, origins, settings, policy, chosen, subprotocols)
