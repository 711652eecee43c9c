"""Access events as the site emits them, for the formats to write."""

from __future__ import annotations

from typing import Any

#: 22 November 2026, 10:42:00.937 UTC.
WHEN = 1795344120.9375

REQUEST: dict[str, Any] = {
    "event": "request",
    "connection_id": "c1",
    "client": "192.0.2.7",
    "method": "GET",
    "target": "/ws?a=1",
    "http_version": "HTTP/1.1",
    "status": 200,
    "bytes_out": 12,
    "seconds": 0.0123,
    "referer": None,
    "user_agent": "curl/8",
}
REFUSED: dict[str, Any] = {
    **REQUEST,
    "status": 403,
    "reason": "origin_mismatch",
    "detail": "Origin: https://b.example",
    "hint": "List it.",
}
STOCK: dict[str, Any] = {
    "event": "refuse",
    "method": "GET",
    "target": "/ws",
    "status": 400,
    "reason": "bad_key",
    "detail": "",
    "hint": "Look.",
}
UPGRADED: dict[str, Any] = {
    "connection_id": "c1",
    "client": "192.0.2.7",
    "path": "/ws",
    "token": "websocket",
    "subprotocol": None,
    "http_version": "HTTP/2",
}
SWITCH: dict[str, Any] = {"event": "switch", **UPGRADED}
END: dict[str, Any] = {
    "event": "end",
    **UPGRADED,
    "seconds": 60.0,
    "bytes_in": 7,
    "bytes_out": 9,
    "close_code": 1001,
    "reason": "closed",
}
ALL = (REQUEST, REFUSED, STOCK, SWITCH, END)

#: What somebody may send in the hope that a log takes it for its own.
HOSTILE = (
    *('"', "\\", "\n", "\r\n{}", "\x1b[31m", "\x00", "\x7f", "\x85", "\u2028", "\xc3\xa5"),
    '","status":200,"x":"',
    "</script>",
    "a status=200",
    "=",
    "x" * 100_000,
)


def logged(event: dict[str, Any], **changed: Any) -> Any:
    """Return an event as an observer gets it."""
    return {**event, **changed, "log_time": WHEN, "log_namespace": "upgradegw.access", "log_format": "{event}"}
