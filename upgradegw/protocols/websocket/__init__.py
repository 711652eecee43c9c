"""WebSocket (RFC 6455) over unmodified Autobahn factories.

This folder is the only place that names private attributes of Autobahn. What it relies on is tested with the lowest
and the latest Autobahn that is supported.
"""

from __future__ import annotations

from upgradegw.protocols.websocket.settings import UNSET, Unset
from upgradegw.protocols.websocket.upgrade import WebSocketUpgrade, websocket

__all__ = ["UNSET", "Unset", "WebSocketUpgrade", "websocket"]
