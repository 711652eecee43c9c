"""The status page: HTML without a script, which a browser asks for anew every few seconds."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from importlib.resources import files

from upgradegw import __version__
from upgradegw.proxy.health import UpstreamState
from upgradegw.service.admin.state import ORDERS, RouteLine, Row, ServerState, route_lines, rows
from upgradegw.service.page_policy import content_security_policy

#: Lines of the table that are shown; the JSON has all.
MAX_ROWS = 500

_COLUMNS = {
    "number": "No.",
    "client": "Client",
    "route": "Route",
    "token": "Protocol",
    "age": "Age",
    "idle": "Idle",
    "bytes_in": "In",
    "bytes_out": "Out",
}
_NUMBERS = ("age", "idle", "bytes_in", "bytes_out")
#: Classes of cells: some texts are as long as clients like, and may be broken anywhere.
_KINDS = {
    "number": "whole",
    "client": "whole client",
    "route": "any",
    "token": "any",
    **dict.fromkeys(_NUMBERS, "number"),
}

_DRAIN = '<button name=action value=drain title="End it in order">Drain</button>'
_END = '<button name=action value=end class=bad title="End it at once">End</button>'
_THIN_SPACE = "\N{NARROW NO-BREAK SPACE}"
_READY = '<span class="pill good">ready</span>'
_STOPPING = '<span class="pill fair">stopping</span>'

_PAGE = files(__package__).joinpath("page.html").read_text("utf-8")
POLICY = content_security_policy(_PAGE, forms=True)


def status_page(state: ServerState, order: str, secret: str) -> bytes:
    """Return the page.

    Args:
        state: The server.
        order: By what the table is sorted, one of ``ORDERS``.
        secret: What the page's forms send back, so that no other site's forms are taken for them.
    """
    table = rows(state.live, order)
    lines = route_lines(state, (row.route for row in table))
    values = {
        "TITLE": f"{len(table)} open · upgradegw",
        "STATE": _READY if state.ready else _STOPPING,
        "VERSION": escape(__version__),
        "TILES": "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in _tiles(state, table, lines)),
        "ROUTES": "".join(map(_route, lines)) or _nothing("There is no route.", 3),
        "HEADS": "".join(_head(name, order) for name in _COLUMNS),
        "ROWS": "".join(_row(row, order, secret) for row in table[:MAX_ROWS])
        or _nothing("No upgraded connection is open.", len(_COLUMNS) + 1),
        "REST": f"{len(table) - MAX_ROWS} more are in the JSON. " if len(table) > MAX_ROWS else "",
    }
    page = _PAGE
    for name, value in values.items():
        page = page.replace(f"<!--{name}-->", value)
    return page.encode("utf-8", "replace")


def _nothing(text: str, columns: int) -> str:
    return f'<tr><td colspan="{columns}" class="none">{text}</td></tr>'


def _tiles(state: ServerState, table: list[Row], lines: list[RouteLine]) -> Iterator[tuple[str, str]]:
    """Yield what is to be seen at a glance."""
    yield "Open now", str(len(table))
    if state.live is not None:
        yield "Since the start", f"{state.live.switched:,}".replace(",", _THIN_SPACE)
    watched = [each.up for line in lines if not line.draining for each in line.upstreams if each.up is not None]
    if watched:
        well = "" if all(watched) else " class=bad"
        yield "Upstreams up", f"<span{well}>{sum(watched)} of {len(watched)}</span>"
    if state.live is not None:
        yield "Running for", duration(state.live.age())


def _route(line: RouteLine) -> str:
    name = escape(line.name) or "<small>no route</small>"
    mark = ' <span class="pill fair">draining</span>' if line.draining else ""
    asked = "".join(map(_upstream, line.upstreams))
    return f"<tr><td class=any>{name}{mark}</td><td class=any>{asked}</td><td class=number>{line.open}</td></tr>"


def _upstream(upstream: UpstreamState) -> str:
    shown, kind = escape(upstream.upstream), "upstream"
    if upstream.up is not None:
        kind = "upstream watched"
        name, mark = ("up", "good") if upstream.up else ("down", "bad")
        shown = f'<span class="dot {mark}"></span>{shown} <small class="{mark}">{name}</small>'
    if upstream.active:
        shown += f" <small>{upstream.active} under way</small>"
    return f'<span class="{kind}">{shown}</span>'


def _head(name: str, order: str) -> str:
    kind = " class=number" if name in _NUMBERS else ""
    now = ' aria-sort="' + ("descending" if ORDERS[name] else "ascending") + '"' if name == order else ""
    return f'<th{kind}{now}><a href="?sort={name}">{_COLUMNS[name]}</a></th>'


def _row(row: Row, order: str, secret: str) -> str:
    protocol = escape(row.token) + (f" <small>{escape(row.subprotocol)}</small>" if row.subprotocol else "")
    protocol += f" <small>{escape(row.http_version)}</small>"
    route = escape(row.route) + (f" <small>{escape(row.path)}</small>" if row.path != row.route else "")
    shown = {
        "number": str(row.number),
        "client": escape(row.client),
        "route": route,
        "token": protocol,
        "age": duration(row.age),
        "idle": duration(row.idle),
        "bytes_in": size(row.bytes_in),
        "bytes_out": size(row.bytes_out),
    }
    drain = '<span class="pill fair">draining</span>' if row.draining else _DRAIN
    return (
        f"<tr>{''.join(_cell(name, text) for name, text in shown.items())}"
        f'<td class=act><form method=post action="connections/{row.number}?sort={order}">'
        f'<input type=hidden name=secret value="{secret}">'
        f"{drain}{_END}</form></td></tr>"
    )


def _cell(name: str, text: str) -> str:
    return f'<td class="{_KINDS[name]}" data-name="{_COLUMNS[name]}">{text}</td>'


def duration(seconds: float) -> str:
    """Return a time as a person reads it: ``4 s``, ``12 min``, ``3.5 h``, ``2.1 d``."""
    for unit, length, most in (("s", 1, 120), ("min", 60, 7200), ("h", 3600, 172_800)):
        if seconds < most:
            shown = seconds / length
            return f"{shown:.1f} {unit}" if unit == "h" else f"{shown:.0f} {unit}"
    return f"{seconds / 86_400:.1f} d"


def size(count: int) -> str:
    """Return a number of bytes as a person reads it: ``900 B``, ``1.5 KiB``."""
    shown = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if shown < 1024:  # noqa: PLR2004 - IEC 80000-13
            return f"{count} B" if unit == "B" else f"{shown:.1f} {unit}"
        shown /= 1024
    return f"{shown:.1f} TiB"
