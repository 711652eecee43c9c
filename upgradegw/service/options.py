"""The options of ``twistd upgradegw``: everything is understood and bound here, before twistd becomes a daemon."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from twisted.python import usage

from upgradegw import __version__
from upgradegw.negotiation.client import TrustedProxies
from upgradegw.service import check
from upgradegw.service.admin.place import admin_listener
from upgradegw.service.config.certified import with_certificates
from upgradegw.service.config.checking import check as check_config
from upgradegw.service.config.loading import replaced
from upgradegw.service.config.model import Config, Listen
from upgradegw.service.config_options import ConfigOptions
from upgradegw.service.defaults import Default, given
from upgradegw.service.fast_reactor import install_fast_reactor
from upgradegw.service.front_options import FrontOptions
from upgradegw.service.gateway.places import make_listeners
from upgradegw.service.listening import Listener, bind_all, check_listeners, release_all
from upgradegw.service.log_options import LogOptions
from upgradegw.service.signals import survive_hangup
from upgradegw.service.tls_options import TlsOptions
from upgradegw.web.http2 import H2C_UPGRADE, check_h2c_upgrade

#: The port when nothing says where to listen.
DEFAULT_PORT = 8080


class Options(LogOptions, TlsOptions, FrontOptions, ConfigOptions):
    """What the command line says, and, after ``parseOptions``, what it and the configuration file came to.

    Attributes:
        config: The configuration in force, with at least one listener; no route means the demonstration site.
        listeners: Where to listen, sockets bound; in the order of ``config.listen``.
        admin: Where the operator's pages are, bound; None if there are none.
    """

    longdesc = (
        "Serve HTTP/1.1 and HTTP/2 and switch to WebSocket or any protocol asked for with Upgrade. PATH stands for that"
        " path and all below it; MODULE:ATTRIBUTE names an object, or a callable that returns one. Options that name a"
        " route or a place to listen can be repeated. Without a route, a demonstration site is served. Where uvloop is"
        " installed, it runs on that, unless twistd's --reactor names another reactor."
    )
    optParameters = [  # noqa: RUF012 - Twisted's name and type
        ["app-dir", None, Default("."), "Folder in which MODULE is looked for first; with --config: the file's."],
        ["stop-timeout", None, Default("10"), "Seconds that open connections have to end at a stop."],
    ]
    optFlags = [  # noqa: RUF012 - Twisted's name and type
        ["no-extended-connect", None, "On HTTP/2, do not let clients switch protocols on a stream (RFC 8441)."],
    ]
    listeners: list[Listener]
    admin: Listener | None = None

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self._listens: list[tuple[str, str]] = []
        self._trusted: list[str] = []
        self._h2c_upgrade: str | None = None
        self._check: str | None = None
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
        self._trusted.append(network)

    def opt_h2c_upgrade(self, whose: str) -> None:
        """Answer "Upgrade: h2c" with HTTP/2: never, direct (no proxy in between) or always. [default: never; direct for the demonstration]"""  # noqa: D415, E501
        try:
            self._h2c_upgrade = check_h2c_upgrade(whose)
        except ValueError:
            raise usage.UsageError(f"--h2c-upgrade {whose}: write one of {', '.join(H2C_UPGRADE)}") from None

    def opt_check(self) -> None:
        """Resolve everything, print it with the settings in force, and exit without listening. --check=connect also asks every upstream."""  # noqa: E501
        self._check = self._check or "names"

    def opt_version(self) -> NoReturn:
        """Print the version and exit."""
        print(f"upgradegw {__version__}")  # noqa: T201 - this is the command's output
        sys.exit(0)

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Parse and resolve; an error is one line on standard error and exit status 1."""
        words = sys.argv[1:] if options is None else options
        try:
            super().parseOptions([self._without_value(word) for word in words])
        except usage.UsageError as error:
            self.fail(error)

    def _without_value(self, word: str) -> str:
        """Return an option as Twisted's parser takes it, which knows none whose value may be left out."""
        name, separator, value = word.partition("=")
        if name != "--check" or not separator:
            return word
        if value != "connect":
            raise usage.UsageError(f"{word}: write --check or --check=connect")
        self._check = value
        return name

    def fail(self, error: usage.UsageError) -> NoReturn:
        """Say what is wrong in one line, leave no socket behind, and end with exit status 1.

        Raises:
            SystemExit: Always.
        """
        release_all(self._all_listeners())
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
        """Understand everything; bind last, so that no other error leaves a socket behind.

        As twistd's command, choose the reactor first: what is looked at next imports modules of users.

        Raises:
            UsageError: Something is wrong with what the options, or the file, say.
        """
        if self.parent is not None:
            install_fast_reactor()
        if self._check is not None:
            sys.dont_write_bytecode = True  # of what is imported to be looked at
        self.check_front()
        self.config = self.read_config()
        self._make_importable()
        self._write_back()
        self.listeners = make_listeners(self.config.listen)
        self.admin = admin_listener(self.config)
        check_listeners(self._all_listeners(), secure=False)
        self.check_access_log()
        if self._check is not None:
            self._report()
        self.open_access_log()
        survive_hangup()
        bind_all(self._all_listeners())

    def _all_listeners(self) -> list[Listener]:
        return self.listeners if self.admin is None else [*self.listeners, self.admin]

    def _report(self) -> NoReturn:
        """Print what all comes to, and end."""
        from twisted.internet import reactor  # noqa: PLC0415 - twistd itself imports it only when it runs

        try:
            for line in check.report(self.config, self.listeners, reactor, connect=self._check == "connect"):
                print(line)  # noqa: T201 - this is the command's output
            sys.stdout.flush()
        except BrokenPipeError:  # such as by head; what Python flushes at its end goes nowhere
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        sys.exit(0)

    # --- The file and the command line together.

    def read_config(self) -> Config:
        """Read the file anew, and put to it what the command line says.

        Returns:
            What both come to. Routes, places to listen and trusted proxies of both; of what there is only once, the
            command line's.

        Raises:
            UsageError: Something is wrong with the file, or the two contradict one another.
        """
        file = self.file()
        routes = (*file.route, *self.quick_routes())
        config = replaced(
            file,
            route=routes,
            listen=(*file.listen, *self._own_listens(file, demonstration=not routes)),
            trusted_proxies=(*file.trusted_proxies, *self._trusted),
            **self._scalars(),
        )
        check_config(config)
        return with_certificates(config)

    def _own_listens(self, file: Config, *, demonstration: bool) -> list[Listen]:
        """Return the command line's places to listen, with the options that are for them."""
        places = self._listens
        if not places and not file.listen:
            places = [(f"--port {DEFAULT_PORT}", f"tcp:{DEFAULT_PORT}")]
        tls = self.tls_table()
        webroot = f"--acme-webroot {self['acme-webroot']}"
        theirs = {"--tls-cert": tls, "--h2c-upgrade": self._h2c_upgrade, "--acme-webroot": self.webroot}
        for option, value in theirs.items():
            if value is not None and not places and not (option == "--acme-webroot" and self._redirects):
                raise usage.UsageError(
                    f"{option} is for the places that --listen and --port name; those of {self['config']} have keys of"
                    " their own"
                )
        h2c = self._h2c_upgrade or ("direct" if demonstration else "never")
        found = []
        for option, endpoint in places:
            table = Listen(endpoint=endpoint, tls=tls, h2c_upgrade=h2c, acme_webroot=self.webroot)  # type: ignore[arg-type]
            table.placed(option, {"acme_webroot": webroot})
            found.append(table)
        return found + self.redirect_tables()

    def _scalars(self) -> dict[str, object]:
        """Return what the command line says of what there is only once, by its key."""
        found: dict[str, object] = {}
        if given(self["stop-timeout"]):
            found["stop_timeout"] = self._seconds("stop-timeout")
        if given(self["app-dir"]):
            found["app_dir"] = str(Path(self["app-dir"]).absolute())
        if given(self["access-log"]):
            found["access_log"] = self["access-log"]
        if given(self["access-log-format"]):
            found["access_log_format"] = self["access-log-format"]
        if self["no-extended-connect"]:
            found["extended_connect"] = False
        return found

    def _write_back(self) -> None:
        """Let the options that are still to be looked at be what is in force."""
        if not given(self["access-log"]) and self.config.access_log is not None:
            self.access_place = self.config.at("access_log")
        self["access-log"] = self.config.access_log
        self["access-log-format"] = self.config.access_log_format

    def _make_importable(self) -> None:
        option = f"--app-dir {self['app-dir']}"
        named = given(self["app-dir"]) or self.config.app_dir is None
        place = option if named else self.config.at("app_dir")
        folder = Path(self.config.app_dir or self["app-dir"]).absolute()
        if not folder.is_dir():
            raise usage.UsageError(f"{place}: there is no such folder")
        sys.path.insert(0, str(folder))

    def _seconds(self, name: str) -> float:
        try:
            seconds = float(self[name])
        except ValueError:
            seconds = -1
        if not 0 <= seconds <= 86400:  # noqa: PLR2004 - a day; also excludes infinity and not-a-number
            raise usage.UsageError(f"--{name} {self[name]}: write a number of seconds, at most a day")
        return seconds
