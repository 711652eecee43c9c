"""websockets on uvloop: ``python websockets_app.py PORT``."""

from __future__ import annotations

import asyncio
import sys

import uvloop  # type: ignore[import-not-found,import-untyped,unused-ignore]
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed


async def _echo(connection: ServerConnection) -> None:
    try:
        async for message in connection:
            await connection.send(message)
    except ConnectionClosed:
        pass


async def _serve(port: str) -> None:
    async with serve(_echo, "127.0.0.1", int(port), compression=None, backlog=1000):
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1]))
