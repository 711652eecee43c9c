"""``--check``: everything that the options came to, in lines that a person reads and ``grep`` finds.

A line is a word and ``name=value`` pairs as in the access log's logfmt: ``listen``, ``certificate``, ``route``,
``setting``, ``limit``; the last line says that all is right. Nothing is bound, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from upgradegw.http.limits import Limits
from upgradegw.http2.limits import Http2Limits
from upgradegw.interfaces import Upgrade
from upgradegw.service import demonstration
from upgradegw.service.certificate_words import now, rows
from upgradegw.service.descriptions import Description, Other, Tcp, Unix
from upgradegw.service.formats.logfmt import pairs
from upgradegw.service.listening import Listener
from upgradegw.service.routes import Route, Segments

#: The last line, after the manner of ``nginx -t``.
OK = "upgradegw: configuration is ok"


def report(options: Any) -> list[str]:
    """Return the lines for options that have been parsed, whose sockets are not bound.

    Args:
        options: The command line's.

    Raises:
        UsageError: Twisted does not understand an endpoint's description.
    """
    secure = options.tls is not None
    lines = [_line("listen", _listener(each, secure)) for each in options.listeners]
    if options.tls is not None:
        lines += [_line("certificate", each) for each in rows(options.tls.material, now())]
    routes = _routes(options.resolved) if options.resolved else _demonstration()
    lines += [_line("route", each) for each in routes]
    lines += [_line("setting", {name: value}) for name, value in _settings(options).items()]
    limits = asdict(Limits()) | asdict(Http2Limits())
    lines += [_line("limit", {name: _number(value)}) for name, value in limits.items()]
    return [*lines, OK]


def _line(word: str, values: dict[str, Any]) -> str:
    return f"{word} {pairs(values)}"


def _listener(listener: Listener, secure: bool) -> dict[str, Any]:
    description = listener.description
    if isinstance(description.place, Other):
        from twisted.internet import reactor  # noqa: PLC0415 - twistd itself imports it only when it runs

        listener.endpoint(reactor)  # nobody but Twisted can tell whether it is one
    return {
        **_address(description),
        "tls": _yes((secure and not listener.cleartext) or description.has_tls),
        "http": "1.1,2",
        "proxy-header": "yes" if description.haproxy else None,
        "option": listener.option,
    }


def _address(description: Description) -> dict[str, Any]:
    place = description.place
    if isinstance(place, Tcp):
        host = f"[{place.interface or '::'}]" if place.ipv6 else place.interface or "0.0.0.0"  # noqa: S104 - as typed
        return {"address": f"tcp:{host}:{place.port}"}
    if isinstance(place, Unix):
        return {"address": f"unix:{place.path}", "mode": f"{place.mode:o}"}
    return {"address": place.text}


def _routes(routes: dict[Segments, Route]) -> Iterator[dict[str, Any]]:
    for path in sorted(routes):
        route = routes[path]
        upgrades = iter(route.upgrades)
        for wish in route.wishes:
            offered = _upgrade(next(upgrades)) if wish.option in ("--websocket", "--upgrade") else {}
            yield {"path": "/" + b"/".join(path).decode(), **offered, "option": str(wish)}


def _demonstration() -> Iterator[dict[str, Any]]:
    for name, child in sorted(demonstration.site().children.items()):
        offered = [_upgrade(each) for each in getattr(child, "upgrades", ())] or [{}]
        yield from ({"path": "/" + name.decode(), **each, "option": "demonstration site"} for each in offered)


def _upgrade(upgrade: Upgrade) -> dict[str, Any]:
    token = {"token": str(upgrade.protocol)}
    if not hasattr(upgrade, "origins"):
        return token
    origins = upgrade.origins
    return {**token, "origins": "same-origin" if origins is None else ",".join(origins) or "none"}


def _settings(options: Any) -> dict[str, str]:
    target = options["access-log"]
    log = {None: "twistd's log", "-": "standard output", "off": "off"}.get(target) or str(Path(target).absolute())
    webroot, port = options["acme-webroot"], options["https-port"]
    return {
        "app-dir": str(Path(options["app-dir"]).absolute()),
        **({} if webroot is None else {"acme-webroot": str(Path(webroot).absolute())}),
        **({} if port is None else {"https-port": port}),
        "trusted-proxy": ",".join(options.trusted) or "none",
        "h2c-upgrade": options.h2c_in_force,
        "extended-connect": _yes(not options["no-extended-connect"]),
        "access-log": log,
        "access-log-format": options["access-log-format"],
        "stop-timeout": _number(options.stop_timeout),
    }


def _yes(so: bool) -> str:
    return "yes" if so else "no"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
