"""Which value holds for a connection: the one given to ``websocket()``, else the factory's own, else ours.

Autobahn copies its settings from the factory to each protocol when the connection begins, unless the protocol has
them already. So a setting is put on the protocol, and the caller's factory stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from operator import attrgetter, itemgetter
from types import SimpleNamespace
from typing import Any, Final, TypeAlias, TypeVar

from autobahn.twisted.websocket import WebSocketServerFactory

from upgradegw.protocols.limits import check_limit


class Unset(Enum):
    """The type of ``UNSET``."""

    UNSET = "UNSET"


#: "Not given": the factory decides, or the default holds. None is a value of its own: no limit.
UNSET: Final = Unset.UNSET

T = TypeVar("T")
Given: TypeAlias = T | Unset

#: What holds where neither the caller nor the factory says otherwise; Autobahn's names, 0 is no limit.
DEFAULTS: Mapping[str, Any] = {
    "maxMessagePayloadSize": 1 << 20,  # bytes; the ``websockets`` library has the same
    "maxFramePayloadSize": 1 << 20,
    "autoPingInterval": 20,  # seconds; the ``websockets`` library has the same
    "autoPingTimeout": 20,
    "closeHandshakeTimeout": 5,
}

#: What holds always. The opening handshake has the deadline of ``prepare``, so Autobahn needs none for it; the status
#: page, the Flash policy and old versions of the protocol are never reached, because the request is checked before.
ALWAYS: Mapping[str, Any] = {
    "versions": [13],
    "failByDrop": False,  # say why with a Close frame (RFC 6455 section 7.1.7) instead of resetting the connection
    "webStatus": False,
    "serveFlashSocketPolicy": False,
    "echoCloseCodeReason": False,
    "openHandshakeTimeout": 0,
    "requireMaskedClientFrames": True,
}

_AUTOBAHN_NAMES = {
    "max_message_size": "maxMessagePayloadSize",
    "max_frame_size": "maxFramePayloadSize",
    "ping_interval": "autoPingInterval",
    "ping_timeout": "autoPingTimeout",
    "close_timeout": "closeHandshakeTimeout",
}


@dataclass(frozen=True, slots=True)
class Policy:
    """What Autobahn has no setting for; see ``websocket`` for the meaning. None is no limit."""

    max_fragments: int | None = 1024
    message_timeout: float | None = 60
    control_frames_per_second: int | None = 100
    max_unsent: int | None = 16 << 20
    write_timeout: float | None = 60

    def __post_init__(self) -> None:
        """Refuse what could not work, at the place where it was written."""
        for name in self.__slots__:
            check_limit(name, getattr(self, name))


def check_subprotocols(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names as a tuple; raise ValueError if they are not a list of texts."""
    if isinstance(names, str) or not all(isinstance(name, str) and name for name in names):
        raise ValueError(f"subprotocols={names!r} must be a list of names")
    return tuple(names)


def autobahn_settings(**given: Given[float | None]) -> dict[str, Any]:
    """Translate the arguments of ``websocket`` that Autobahn has a setting for; leave out those not given."""
    settings: dict[str, Any] = {}
    for name, value in given.items():
        if value is not UNSET:
            # Autobahn's timers have whole seconds, so that less than one would fire at once.
            check_limit(name, value, at_least=0 if name.startswith("max") else 1)
            settings[_AUTOBAHN_NAMES[name]] = 0 if value is None else value
    return settings


@cache
def pristine() -> Mapping[str, Any]:
    """Return the settings of an Autobahn factory on which nobody has set anything."""
    blank = SimpleNamespace(logOctets=False, logFrames=False, trackTimings=False)
    WebSocketServerFactory.resetProtocolOptions(blank)
    return vars(blank)


@cache
def _left_to_factory(kind: Any) -> tuple[frozenset[str], Callable[[Any], Any]]:
    """Return the names of the settings that a protocol class leaves to its factory, and what reads them all there."""
    names = tuple(name for name in kind.CONFIG_ATTRS if not hasattr(kind, name))
    if not names:
        return frozenset(), lambda _: ()
    in_attributes, in_turn = itemgetter(*names), attrgetter(*names)

    def read(factory: Any) -> Any:
        try:
            return in_attributes(vars(factory))  # where Autobahn puts them; half the time
        except KeyError:
            return in_turn(factory)

    return frozenset(names), read


class Settings:
    """What ``websocket()`` was given, and what follows from it for the protocols of a factory."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        """Keep what was given.

        Args:
            given: What ``autobahn_settings`` returned.
        """
        self._given = given

    def read(self, kind: Any, factory: Any) -> tuple[Any, ...]:
        """Return what of the factory's settings is in force for a protocol class, to see whether it has changed."""
        return _left_to_factory(kind)[1](factory)  # type: ignore[no-any-return]

    def of_kind(self, kind: Any, factory: Any) -> Mapping[str, Any]:
        """Return the settings of a protocol class; what the class itself has set is kept.

        Args:
            kind: The class.
            factory: Whose protocols are of that class.
        """
        return self._make(factory, _left_to_factory(kind)[0])

    def of(self, protocol: Any) -> Mapping[str, Any] | None:
        """Return the settings of one protocol, or None if they are those of its class.

        Args:
            protocol: A protocol that its factory has just built. What its ``__init__`` has set is kept.
        """
        kind: Any = type(protocol)
        names, own = _left_to_factory(kind)[0], vars(protocol)
        if names.isdisjoint(own):
            return None
        return self._make(protocol.factory, [name for name in names if name not in own])

    def _make(self, factory: Any, names: Iterable[str]) -> Mapping[str, Any]:
        given, untouched = self._given, pristine()
        settings = {name: getattr(factory, name) for name in names}
        for name, ours in DEFAULTS.items():
            if name in settings and settings[name] == untouched[name]:
                settings[name] = ours
        message_size = given.get("maxMessagePayloadSize", settings.get("maxMessagePayloadSize"))
        if message_size is not None and settings.get("maxFramePayloadSize") == DEFAULTS["maxFramePayloadSize"]:
            # Whoever allows larger messages and does not speak of frames wants them in one frame, too.
            settings["maxFramePayloadSize"] = max(message_size, DEFAULTS["maxFramePayloadSize"]) if message_size else 0
        return {**settings, **given, **ALWAYS}
