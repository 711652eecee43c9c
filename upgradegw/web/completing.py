"""The last steps of a switch, whichever way has led to them: the protocol begins, and whoever keeps books is told."""

from __future__ import annotations

from typing import Any

from upgradegw.events import access_events
from upgradegw.interfaces import Accept, Taken, Upgrade, UpgradeInfo
from upgradegw.negotiation.fields import printable
from upgradegw.negotiation.model import Fields
from upgradegw.switching import switch
from upgradegw.web.admission import Place
from upgradegw.web.ends import Closing, End, LoggedEnd


class Switching:
    """A switch that everybody has agreed to."""

    __slots__ = ("_accept", "_began", "_connection", "_info", "_path", "_place", "_route", "_site", "_upgrade")

    def __init__(
        self,
        connection: Any,
        site: Any,
        place: Place,
        upgrade: Upgrade,
        info: UpgradeInfo,
        accept: Accept,
        *,
        path: bytes,
        route: str | None,
        began: float,
    ) -> None:
        """Prepare.

        Args:
            connection: The request's, a ``Takeable``.
            site: Where it came in.
            place: Where it is counted.
            upgrade: What it switches to.
            info: What the protocol is told.
            accept: What ``prepare`` has answered.
            path: The target without its query, for the log.
            route: The name of the gateway's route, for the log; None without one.
            began: When the decision began, by the site's clock.
        """
        self._connection = connection
        self._site = site
        self._place = place
        self._upgrade = upgrade
        self._info = info
        self._accept = accept
        self._path = path
        self._route = route
        self._began = began

    def complete(self, taken: Taken, fields: Fields) -> None:
        """Announce the switch and start the protocol.

        Args:
            taken: The connection, which has stopped speaking HTTP.
            fields: The fields of the response.
        """
        accept = self._accept
        end = self._prepare_end()
        head = (accept.phrase, fields)
        so_far = switch(taken, head, accept.protocol, self._info, end, accept.ending, accept.witness)
        going_away = accept.ending.going_away if accept.ending is not None else Closing(taken.transport)
        end.connection = self._connection.switched(going_away)
        self._place.switched(going_away, taken.transport)
        self._info.head.forget_index()
        if end.live is not None:
            end.live.ready(so_far, going_away, taken.transport)

    def _prepare_end(self) -> End:
        """Log the switch now and the end when it comes, if anybody wants to know."""
        connection, place, site, release = self._connection, self._place, self._site, self._accept.release
        table = getattr(site, "live", None)
        if table is None and not access_events.wanted:
            return End(connection, place, release)
        about = self._about()
        live = None if table is None else table.begin(about)
        if not access_events.wanted:
            return End(connection, place, release, live)
        clock = site.reactor
        access_events.emit(
            "{client} {path!r}: switched to {token} from {http_version} ({connection_id}, subprotocol {subprotocol})",
            event="switch",
            seconds=clock.seconds() - self._began,
            **about,
        )
        return LoggedEnd(connection, place, release, live, about, clock)

    def _about(self) -> dict[str, Any]:
        """Say what this switch is."""
        accept, info = self._accept, self._info
        about = {
            "connection_id": self._connection.connection_id,
            "client": info.client.address,
            "path": self._path.decode("latin-1"),
            "token": str(self._upgrade.protocol) if accept.token is None else printable(accept.token),
            "subprotocol": accept.subprotocol,
            "http_version": info.http_version.decode("ascii"),
        }
        if info.client_subject is not None:
            about["client_subject"] = info.client_subject
        return about if self._route is None else {**about, "route": self._route}
