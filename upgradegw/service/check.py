"""``--check``: everything that the options and the configuration came to, in lines that a person reads.

A line is a word and ``name=value`` pairs as in the access log's logfmt, so that ``grep`` finds it: ``listen``,
``certificate``, ``route``, ``admin``, ``setting``, ``limit``, ``warning``, ``connect``; the last line says that all is
right. Nothing is bound, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.python.usage import UsageError

from upgradegw.service import demonstration
from upgradegw.service.admin.place import admin_listener
from upgradegw.service.certificate_words import now, rows
from upgradegw.service.check_routes import demonstrated, route_rows
from upgradegw.service.check_upstreams import Finding, ask_all
from upgradegw.service.config.model import Config, Listen
from upgradegw.service.config.warnings import warnings
from upgradegw.service.descriptions import Description, Other, Tcp, Unix
from upgradegw.service.formats.logfmt import pairs
from upgradegw.service.gateway.building import build_routes
from upgradegw.service.gateway.places import front_of, make_site, site_arguments
from upgradegw.service.gateway.secured import secure
from upgradegw.service.listening import Listener

#: The last line, after the manner of ``nginx -t``.
OK = "upgradegw: configuration is ok"


def report(config: Config, listeners: list[Listener], reactor: Any, *, connect: bool = False) -> Iterator[str]:
    """Yield the lines for a configuration.

    Args:
        config: The configuration.
        listeners: Its listeners, not bound.
        reactor: Is shown to what is made; nothing is started.
        connect: Whether upstreams are to be asked, for which the reactor is run.

    Raises:
        UsageError: Something is wrong with what the configuration names, or with the answer of an upstream; that is
            raised behind all lines.
    """
    lines = []
    for listener, table in zip(listeners, config.listen, strict=True):
        lines.append(_line("listen", _listener(listener, table, reactor)))
        front_of(table, lambda: 0)
        make_site(site_arguments(config, table, None), reactor, None)
    tables = [table.tls for table in config.listen if table.tls is not None]
    for secured in secure(tables, (), reactor):
        lines += [_line("certificate", each) for each in rows(secured.tls.material, now())]
    routes = build_routes(config.route, reactor)
    found = route_rows(routes) if routes else demonstrated(demonstration.site())
    lines += [_line("route", each) for each in found]
    pages = admin_listener(config)
    if config.admin is not None and pages is not None:
        if isinstance(pages.description.place, Other):
            pages.endpoint(reactor)
        lines.append(_line("admin", {"address": config.admin.endpoint, "allow": ",".join(config.admin.allow)}))
    lines += [_line("setting", {name: value}) for name, value in _settings(config).items()]
    lines += [_line("limit", {name: _number(value)}) for name, value in config.limits.all().items()]
    lines += [_line("warning", {"text": text, "place": place}) for place, text in warnings(config)]
    yield from lines
    findings = _run(ask_all(routes, reactor), reactor) if connect else []
    for route in routes:
        route.close()
    yield from (_line("connect", finding.pairs) for finding in findings)
    wrong = sum(finding.wrong for finding in findings)
    if wrong:
        raise UsageError(f"{wrong} of {len(findings)} answers of upstreams cannot be used: see error= above")
    yield OK


def _run(asking: Coroutine[Any, Any, list[Finding]], reactor: Any) -> list[Finding]:
    """Run the reactor until all answers are there."""
    found: list[Any] = []

    def begin() -> None:
        asked = Deferred.fromCoroutine(asking)
        asked.addBoth(found.append)
        asked.addBoth(lambda _result: reactor.stop())

    reactor.callWhenRunning(begin)
    reactor.run()
    if not found:
        raise UsageError("--check=connect: interrupted")
    if isinstance(found[0], Failure):
        found[0].raiseException()
    return list(found[0])


def _line(word: str, values: dict[str, Any]) -> str:
    return f"{word} {pairs(values)}"


def _listener(listener: Listener, table: Listen, reactor: Any) -> dict[str, Any]:
    description = listener.description
    if isinstance(description.place, Other):
        listener.endpoint(reactor)  # nobody but Twisted can tell whether it is one
    upgrade = table.tls_upgrade
    return {
        **_address(description),
        "tls": "upgrade" if upgrade else _yes(table.tls is not None or description.has_tls),
        "http": "1.1,2" if table.http2 else "1.1",
        "h2c-upgrade": table.h2c_upgrade if table.tls is None else None,
        "redirect": table.redirect,
        "https-port": None if table.https_port is None else str(table.https_port),
        "acme-webroot": table.acme_webroot,
        "proxy-header": "yes" if description.haproxy else None,
        **({"option": table.where} if table.typed else {"table": table.where}),
    }


def _address(description: Description) -> dict[str, Any]:
    place = description.place
    if isinstance(place, Tcp):
        host = f"[{place.interface or '::'}]" if place.ipv6 else place.interface or "0.0.0.0"  # noqa: S104 - as typed
        return {"address": f"tcp:{host}:{place.port}"}
    if isinstance(place, Unix):
        return {"address": f"unix:{place.path}", "mode": f"{place.mode:o}"}
    return {"address": place.text}


def _settings(config: Config) -> dict[str, str]:
    target = config.access_log
    if target is None:
        log = "twistd's log"
    else:
        log = {"-": "standard output", "off": "off"}.get(target) or str(Path(target).absolute())
    return {
        **({"config": str(Path(config.where).absolute())} if config.where else {}),
        "app-dir": str(Path(config.app_dir or ".").absolute()),
        "trusted-proxy": ",".join(config.trusted_proxies) or "none",
        "allowed-hosts": "all" if config.allowed_hosts is None else ",".join(config.allowed_hosts) or "none",
        "extended-connect": _yes(config.extended_connect),
        "access-log": log,
        "access-log-format": config.access_log_format,
        "stop-timeout": _number(config.stop_timeout),
    }


def _yes(so: bool) -> str:
    return "yes" if so else "no"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
