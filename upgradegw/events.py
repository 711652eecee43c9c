"""Access events: what was asked, what was switched and how it ended, as structured twisted.logger events.

Four kinds, told apart by the field ``event``: ``request`` (a response was sent), ``switch`` (a 101 was sent), ``end``
(an upgraded connection is gone) and ``refuse`` (an upgrade was refused where nobody writes ``request``: on a stock
Site). They go to the observers that subscribed. While nobody has subscribed, plain requests cost nothing, and the rest
goes to Twisted's own log.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from twisted.logger import ILogObserver, LogEvent, Logger
from zope.interface import implementer

NAMESPACE = "upgradegw.access"

_log = Logger(namespace="upgradegw")


@dataclass(frozen=True, slots=True)
class About:
    """What the documentation and the JSON Schema say of a field.

    Attributes:
        text: What it is, and when it is None or absent.
        unit: What it is counted in.
    """

    text: str
    unit: str = ""


_Why = Annotated[str, About("see the page of reasons; of a request: only if an upgrade was declined or refused")]
_Detail = Annotated[str, About("the values that were compared; with `reason`, and empty if there is nothing to tell")]
_Hint = Annotated[str, About("what to look at; with `reason`")]
_Id = Annotated[str | None, About("the connection's name, the same in all its events; None if it has none")]
_Client = Annotated[str | None, About("the effective client's address; None on a UNIX socket")]
_Subject = Annotated[str, About("the subject of the client's certificate (RFC 4514); only if it has shown one")]
_Method = Annotated[str, About("the request method; empty if none could be read")]
_Target = Annotated[str, About("the request target as received; empty if none could be read")]
_Version = Annotated[str, About("`HTTP/1.1`, `HTTP/1.0` or `HTTP/2`")]
_Status = Annotated[int, About("the status code of the answer; of an HTTP/2 connection that is ended with GOAWAY, 400")]
_Referer = Annotated[str | None, About("the first Referer field; None if there is none")]
_UserAgent = Annotated[str | None, About("the first User-Agent field; None if there is none")]
_Path = Annotated[str, About("the target without its query")]
_Token = Annotated[str, About("the upgrade token, as the server spells it")]
_Subprotocol = Annotated[str | None, About("WebSocket's subprotocol; None if none was chosen")]
_Route = Annotated[str, About("the path of the configured route that answered; only where there are routes")]
_Seconds = Annotated[
    float,
    About("from the request to its answer, from the complete request to the switch, or from it to the end", "seconds"),
]
_BytesIn = Annotated[int, About("received behind the request", "bytes")]
_BytesOut = Annotated[int, About("the content of the response; sent behind the switch", "bytes")]
_CloseCode = Annotated[int | None, About("WebSocket's close code, of whoever closed first; None if there is none")]


class RequestEvent(TypedDict):
    """A response was sent."""

    event: Annotated[Literal["request"], About("the kind")]
    connection_id: _Id
    client: _Client
    client_subject: NotRequired[_Subject]
    method: _Method
    target: _Target
    route: NotRequired[_Route]
    http_version: _Version
    status: _Status
    bytes_out: _BytesOut
    seconds: _Seconds
    referer: _Referer
    user_agent: _UserAgent
    reason: NotRequired[_Why]
    detail: NotRequired[_Detail]
    hint: NotRequired[_Hint]


class RefuseEvent(TypedDict):
    """An upgrade was refused on a stock `Site`, which makes no `request` events."""

    event: Annotated[Literal["refuse"], About("the kind")]
    method: _Method
    target: _Target
    status: _Status
    reason: _Why
    detail: _Detail
    hint: _Hint


class SwitchEvent(TypedDict):
    """A 101 was sent, or on an HTTP/2 stream the 200 that takes its place."""

    event: Annotated[Literal["switch"], About("the kind")]
    connection_id: _Id
    client: _Client
    client_subject: NotRequired[_Subject]
    path: _Path
    token: _Token
    subprotocol: _Subprotocol
    route: NotRequired[_Route]
    http_version: _Version
    seconds: _Seconds


class EndEvent(TypedDict):
    """A connection that had been switched is gone."""

    event: Annotated[Literal["end"], About("the kind")]
    connection_id: _Id
    client: _Client
    client_subject: NotRequired[_Subject]
    path: _Path
    token: _Token
    subprotocol: _Subprotocol
    route: NotRequired[_Route]
    http_version: _Version
    seconds: _Seconds
    bytes_in: _BytesIn
    bytes_out: _BytesOut
    close_code: _CloseCode
    reason: _Why


#: Every kind of access event and its fields: the one place that documentation, JSON Schema and log formats read.
EVENTS = {"request": RequestEvent, "refuse": RefuseEvent, "switch": SwitchEvent, "end": EndEvent}


@implementer(ILogObserver)
class _Fan:
    """One observer in front of a list of them; what one of them raises is logged and concerns nobody else."""

    def __init__(self, observers: list[ILogObserver]) -> None:
        self._observers = observers

    def __call__(self, event: LogEvent) -> None:
        for observer in tuple(self._observers):
            try:
                observer(event)
            except Exception:  # noqa: BLE001 - the application's; a log that fails must not fail connections
                _log.failure("an observer of access events failed")


class AccessEvents:
    """A list of observers and the rule of who hears what."""

    def __init__(self) -> None:
        """Start without observers.

        Attributes:
            silent: Whether events that no observer reads are dropped instead of written to Twisted's log.
        """
        self.silent = False
        self._observers: list[ILogObserver] = []
        self._log = Logger(namespace=NAMESPACE)
        self._own = Logger(namespace=NAMESPACE, observer=_Fan(self._observers))

    def subscribe(self, observer: ILogObserver) -> Callable[[], None]:
        """Send every access event to an observer.

        Returns:
            A callable that ends the subscription.
        """
        self._observers.append(observer)
        return lambda: self._observers.remove(observer)

    @property
    def wanted(self) -> bool:
        """Whether events go anywhere at all: ask before gathering their fields."""
        return bool(self._observers) or not self.silent

    @property
    def wants_requests(self) -> bool:
        """Whether somebody reads ``request`` events: ask before gathering their fields."""
        return bool(self._observers)

    def emit(self, format_string: str, **fields: Any) -> None:
        """Send an event to the observers, or to Twisted's log if there are none."""
        if self._observers:
            self._own.info(format_string, **fields)
        elif not self.silent:
            self._log.info(format_string, **fields)


#: The process's access events.
access_events = AccessEvents()
