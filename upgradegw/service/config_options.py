"""The option ``--config``, and what the file and the rest of the command line come to together.

Routes and places to listen of both are served. Of what there is only once, the command line wins. Options that say how
places to listen are (``--tls-cert``, ``--h2c-upgrade``, ``--acme-webroot``) are for those of the command line; a table
of the file has keys of its own.
"""

from __future__ import annotations

from twisted.python import usage

from upgradegw.service.command_line import Wish, routes_of
from upgradegw.service.config.loading import load
from upgradegw.service.config.model import Config, Route

_HELP = "Configuration file in TOML: listeners, routes and all else. What the command line names comes on top."


class ConfigOptions(usage.Options):
    """Options that ``Options`` has from here.

    Attributes:
        config: The configuration in force: what file and command line say together; ``postOptions`` sets it.
    """

    optParameters = [["config", "c", None, _HELP]]  # noqa: RUF012 - Twisted's name and type
    config: Config

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self._wishes: list[Wish] = []

    def opt_websocket(self, route: str) -> None:
        """PATH=MODULE:ATTRIBUTE, an Autobahn WebSocketServerFactory, or what websocket(factory, origins=…) returned."""
        self._wishes.append(Wish("--websocket", route))

    def opt_upgrade(self, route: str) -> None:
        """PATH=TOKEN=MODULE:ATTRIBUTE, a protocol factory or Protocol class that speaks behind "Upgrade: TOKEN"."""
        self._wishes.append(Wish("--upgrade", route))

    def opt_static(self, route: str) -> None:
        """PATH=FOLDER, the files of a folder, without listings and dotfiles."""
        self._wishes.append(Wish("--static", route))

    def opt_wsgi(self, route: str) -> None:
        """PATH=MODULE:ATTRIBUTE, a WSGI application."""
        self._wishes.append(Wish("--wsgi", route))

    def opt_resource(self, route: str) -> None:
        """PATH=MODULE:ATTRIBUTE, a twisted.web resource."""
        self._wishes.append(Wish("--resource", route))

    def opt_proxy(self, route: str) -> None:
        """PATH=URL, another server: http://host:port, https://…, unix:/run/x.sock; WebSockets go through, too."""
        self._wishes.append(Wish("--proxy", route))

    def file(self) -> Config:
        """Read the file anew; without one, the defaults.

        Raises:
            UsageError: Something is wrong with it.
        """
        return Config() if self["config"] is None else load(self["config"])

    def quick_routes(self) -> tuple[Route, ...]:
        """Return the routes of the command line.

        Raises:
            UsageError: An option is malformed, or contradicts another one.
        """
        return routes_of(self._wishes)
