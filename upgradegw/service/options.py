"""The options of ``twistd upgradegw``: everything is resolved, read and bound here, before twistd becomes a daemon."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from twisted.python import usage

from upgradegw import __version__
from upgradegw.negotiation.client import TrustedProxies
from upgradegw.service import check, routes
from upgradegw.service.front_options import FrontOptions
from upgradegw.service.listening import Listener, bind_all, check_listeners, read_listeners, release_all
from upgradegw.service.log_options import LogOptions
from upgradegw.service.tls_options import TlsOptions
from upgradegw.web.http2 import H2C_UPGRADE, check_h2c_upgrade

#: The port when neither --port nor --listen is given.
DEFAULT_PORT = 8080


class Options(LogOptions, TlsOptions, FrontOptions):
    """What the command line says, and, after ``parseOptions``, what it resolved to.

    Attributes:
        listeners: Where to listen, sockets bound.
        notices: Lines for the log, of what a person should know of these options.
        trusted: The networks of proxies to be believed, checked.
        h2c_upgrade: Whose offer of HTTP/2 in an Upgrade field is accepted; None if nothing was said.
        resolved: The routes; empty for the demonstration site.
        stop_timeout: Seconds that an orderly stop may take.
    """

    longdesc = (
        "Serve HTTP/1.1 and switch to WebSocket or any protocol asked for with Upgrade. PATH stands for that path and"
        " all below it; MODULE:ATTRIBUTE names an object, or a callable that returns one. Options that name a route or"
        " a place to listen can be repeated. Without a route, a demonstration site is served."
    )
    optParameters = [  # noqa: RUF012 - Twisted's name and type
        ["app-dir", None, ".", "Folder in which MODULE is looked for first."],
        ["stop-timeout", None, "10", "Seconds that open connections have to end at a stop."],
    ]
    optFlags = [  # noqa: RUF012 - Twisted's name and type
        ["no-extended-connect", None, "On HTTP/2, do not let clients switch protocols on a stream (RFC 8441)."],
        ["check", None, "Resolve everything, print it with the settings in force, and exit without listening."],
    ]
    listeners: list[Listener]
    notices: list[str]
    trusted: list[str]
    resolved: dict[routes.Segments, routes.Route]
    stop_timeout: float

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self._listens: list[tuple[str, str]] = []
        self.notices = []
        self.trusted = []
        self.h2c_upgrade: str | None = None
        self._wishes: list[routes.Wish] = []
        self.listeners = []

    def getSynopsis(self) -> str:
        """Say how the command is called."""
        ways = "upgradegw [options]", "twistd [twistd's options] upgradegw [options]"
        return f"Usage: {ways[0]}\n   or: {ways[1]}\n   or: upgradegw probe URL (see upgradegw probe --help)"

    def opt_port(self, number: str) -> None:
        """TCP port to listen on; 0 lets the system choose. The same as --listen tcp:PORT. [default: 8080]"""  # noqa: D415
        self._listens.append((f"--port {number}", f"tcp:{number}"))

    opt_p = opt_port

    def opt_listen(self, endpoint: str) -> None:
        """Where to listen, as a Twisted endpoint: tcp:8080:interface=127.0.0.1, unix:/run/x.sock, haproxy:tcp:8080 …"""  # noqa: D415
        self._listens.append((f"--listen {endpoint}", endpoint))

    def opt_trusted_proxy(self, network: str) -> None:
        """Believe Forwarded and X-Forwarded-* from this address or network; "unix" for peers on UNIX sockets."""
        try:
            TrustedProxies.parse([network])
        except ValueError as error:
            raise usage.UsageError(f"--trusted-proxy {network}: {error}") from None
        self.trusted.append(network)

    def opt_h2c_upgrade(self, whose: str) -> None:
        """Answer "Upgrade: h2c" with HTTP/2: never, direct (no proxy in between) or always. [default: never; direct for the demonstration]"""  # noqa: D415, E501
        try:
            self.h2c_upgrade = check_h2c_upgrade(whose)
        except ValueError:
            raise usage.UsageError(f"--h2c-upgrade {whose}: write one of {', '.join(H2C_UPGRADE)}") from None

    def opt_websocket(self, route: str) -> None:
        """PATH=MODULE:ATTRIBUTE, an Autobahn WebSocketServerFactory, or what websocket(factory, origins=…) returned."""
        self._wishes.append(routes.Wish("--websocket", route))

    def opt_upgrade(self, route: str) -> None:
        """PATH=TOKEN=MODULE:ATTRIBUTE, a protocol factory or Protocol class that speaks behind "Upgrade: TOKEN"."""
        self._wishes.append(routes.Wish("--upgrade", route))

    def opt_static(self, route: str) -> None:
        """PATH=FOLDER, the files of a folder, without listings and dotfiles."""
        self._wishes.append(routes.Wish("--static", route))

    def opt_wsgi(self, route: str) -> None:
        """PATH=MODULE:ATTRIBUTE, a WSGI application."""
        self._wishes.append(routes.Wish("--wsgi", route))

    def opt_resource(self, route: str) -> None:
        """PATH=MODULE:ATTRIBUTE, a twisted.web resource."""
        self._wishes.append(routes.Wish("--resource", route))

    def opt_version(self) -> NoReturn:
        """Print the version and exit."""
        print(f"upgradegw {__version__}")  # noqa: T201 - this is the command's output
        sys.exit(0)

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Parse and resolve; an error is one line on standard error and exit status 1."""
        try:
            super().parseOptions(options)
        except usage.UsageError as error:
            self.fail(error)

    def fail(self, error: usage.UsageError) -> NoReturn:
        """Say what is wrong in one line, leave no socket behind, and end with exit status 1.

        Raises:
            SystemExit: Always.
        """
        release_all(self.listeners)
        line = " ".join(str(error).split())
        print(f"upgradegw: {line}", file=sys.stderr)  # noqa: T201 - twistd has no log yet
        raise SystemExit(1) from None

    def parseArgs(self, *surplus: str) -> None:
        """Refuse words that belong to no option.

        Raises:
            UsageError: There are some.
        """
        if surplus:
            raise usage.UsageError(f"{surplus[0]!r} belongs to no option; see --help")

    def postOptions(self) -> None:
        """Resolve everything; bind last, so that no other error leaves a socket behind.

        Raises:
            UsageError: Something is wrong with what the options say.
        """
        if self["check"]:
            sys.dont_write_bytecode = True  # of what is imported to be looked at
        self._make_importable()
        self.stop_timeout = self._seconds("stop-timeout")
        self.tls = self.read_tls()
        if self.tls_notice is not None:
            self.notices.append(self.tls_notice)
        self.listeners = read_listeners(self._listens or [(f"--port {DEFAULT_PORT}", f"tcp:{DEFAULT_PORT}")])
        self.listeners += self.read_front(secure=self.tls is not None)
        check_listeners(self.listeners, secure=self.tls is not None)
        self.resolved = routes.resolve(self._wishes)
        self.check_access_log()
        if self["check"]:
            print("\n".join(check.report(self)))  # noqa: T201 - this is the command's output
            sys.exit(0)
        self.open_access_log()
        bind_all(self.listeners)

    @property
    def h2c_in_force(self) -> str:
        """Whose offer of HTTP/2 in an Upgrade field is accepted, also if nothing was said."""
        return self.h2c_upgrade or ("never" if self.resolved else "direct")

    def _make_importable(self) -> None:
        folder = Path(self["app-dir"]).absolute()
        if not folder.is_dir():
            raise usage.UsageError(f"--app-dir {self['app-dir']}: there is no such folder")
        sys.path.insert(0, str(folder))

    def _seconds(self, name: str) -> float:
        try:
            seconds = float(self[name])
        except ValueError:
            seconds = -1
        if not 0 <= seconds <= 86400:  # noqa: PLR2004 - a day; also excludes infinity and not-a-number
            raise usage.UsageError(f"--{name} {self[name]}: write a number of seconds, at most a day")
        return seconds
