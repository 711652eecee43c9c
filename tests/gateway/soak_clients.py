"""The clients of the soak: each is one connection after the other, and judges all that comes back."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import random
import struct
import time

from tests.gateway.soaking import BINARY, CLOSE, frame, read_frame

_KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
_WEBSOCKET = b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + _KEY + b"\r\n"
_RAW = b"Upgrade: raw\r\n"

#: Bytes that every connection sends, each from a place of its own, again and again.
_PATTERN = random.Random(1).randbytes(1 << 20)
_LONGEST = 128 << 10
_GOING_AWAY = 1001


class WrongError(Exception):
    """Something was not as it must be."""


class Soak:
    """All connections, and what became of them.

    Attributes:
        ends: How many ended in which way.
        wrong: What was not as it must be.
        messages: How many came back.
        carried: Bytes that came back.
    """

    def __init__(self, port: int) -> None:
        """Begin with nothing.

        Args:
            port: The gateway's.
        """
        self.ends: collections.Counter[str] = collections.Counter()
        self.wrong: list[str] = []
        self.messages = self.carried = 0
        self.deaths = self.changes = 0
        self._port = port
        self._random = random.Random(2)

    async def live(self, until: float) -> None:
        """Be one client after the other."""
        while (now := time.monotonic()) < until and not self.wrong:
            path = self._random.choices(("steady", "mortal", "changing"), (6, 2, 2))[0]
            raw = path != "changing" and self._random.random() < 0.2
            life = Life(self, path, min(until, now + self._random.uniform(0.5, 15)), raw=raw)
            try:
                self.ends[await asyncio.wait_for(life.run(self._port), 90)] += 1
            except WrongError as error:
                self.wrong.append(f"{path} raw={raw}: {error}")
            except TimeoutError:
                self.wrong.append(f"{path} raw={raw}: nothing for 90 s; {life.told()}")


class Life:
    """One connection."""

    def __init__(self, soak: Soak, path: str, until: float, *, raw: bool) -> None:
        self._soak = soak
        self._path = path
        self._until = until
        self._raw = raw
        self._random = random.Random(soak._random.random())
        self._place = self._random.randrange(len(_PATTERN))
        self._sent = self._received = 0
        self._deaths, self._changes = soak.deaths, soak.changes
        self._how = ""
        self._has_closed = False

    def told(self) -> str:
        """How far it came."""
        return f"{self._sent} bytes sent, {self._received} back"

    def _may_be_cut(self) -> bool:
        return self._path == "mortal" and self._deaths != self._soak.deaths

    async def run(self, port: int) -> str:
        """Live, and return how it ended."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 16)
        except OSError as error:
            raise WrongError(f"the gateway refused a connection: {error}") from None
        try:
            if not await self._open(reader, writer):
                return "refused while the upstream was away"
            how = self._random.choice(("half-close", "reset") if self._raw else ("close", "half-close", "reset"))
            self._how = how
            async with asyncio.TaskGroup() as group:
                group.create_task(self._send(writer, how))
                reading = group.create_task(self._read(reader, writer, how))
            return reading.result()
        except* OSError:
            pass
        except* WrongError as errors:
            raise WrongError(str(errors.exceptions[0])) from None
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        if self._how == "reset" and time.monotonic() >= self._until:
            return self._how
        if not self._may_be_cut():
            raise WrongError(f"the connection was reset; {self.told()}")
        return "died with the upstream"

    async def _open(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        token = _RAW if self._raw else _WEBSOCKET
        writer.write(b"GET /%s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n" % self._path.encode() + token + b"\r\n")
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            raise WrongError("no answer to the handshake") from None
        if head.startswith(b"HTTP/1.1 101 "):
            return True
        if self._path == "mortal" and head.startswith((b"HTTP/1.1 502 ", b"HTTP/1.1 503 ")):
            await asyncio.sleep(0.2)
            return False
        if self._path == "changing" and head.startswith(b"HTTP/1.1 503 "):
            return False  # it asked the route that is about to go
        raise WrongError(f"answered {head[:60]!r}")

    async def _send(self, writer: asyncio.StreamWriter, how: str) -> None:
        try:
            while time.monotonic() < self._until:
                for _ in range(self._random.randint(1, 8)):
                    size = int(2 ** self._random.uniform(0, 17))
                    writer.write(self._message(min(size, _LONGEST)))
                await writer.drain()
                await asyncio.sleep(self._random.choice((0, 0.1, 0.3, 1.0, 3.0)))
            if how == "close":
                self._say_close(writer, b"\x03\xe8")
                await writer.drain()
            elif how == "half-close":
                writer.write_eof()
            else:
                sock = writer.get_extra_info("socket")
                sock.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SO_LINGER: the end is a reset
                writer.transport.abort()
        except (OSError, RuntimeError):
            pass  # the reader finds out

    def _say_close(self, writer: asyncio.StreamWriter, content: bytes) -> None:
        """Send a Close, once: nothing follows it (RFC 6455 section 5.5.1), for whoever has it may close at once."""
        if not self._has_closed:
            self._has_closed = True
            writer.write(frame(CLOSE, content, b"\1\2\3\4"))

    def _message(self, size: int) -> bytes:
        content = self._at(self._sent, size)
        self._sent += size
        return content if self._raw else frame(BINARY, content, self._random.randbytes(4))

    def _at(self, place: int, size: int) -> bytes:
        start = (self._place + place) % len(_PATTERN)
        return (_PATTERN[start : start + size] + _PATTERN)[:size] if size <= len(_PATTERN) else b""

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, how: str) -> str:
        code = None
        try:
            while True:
                if self._random.random() < 0.02:
                    await asyncio.sleep(self._random.uniform(0, 2))
                if self._raw:
                    content = await reader.read(1 << 16)
                    if not content:
                        break
                else:
                    opcode, content = await read_frame(reader)
                    if opcode == CLOSE:
                        code = int.from_bytes(content[:2], "big")
                        self._until = 0
                        if code == _GOING_AWAY:
                            with contextlib.suppress(OSError, RuntimeError):  # its own side may have ended
                                self._say_close(writer, content)
                        continue
                    self._soak.messages += 1
                self._check(content)
        except asyncio.IncompleteReadError as error:
            if error.partial and how != "reset" and not self._may_be_cut():
                raise WrongError("the connection ended within a frame") from None
        return self._judge(how, code)

    def _check(self, content: bytes) -> None:
        if content != self._at(self._received, len(content)):
            raise WrongError(f"byte {self._received} or one behind it is another than was sent")
        self._received += len(content)
        self._soak.carried += len(content)

    def _judge(self, how: str, code: int | None) -> str:
        if code == _GOING_AWAY:
            if self._path == "changing" and self._changes != self._soak.changes:
                return "1001"
            raise WrongError("closed with 1001 on a route that did not change")
        if how == "reset" and time.monotonic() >= self._until:
            return how
        if self._may_be_cut():
            return "died with the upstream"
        if self._received != self._sent:
            raise WrongError(f"{how}: not everything came back; {self.told()}")
        return how
