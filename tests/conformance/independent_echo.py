"""A WebSocket echo that is not ours: the upstream of the suite through the gateway; prints its port.

It is the server of the library websockets, with its compression, and without limits on messages.
"""

from __future__ import annotations

import asyncio
import contextlib

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed


async def _echo(connection: ServerConnection) -> None:
    with contextlib.suppress(ConnectionClosed):  # most cases of the suite break off
        async for message in connection:
            await connection.send(message)


async def _main() -> None:
    async with serve(_echo, "127.0.0.1", 0, max_size=None, ping_interval=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)  # noqa: T201 - whoever starts us waits for it
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
