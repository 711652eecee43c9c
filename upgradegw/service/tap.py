"""What twistd asks of the plugin: options and a service made from them. Wiring only."""

from __future__ import annotations

import os
from typing import Any

from twisted.application.service import IService
from twisted.python.usage import UsageError
from twisted.web.resource import IResource

from upgradegw.service import demonstration, routes
from upgradegw.service.access_log import AccessLog
from upgradegw.service.notify import Notifier
from upgradegw.service.options import Options
from upgradegw.service.running import GatewayService
from upgradegw.web.site import UpgradeSite

__all__ = ["Options", "makeService"]


def makeService(options: Options) -> IService:
    """Return the service that the options describe; twistd calls this before it becomes a daemon.

    Raises:
        SystemExit: An endpoint's description is not understood; one line on standard error says so.
    """
    from twisted.internet import reactor  # noqa: PLC0415 - twistd has chosen it by now

    try:
        return gateway_service(options, reactor)
    except UsageError as error:
        options.fail(error)


def gateway_service(options: Options, reactor: Any) -> GatewayService:
    """Return the service that the options describe.

    Args:
        options: As parsed.
        reactor: Runs it.

    Raises:
        UsageError: An endpoint's description is not understood.
    """
    tree: IResource = routes.table(options.resolved, reactor) if options.resolved else demonstration.site()
    tree = options.front(tree, options.listeners)
    site = UpgradeSite(
        tree,
        trusted_proxies=options.trusted,
        h2c_upgrade=options.h2c_in_force,
        extended_connect=not options["no-extended-connect"],
        reactor=reactor,
    )
    site.noisy = False
    return GatewayService(
        reactor,
        site,
        options.listeners,
        access_log=AccessLog(
            options.access_file, off=options["access-log"] == "off", form=options["access-log-format"]
        ),
        tls=options.tls,
        stop_timeout=options.stop_timeout,
        notifier=Notifier.from_environment(os.environ),
        notices=(*options.notices, *(() if options.resolved else (demonstration.NOTICE,))),
    )
