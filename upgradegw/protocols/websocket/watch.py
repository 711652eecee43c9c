"""What is kept of one watched connection."""

from __future__ import annotations

from collections.abc import Callable, Sized
from typing import Any

from autobahn.twisted.websocket import WebSocketServerProtocol

from upgradegw.negotiation.reasons import Reason
from upgradegw.protocols.websocket.partial import PartialFrame
from upgradegw.protocols.websocket.settings import Policy
from upgradegw.protocols.websocket.skipping import FrameSkipper
from upgradegw.protocols.websocket.timing import Bucket
from upgradegw.protocols.websocket.writing import WriteWatch

OPEN: int = WebSocketServerProtocol.STATE_OPEN
CLOSED: int = WebSocketServerProtocol.STATE_CLOSED


class Watch:
    """What the mixin keeps of one connection, in one attribute, so that no name of the application's is taken."""

    __slots__ = (
        "attributes",
        "between",
        "bucket",
        "fragments",
        "gathered",
        "incomplete",
        "incomplete_since",
        "lost",
        "max_short",
        "max_size",
        "names",
        "opened",
        "partial",
        "pending",
        "pending_size",
        "policy",
        "reason",
        "receives_plainly",
        "receiving_settled",
        "sending_settled",
        "sends_plainly",
        "skipper",
        "timer",
        "write",
        "writes",
    )

    def __init__(self, policy: Policy) -> None:
        """Start before the opening."""
        self.policy = policy
        #: How many attributes the protocol had when it was last looked through for methods replaced on it.
        self.attributes = -1
        #: Its attributes, from the first look until it is lost: to ask the protocol for them takes longer.
        self.names: Sized = ()
        #: Whether no method was replaced, and whether nothing else can change without a trace; see ``observing``.
        self.receives_plainly = self.receiving_settled = False
        self.sends_plainly = self.sending_settled = False
        #: Bytes of the largest frame that is common, and of the largest whose length stands in one octet.
        self.max_size = self.max_short = 0
        #: Whether nothing of a frame or a message is left from earlier reads, and none is worked off.
        self.between = False
        #: What is written while one read is worked off, to be given to the transport as one; None outside.
        self.gathered: list[bytes] | None = None
        #: A common frame of which only the beginning has come.
        self.partial: PartialFrame | None = None
        self.lost = False
        #: The open protocols by ``id``, from the opening on.
        self.opened: dict[int, Any] = {}
        #: What was broadcast while the application was sending a message piece by piece.
        self.pending: list[tuple[bytes, bool]] | None = None
        self.pending_size = 0
        self.reason: Reason | None = None
        self.fragments = 0
        self.bucket: Bucket | None = None
        #: Writes to the transport in the shortest way.
        self.write: Callable[[bytes], None]
        self.writes: WriteWatch | None = None
        self.skipper: FrameSkipper | None = None
        self.incomplete: int | None = None
        self.incomplete_since = 0.0
        self.timer: Any = None

    def take_control_frame(self) -> bool:
        """Let a control frame pass, or say that there were too many."""
        rate = self.policy.control_frames_per_second
        if rate is None:
            return True
        if self.bucket is None:
            self.bucket = Bucket(rate)
        return self.bucket.take()

    def note(self, reason: Reason | None) -> None:
        """Remember why the connection ends; the first reason counts."""
        if self.reason is None:
            self.reason = reason


class Watched(WebSocketServerProtocol):  # type: ignore[misc]
    """The root of the mixins: what all of them use."""

    upgradegw_watch: Watch

    # Autobahn's, named here for the type checker.
    _perMessageCompress: Any
    closeHandshakeTimeoutCall: Any
    current_frame: Any
    data: bytes
    maxMessagePayloadSize: int
    maxFramePayloadSize: int

    def _upgradegw_refuse(self, code: int, text: str, reason: Reason) -> None:
        self.upgradegw_watch.note(reason)
        self._fail_connection(code, text)
