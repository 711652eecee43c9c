"""The class of a connection's protocol: the application's own, watched, with what all its connections have in common.

Settings and Autobahn's first state of a connection are some sixty attributes. On the class they are there once; a
protocol has of its own only what differs. Whoever reads or sets an attribute of a protocol sees no difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from autobahn.twisted.websocket import WebSocketServerProtocol
from twisted.internet.protocol import Factory

from upgradegw.protocols.websocket.beginning import begin, blank_state
from upgradegw.protocols.websocket.guard import guarded
from upgradegw.protocols.websocket.observing import untouched
from upgradegw.protocols.websocket.opening import Opening
from upgradegw.protocols.websocket.settings import Settings

#: Classes with settings that are made for one class of the application's. Whoever has more has made them up for single
#: connections; these get their settings on the protocol.
_MOST = 32

#: What Autobahn's ``__init__`` sets, and ``Begun`` has in another way.
_MADE_BEFORE = ("is_open", "is_closed")
_MADE_IN_VAIN = ("_transport_details", "_valid_events", "_results")


def _combined(kind: Any, settings: Mapping[str, Any]) -> Any:
    """Return a subclass of a protocol class that is watched, can be opened, and has settings."""
    base: Any = guarded(kind)
    names: dict[str, Any] = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
    if settings and base._upgradegw_make is begin:  # noqa: SLF001
        names.update(blank_state()[0], upgradegw_has_state=True, connected=1)
    for name, value in settings.items():
        # A function would become a method there.
        names[name] = staticmethod(value) if hasattr(type(value), "__get__") else value
    return type(base)(kind.__name__, (Opening, base), names)


@cache
def _known(kind: Any) -> list[tuple[Mapping[str, Any], Any]]:
    """Return the classes that have been made for a class of the application's, with their settings."""
    return [({}, _combined(kind, {}))]


def _combine(kind: Any, settings: Mapping[str, Any]) -> Any:
    """Return the class with these settings, the same one each time; None if there are too many."""
    known = _known(kind)
    for others, combined in known:
        if others == settings:
            return combined
    if len(known) > _MOST:
        return None
    combined = _combined(kind, settings)
    known.append((settings, combined))
    return combined


@cache
def _is_built_plainly(kind: Any) -> bool:
    """Tell whether nothing of an application's runs when a protocol of this class is made and connected."""
    if not isinstance(kind, type) or not issubclass(kind, WebSocketServerProtocol):
        return False
    steps = ("__init__", "__new__", "__setattr__", "makeConnection")
    return untouched(kind, *steps) and guarded(kind)._upgradegw_make is begin  # noqa: SLF001


class Kinds:
    """The classes of one upgrade's protocols."""

    def __init__(self, settings: Settings) -> None:
        """Have none yet.

        Args:
            settings: What all of them have.
        """
        self._settings = settings
        self._made: dict[Any, tuple[tuple[Any, ...], Any]] = {}

    def _find(self, kind: Any, factory: Any) -> Any:
        """Return the class for protocols of a class; looked for anew only when the factory's settings have changed."""
        values = self._settings.read(kind, factory)
        made = self._made.get(kind)
        if made is None or made[0] != values:
            combined = _combine(kind, self._settings.of_kind(kind, factory))
            self._made[kind] = made = (values, combined)
        return made[1]

    def plain(self, factory: Any) -> Any:
        """Return the class of the protocols that the factory would build now; None where that is not known.

        It is known where nothing of an application's runs when one is made and connected.

        Args:
            factory: The application's.
        """
        kind = factory.protocol
        if type(factory).buildProtocol is not Factory.buildProtocol or "buildProtocol" in vars(factory):
            return None
        return self._find(kind, factory) if _is_built_plainly(kind) else None

    def adopt(self, protocol: Any) -> None:
        """Give a protocol that its factory has built the class that it needs.

        Args:
            protocol: The protocol; it is not connected yet.
        """
        kind, own = type(protocol), vars(protocol)
        settings = self._settings.of(protocol)
        combined = self._find(kind, protocol.factory) if settings is None else None
        if combined is None:
            combined = _combine(kind, {})
            own.update(self._settings.of_kind(kind, protocol.factory) if settings is None else settings)
        futures = [(name, own.pop(name)) for name in _MADE_BEFORE if name in own]
        for name in _MADE_IN_VAIN:
            own.pop(name, None)
        if combined.upgradegw_has_state:
            for name in blank_state()[0].keys() & own.keys():
                del own[name]
        protocol.__class__ = combined
        for name, future in futures:
            setattr(protocol, name, future)
