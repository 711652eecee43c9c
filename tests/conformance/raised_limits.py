"""An echo with limits wide enough for the suite's largest cases: messages of 16 MiB, in frames of 64 bytes."""

from __future__ import annotations

from upgradegw.protocols.websocket import websocket
from upgradegw.service.demonstration.echo import websocket_echo_factory

upgrade = websocket(websocket_echo_factory(), max_message_size=32 << 20, max_fragments=None, max_unsent=64 << 20)
