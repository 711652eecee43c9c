"""picows on uvloop: ``python picows_app.py PORT``."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import uvloop  # type: ignore[import-not-found,import-untyped,unused-ignore]
from picows import (  # type: ignore[import-not-found,unused-ignore]
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    ws_create_server,
)


class Echo(WSListener):  # type: ignore[misc,unused-ignore]
    """Sends back what it gets."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
        else:
            transport.send(frame.msg_type, frame.get_payload_as_memoryview())


def _build(_request: Any) -> Echo:
    return Echo()


async def _serve(port: str) -> None:
    server = await ws_create_server(_build, "127.0.0.1", int(port), backlog=1000)
    await asyncio.gather(server.serve_forever())


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1]))
