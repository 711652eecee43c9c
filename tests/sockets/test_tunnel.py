"""A tunnel through the gateway on real sockets, where pieces go straight from one to the other."""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
from collections.abc import Callable
from hashlib import sha256
from threading import Thread
from typing import Any

from twisted.internet import endpoints, reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from tests.memory import upgrade_request
from upgradegw.proxy import pump
from upgradegw.proxy.resource import ProxyResource
from upgradegw.proxy.turning import PlainTurn, Turn
from upgradegw.web.site import UpgradeSite

SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"
#: The key and the proof of RFC 6455 section 1.3.
WEBSOCKET = (
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
WEBSOCKET_SWITCH = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)
BLOCK = bytes(range(251)) * 4180  # about 1 MiB, and no multiple of any buffer

#: Closes with a reset (SO_LINGER with no time).
RESET = struct.pack("ii", 1, 0)


class Joined:
    """A client's socket and an upstream's, joined by the gateway; used in a thread, where waiting is no harm."""

    def __init__(self, port: int, listener: socket.socket, request: bytes, switch: bytes) -> None:
        self.client = socket.create_connection(("127.0.0.1", port), 10)
        self.client.sendall(request)
        self.upstream, _ = listener.accept()
        self.upstream.settimeout(10)
        self.read_head(self.upstream)
        self.upstream.sendall(switch)
        self.read_head(self.client)

    @staticmethod
    def read_head(sock: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += sock.recv(1)

    def talk(self, messages: int) -> bool:
        """Send small pieces to and fro, and tell whether each arrives without waiting for another."""
        for number in range(messages):
            message = b"%d" % number
            for sender, receiver in ((self.client, self.upstream), (self.upstream, self.client)):
                sender.sendall(message)
                if receiver.recv(100) != message:
                    return False
        return True

    def close(self) -> None:
        self.client.close()
        self.upstream.close()


def read_all(sock: socket.socket) -> bytes:
    """Read up to the end."""
    pieces = []
    while piece := sock.recv(100_000):
        pieces.append(piece)
    return b"".join(pieces)


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


class TunnelTests(TestCase):
    """One gateway, one upstream."""

    timeout = 60

    def setUp(self) -> Any:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(10)
        port = self.listener.getsockname()[1]
        self.resource = ProxyResource(f"http://127.0.0.1:{port}", upgrades=["echo", "websocket"])
        self.site = UpgradeSite(self.resource)
        endpoint = endpoints.serverFromString(reactor, "tcp:0:interface=127.0.0.1")
        return endpoint.listen(self.site).addCallback(self._listening)

    def _listening(self, port: Any) -> None:
        self.port = port

    def tearDown(self) -> Any:
        self.listener.close()
        self.resource.close()
        return Deferred.fromCoroutine(self._close())

    async def _close(self) -> None:
        await self.port.stopListening()
        await self.site.drain(2)

    async def join(
        self, scenario: Callable[[Joined], Any], request: bytes = upgrade_request(), switch: bytes = SWITCH
    ) -> Any:
        """Play a scenario in a thread."""

        def play() -> Any:
            joined = Joined(self.port.getHost().port, self.listener, request, switch)
            try:
                return scenario(joined)
            finally:
                joined.close()

        return await deferToThread(play)

    async def test_both_directions_at_once(self) -> None:
        """Every byte arrives in order while both directions are full, and each ends by itself (A-32)."""

        def scenario(joined: Joined) -> list[str]:
            def send(sock: socket.socket, data: bytes) -> None:
                for at in range(0, len(data), 100_003):
                    sock.sendall(data[at : at + 100_003])
                sock.shutdown(socket.SHUT_WR)

            threads = [
                Thread(target=send, args=(joined.client, BLOCK * 4)),
                Thread(target=send, args=(joined.upstream, BLOCK[::-1] * 4)),
            ]
            for thread in threads:
                thread.start()
            found = [digest(read_all(sock)) for sock in (joined.upstream, joined.client)]
            for thread in threads:
                thread.join()
            return found

        assert await self.join(scenario) == [digest(BLOCK * 4), digest(BLOCK[::-1] * 4)]

    async def test_output_behind_a_half_close(self) -> None:
        """A-32: a client that has ended its side reads all that comes after (docker exec without -i)."""

        def scenario(joined: Joined) -> tuple[bytes, bytes]:
            joined.client.sendall(b"ls")
            joined.client.shutdown(socket.SHUT_WR)
            heard = read_all(joined.upstream)
            joined.upstream.sendall(BLOCK)
            joined.upstream.close()
            return heard, read_all(joined.client)

        assert await self.join(scenario) == (b"ls", BLOCK)

    async def _reset(self, who: str, other: str, *, messages: int = 0) -> None:
        def scenario(joined: Joined) -> str:
            assert joined.talk(messages)
            breaking, hearing = getattr(joined, who), getattr(joined, other)
            breaking.sendall(b"last words")
            assert hearing.recv(100) == b"last words"
            breaking.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            breaking.close()
            try:
                hearing.recv(100)
            except ConnectionResetError:
                return "reset"
            return "end"

        assert await self.join(scenario) == "reset"

    async def test_reset_by_the_client(self) -> None:
        """A-32: a RST comes out as a RST."""
        await self._reset("client", "upstream")

    async def test_reset_by_the_upstream(self) -> None:
        """A-32: in the other direction, too."""
        await self._reset("upstream", "client")

    async def test_resets_of_ends_that_have_talked(self) -> None:
        """A-32: the same where it is the pump that reads."""
        await self._reset("client", "upstream", messages=20)
        await self._reset("upstream", "client", messages=20)

    async def test_a_half_close_of_an_end_that_has_talked(self) -> None:
        """A-32: the other direction goes on, through the pump or not, and ends by itself."""

        def scenario(joined: Joined) -> tuple[bytes, bytes]:
            assert joined.talk(20)
            joined.upstream.sendall(b"bye")
            joined.upstream.shutdown(socket.SHUT_WR)
            heard = read_all(joined.client)
            joined.client.sendall(BLOCK)
            joined.client.close()
            return heard, read_all(joined.upstream)

        assert await self.join(scenario) == (b"bye", BLOCK)

    async def test_a_close_behind_the_present_frame(self) -> None:
        """Where the pump reads, a stopping gateway's Close stands between two frames, too (RFC 6455 section 5.5.1)."""
        begun: Deferred[None] = Deferred()

        def scenario(joined: Joined) -> tuple[bytes, bytes]:
            for number in range(20):
                message = b"\x82\x02%02d" % number
                joined.upstream.sendall(message)
                assert joined.client.recv(100) == message
            joined.upstream.sendall(b"\x82\x05half")
            heard = joined.client.recv(100)
            reactor.callFromThread(begun.callback, None)  # type: ignore[attr-defined]
            assert joined.upstream.recv(100).startswith(b"\x88\x82")
            joined.upstream.sendall(b"!\x82\x01?")
            joined.upstream.shutdown(socket.SHUT_WR)
            return heard, read_all(joined.client)

        playing = Deferred.fromCoroutine(self.join(scenario, WEBSOCKET, WEBSOCKET_SWITCH))
        await begun
        draining = self.site.drain(5)
        assert await playing == (b"\x82\x05half", b"!\x88\x02\x03\xe9")
        await draining

    async def test_an_end_that_reads_late(self) -> None:
        """The other one has to wait: what the gateway holds has an end; all of it arrives in order later."""
        joined_ends: list[int] = []

        def scenario(joined: Joined) -> str:
            joined.client.settimeout(0.5)
            sent = 0
            with contextlib.suppress(TimeoutError):
                while sent < 64 << 20:
                    sent += joined.client.send(BLOCK[sent % len(BLOCK) :])
            joined_ends.append(sent)
            joined.client.shutdown(socket.SHUT_WR)
            return digest(read_all(joined.upstream))

        found = await self.join(scenario)
        (sent,) = joined_ends
        assert sent < 32 << 20  # what the kernel's buffers hold, and no more than a little
        whole = BLOCK * (sent // len(BLOCK) + 1)
        assert found == digest(whole[:sent])

    async def test_no_descriptor_for_the_pump(self) -> None:
        """A-40: while too many files are open for the pump's own, the transports read; it does as soon as it can."""
        made: list[Any] = []
        few = 3

        def open_one(size: int) -> Turn:
            made.append(None)
            if len(made) <= few:
                raise OSError(errno.EMFILE, "too many open files")
            return PlainTurn(size)

        self.patch(pump, "CompiledTurn", open_one)
        self.patch(pump, "PlainTurn", open_one)
        assert await self.join(lambda joined: joined.talk(40))
        assert len(made) == few + 1

    async def test_messages_one_by_one(self) -> None:
        """Small pieces arrive without waiting for one another."""
        assert await self.join(lambda joined: joined.talk(500))
