"""Whether anybody would notice that a frame does not go Autobahn's general way.

Autobahn takes some ten steps for each frame, and each is a method that an application may override, on its class or on
one protocol, or look at through a log, timings or listeners. The short ways for common frames are taken where nobody
does. What is only called at the end of the steps, such as ``onMessage``, is called by the short ways as well.
"""

from __future__ import annotations

from typing import Any

from autobahn.twisted.websocket import WebSocketServerProtocol

from upgradegw.protocols.websocket.framing import SHORT
from upgradegw.protocols.websocket.watch import Watched

#: The steps between the bytes that arrive and ``onMessage``; and who listens to messages beside it (``on``).
RECEIVING = frozenset(
    (
        "_dataReceived",
        "_listeners",
        "_onMessage",
        "_onMessageBegin",
        "_onMessageEnd",
        "_onMessageFrame",
        "_onMessageFrameBegin",
        "_onMessageFrameData",
        "_onMessageFrameEnd",
        "consumeData",
        "dataReceived",
        "fire",
        "onFrameBegin",
        "onFrameData",
        "onFrameEnd",
        "onMessageBegin",
        "onMessageEnd",
        "onMessageFrame",
        "onMessageFrameBegin",
        "onMessageFrameData",
        "onMessageFrameEnd",
        "processData",
    )
)

#: The steps between ``sendMessage`` and the transport.
SENDING = frozenset(("sendData", "sendFrame", "sendMessage"))

#: What the short way of receiving depends on beside the methods, and that of sending.
_RECEIVING_STATE = frozenset(
    (
        "applyMask",
        "failedByMe",
        "logFrames",
        "logOctets",
        "maxFramePayloadSize",
        "maxMessagePayloadSize",
        "trackedTimings",
    )
)
_SENDING_STATE = frozenset(
    ("autoFragmentSize", "logFrames", "logOctets", "maskServerFrames", "trackedTimings", "triggered")
)

#: Larger than every frame.
_NO_LIMIT = 1 << 63


def untouched(kind: Any, *names: str) -> bool:
    """Tell whether the application's class has left these methods as Autobahn has them."""
    return all(getattr(kind, name) is getattr(WebSocketServerProtocol, name) for name in names)


def receives_as_autobahn(kind: Any) -> bool:
    """Tell whether a class has all steps of receiving from Autobahn."""
    return untouched(kind, *RECEIVING)


def sends_as_autobahn(kind: Any) -> bool:
    """Tell whether a class has all steps of sending from Autobahn."""
    return untouched(kind, *SENDING)


class Observed(Watched):
    """Looks for methods that were replaced on one protocol.

    Attributes:
        upgradegw_receives_plainly: Whether the class has all steps of receiving from Autobahn.
        upgradegw_sends_plainly: Whether it has all steps of sending from Autobahn.
    """

    upgradegw_receives_plainly: bool
    upgradegw_sends_plainly: bool

    def _upgradegw_look(self) -> None:
        """Look through the protocol's attributes; needed again only when one was added or taken away.

        What is on the class stays as it is. What is on the protocol may change without a trace; then it is asked for
        at each message.
        """
        watch = self.upgradegw_watch
        names = self.__dict__.keys()
        watch.attributes = len(names)
        if not watch.lost:
            watch.names = self.__dict__
        watch.receives_plainly = self.upgradegw_receives_plainly and names.isdisjoint(RECEIVING)
        watch.sends_plainly = self.upgradegw_sends_plainly and names.isdisjoint(SENDING)
        watch.receiving_settled = self._upgradegw_receives() and names.isdisjoint(_RECEIVING_STATE)
        watch.sending_settled = self._upgradegw_sends() and names.isdisjoint(_SENDING_STATE)

    def _upgradegw_receives(self) -> bool:
        """Tell whether the short way of receiving may be taken for the next frame; see how large it may be."""
        watch = self.upgradegw_watch
        message, frame = self.maxMessagePayloadSize, self.maxFramePayloadSize
        watch.max_size = min(message if message > 0 else _NO_LIMIT, frame if frame > 0 else _NO_LIMIT)
        watch.max_short = min(watch.max_size, SHORT - 1)
        return bool(
            watch.receives_plainly
            and self.applyMask
            and not (self.failedByMe or self.logFrames or self.logOctets or self.trackedTimings)
        )

    def _upgradegw_sends(self) -> bool:
        """Tell whether the short way of sending may be taken for the next message."""
        return self.upgradegw_watch.sends_plainly and not (
            self.triggered
            or self.autoFragmentSize
            or self.maskServerFrames
            or self.logFrames
            or self.logOctets
            or self.trackedTimings
        )
