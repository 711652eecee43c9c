"""What twistd asks of the plugin: options and a service made from them. Wiring only."""

from __future__ import annotations

import os
from typing import Any

from twisted.application.service import IService
from twisted.python.usage import UsageError

from upgradegw.service.access_log import AccessLog
from upgradegw.service.gateway.gateway import Gateway
from upgradegw.service.gateway.reloading import reload
from upgradegw.service.notify import Notifier
from upgradegw.service.options import Options
from upgradegw.service.running import GatewayService
from upgradegw.web.live import Live

__all__ = ["Options", "makeService"]


def makeService(options: Options) -> IService:
    """Return the service that the options describe; twistd calls this before it becomes a daemon.

    Raises:
        SystemExit: Something is wrong with a route, a certificate or an endpoint; one line on standard error says so.
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
        UsageError: Something is wrong with a route, a certificate or an endpoint.
    """
    pages = options.config.admin
    gateway = Gateway(reactor, options.config, options.listeners, live=None if pages is None else Live(reactor))
    beside = None
    if pages is not None and options.admin is not None:
        from upgradegw.service.admin.running import AdminService  # noqa: PLC0415 - what it needs, few servers need

        beside = AdminService(reactor, pages, options.admin, gateway)
    log = options.config
    return GatewayService(
        reactor,
        gateway.entrances,
        access_log=AccessLog(options.access_file, off=log.access_log == "off", form=log.access_log_format),
        stop_timeout=lambda: gateway.config.stop_timeout,
        notifier=Notifier.from_environment(os.environ),
        notices=gateway.notices,
        reload=lambda: reload(gateway, options.read_config),
        beside=beside,
    )
