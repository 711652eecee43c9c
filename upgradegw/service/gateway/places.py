"""The tables of ``[[listen]]`` as listeners, as arguments of a site, and as what stands before the routes there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twisted.python.usage import UsageError

from upgradegw.service.acme import Challenges
from upgradegw.service.config.model import Config, Listen
from upgradegw.service.descriptions import parse
from upgradegw.service.front import Front, ToHttps
from upgradegw.service.listening import Listener, check_listeners
from upgradegw.service.tls import ServerTls
from upgradegw.web.site import UpgradeSite
from upgradegw.web.tls_upgrade import TlsUpgrade


def make_listeners(tables: Iterable[Listen]) -> list[Listener]:
    """Understand where to listen; nothing is bound.

    Args:
        tables: The tables.

    Raises:
        UsageError: A description is malformed, or two of them mean the same place.
    """
    listeners = []
    for table in tables:
        try:
            description = parse(table.endpoint)
        except UsageError as error:
            raise UsageError(f"{table.at('endpoint')}: {error}") from None
        cleartext = table.tls is None or bool(table.tls_upgrade)
        listeners.append(Listener(table.where or f"listen {table.endpoint}", description, cleartext=cleartext))
    check_listeners(listeners, secure=True)
    return listeners


def site_arguments(config: Config, table: Listen, tls: ServerTls | None) -> dict[str, Any]:
    """Return what the site of a listener is made with; sites with the same arguments are alike.

    Args:
        config: The configuration.
        table: The listener's.
        tls: Its certificates; None without any.
    """
    required = table.tls_upgrade == "required"
    return {
        **config.limits.all(),
        "trusted_proxies": config.trusted_proxies,
        "allowed_hosts": config.allowed_hosts,
        "extended_connect": config.extended_connect,
        "http2": table.http2,
        "h2c_prior_knowledge": table.h2c_prior_knowledge,
        "h2c_upgrade": table.h2c_upgrade,
        "tls_upgrade": TlsUpgrade(tls, required) if table.tls_upgrade and tls is not None else None,
    }


def make_site(arguments: dict[str, Any], reactor: Any, sharing: UpgradeSite | None) -> UpgradeSite:
    """Make the site of a listener, which serves nothing yet.

    Args:
        arguments: What ``site_arguments`` returned.
        reactor: Gives the time.
        sharing: Another site of the server; None for the first.

    Raises:
        UsageError: One of the arguments is wrong.
    """
    try:
        site = UpgradeSite(None, reactor=reactor, sharing=sharing, **arguments)
    except ValueError as error:
        raise UsageError(str(error)) from None
    site.noisy = False
    return site


def front_of(table: Listen, https_port: Callable[[], int]) -> Callable[[Any], Any]:
    """Return what puts before a root what a listener asks for.

    Args:
        table: The listener's.
        https_port: Returns the port on which clients reach TLS.

    Raises:
        UsageError: There is no folder for challenges.
    """
    try:
        challenges = None if table.acme_webroot is None else Challenges(table.acme_webroot)
    except UsageError as error:
        raise UsageError(f"{table.at('acme_webroot')}: {error}") from None
    port = https_port if table.https_port is None else lambda: int(table.https_port or 0)
    redirect = None if table.redirect is None else ToHttps(port)
    if challenges is None and redirect is None:
        return lambda root: root
    return lambda root: Front(root, challenges, redirect)
