"""aiohttp on uvloop: ``python aiohttp_app.py PORT [CERTIFICATE KEY]``."""

from __future__ import annotations

import asyncio
import ssl
import sys

import uvloop  # type: ignore[import-not-found,import-untyped,unused-ignore]
from aiohttp import WSMsgType, web  # type: ignore[import-not-found,unused-ignore]


async def _echo(request: web.Request) -> web.WebSocketResponse:
    connection = web.WebSocketResponse()
    await connection.prepare(request)
    async for message in connection:
        if message.type == WSMsgType.BINARY:
            await connection.send_bytes(message.data)
        elif message.type == WSMsgType.TEXT:
            await connection.send_str(message.data)
    return connection


async def _plain(_request: web.Request) -> web.Response:
    return web.Response(body=b"hello, world", content_type="text/html")


async def _serve(port: str, *certificate: str) -> None:
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*certificate)
    application = web.Application()
    application.router.add_get("/ws", _echo)
    application.router.add_get("/plain", _plain)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(port), ssl_context=context, backlog=1000).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve(*sys.argv[1:]))
