"""What aiohttp serves in the comparison of handshakes: twelve bytes over TLS; prints its port."""

from __future__ import annotations

import asyncio
import ssl
import sys

from aiohttp import web  # type: ignore[import-not-found]


async def _plain(_request: web.Request) -> web.Response:
    return web.Response(body=b"hello, world", content_type="text/html")


async def _serve(cert: str, key: str) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    application = web.Application()
    application.router.add_get("/plain", _plain)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    print(runner.addresses[0][1], flush=True)  # noqa: T201 - where it is
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:3]))
