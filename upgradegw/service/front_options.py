"""The options of what stands before all routes: ``--acme-webroot``, ``--redirect`` and ``--https-port``."""

from __future__ import annotations

import os
import re

from twisted.python import usage

from upgradegw.service.config.model import Listen

_MAX_PORT = 65535

_WEBROOT_HELP = (
    "Folder of certbot's method webroot: serve what it puts into .well-known/acme-challenge, before every route and on"
    " every listener."
)
_PORT_HELP = "Port that --redirect leads to, if clients see another one than the first that TLS listens on."


class FrontOptions(usage.Options):
    """Options that ``Options`` has from here."""

    optParameters = [  # noqa: RUF012 - Twisted's name and type
        ["acme-webroot", None, None, _WEBROOT_HELP],
        ["https-port", None, None, _PORT_HELP],
    ]

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self._redirects: list[tuple[str, str]] = []

    def opt_redirect(self, endpoint: str) -> None:
        """Where to listen without TLS, although there is a certificate: all but ACME is sent to https. Can be repeated."""  # noqa: E501 - Twisted shows it
        self._redirects.append((f"--redirect {endpoint}", endpoint))

    def check_front(self) -> None:
        """Look for options that are malformed, or of no use.

        Raises:
            UsageError: There is one.
        """
        port = self["https-port"]
        if port is not None and not self._redirects:
            raise usage.UsageError("--https-port is of use only together with --redirect")
        if port is not None and not (re.fullmatch("[0-9]{1,5}", port) and 0 < int(port) <= _MAX_PORT):
            raise usage.UsageError(f"--https-port {port}: write a number from 1 to {_MAX_PORT}")

    @property
    def webroot(self) -> str | None:
        """The folder of ``--acme-webroot``, with its whole path; None without that option."""
        name = self["acme-webroot"]
        return None if name is None else os.path.abspath(name)  # noqa: PTH100 - follows no links

    def redirect_tables(self) -> list[Listen]:
        """Return the listeners of ``--redirect`` as tables of the configuration."""
        port = None if self["https-port"] is None else int(self["https-port"])
        found = []
        for option, endpoint in self._redirects:
            table = Listen(endpoint=endpoint, redirect="https", https_port=port, acme_webroot=self.webroot)
            table.placed(option, {"acme_webroot": f"--acme-webroot {self['acme-webroot']}"})
            found.append(table)
        return found
