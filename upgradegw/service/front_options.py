"""The options of what stands before all routes: ``--acme-webroot``, ``--redirect`` and ``--https-port``."""

from __future__ import annotations

import re
from typing import Any

from twisted.python import usage

from upgradegw.negotiation.authority import DEFAULT_PORTS
from upgradegw.service.acme import Challenges
from upgradegw.service.front import Front, ToHttps
from upgradegw.service.listening import Listener, read_listeners

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
        self._challenges: Challenges | None = None

    def opt_redirect(self, endpoint: str) -> None:
        """Where to listen without TLS, although there is a certificate: all but ACME is sent to https. Can be repeated."""  # noqa: E501 - Twisted shows it
        self._redirects.append((f"--redirect {endpoint}", endpoint))

    def read_front(self, *, secure: bool) -> list[Listener]:
        """Understand these options.

        Args:
            secure: Whether there is a certificate.

        Returns:
            The listeners of ``--redirect``.

        Raises:
            UsageError: One is malformed, or of no use.
        """
        webroot, port = self["acme-webroot"], self["https-port"]
        self._challenges = None if webroot is None else Challenges(webroot)
        if self._redirects and not secure:
            raise usage.UsageError(f"{self._redirects[0][0]}: there is no TLS to lead to; name a --tls-cert")
        if port is not None and not self._redirects:
            raise usage.UsageError("--https-port is of use only together with --redirect")
        if port is not None and not (re.fullmatch("[0-9]{1,5}", port) and 0 < int(port) <= _MAX_PORT):
            raise usage.UsageError(f"--https-port {port}: write a number from 1 to {_MAX_PORT}")
        listeners = read_listeners(self._redirects)
        for listener in listeners:
            listener.cleartext = True
        return listeners

    def front(self, root: Any, listeners: list[Listener]) -> Any:
        """Put what these options ask for before the root of the routes.

        Args:
            root: The root.
            listeners: All listeners; the first with TLS is where the redirect leads.

        Returns:
            The new root, or the old one if there is nothing to put before it.
        """
        redirect = ToHttps(lambda: self._https_port(listeners)) if self._redirects else None
        return Front(root, self._challenges, redirect) if self._challenges or redirect else root

    def _https_port(self, listeners: list[Listener]) -> int:
        if self["https-port"] is not None:
            return int(self["https-port"])
        port = next((listener.port for listener in listeners if not listener.cleartext), None)
        return port or DEFAULT_PORTS[b"https"]
