"""Sending: the short way for common messages, Autobahn's own for all others, and a look at clients that do not read."""

from __future__ import annotations

from typing import Any

from autobahn.twisted.websocket import WebSocketServerProtocol

from upgradegw.protocols.websocket.counts import Counts, count_sent
from upgradegw.protocols.websocket.framing import BINARY, COMPRESSED, FIN, HEADS, SHORT, TEXT, message_frame
from upgradegw.protocols.websocket.gathering import Gathering
from upgradegw.protocols.websocket.observing import Observed
from upgradegw.protocols.websocket.watch import OPEN, Watch
from upgradegw.protocols.websocket.writing import HIGH_WATER

_TEXT, _BINARY = FIN | TEXT, FIN | BINARY


class Sending(Gathering, Observed):
    """Hooks in where the application and Autobahn send."""

    def sendMessage(self, payload: bytes, *args: Any, **kwargs: Any) -> None:
        """Send a message. The limit is about those received; Autobahn would apply it here, and to compressed sizes."""
        limit = self.maxMessagePayloadSize
        if not limit or (len(payload) <= limit and self._perMessageCompress is None):
            super().sendMessage(payload, *args, **kwargs)
            return
        self.maxMessagePayloadSize = 0
        try:
            super().sendMessage(payload, *args, **kwargs)
        finally:
            self.maxMessagePayloadSize = limit

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        """Write, and watch whether the client reads."""
        writes = self.upgradegw_watch.writes
        if writes is not None:
            writes.burst += len(data)
            if writes.burst > HIGH_WATER:
                self._upgradegw_flush()
                writes.swell(len(data))
        self._upgradegw_send(data, sync, chopsize)

    def endMessage(self) -> None:
        """End a message that was sent piece by piece, and send what was broadcast meanwhile."""
        super().endMessage()
        pending, self.upgradegw_watch.pending = self.upgradegw_watch.pending, None
        for payload, is_binary in pending or ():
            if self.state == OPEN:
                self.sendMessage(payload, is_binary)

    # --- Producers of the application's.

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Register a producer of the application's."""
        writes = self.upgradegw_watch.writes
        if writes is None:
            raise RuntimeError("a producer can be registered when the connection is open, not in onConnect")
        self._upgradegw_flush()
        writes.register(producer, streaming)

    def unregisterProducer(self) -> None:
        """Unregister the application's producer; before the opening the transport is not ours to touch."""
        writes = self.upgradegw_watch.writes
        if writes is not None:
            self._upgradegw_flush()
            writes.unregister()


class ShortSending(Sending):
    """The short way, over a class that sends as Autobahn does."""

    def sendMessage(
        self,
        payload: bytes,
        isBinary: bool = False,
        fragmentSize: int | None = None,
        sync: bool = False,
        doNotCompress: bool = False,
    ) -> None:
        """Send a message, as ``IWebSocketChannel.sendMessage`` has it."""
        watch = self.upgradegw_watch
        if watch.attributes != len(watch.names):
            self._upgradegw_look()
        if (
            type(payload) is not bytes
            or (isBinary is not True and isBinary is not False)
            or fragmentSize is not None
            or sync is not False
            or doNotCompress is not False
            or self.state != OPEN
            or not (watch.sending_settled or self._upgradegw_sends())
        ):
            super().sendMessage(payload, isBinary, fragmentSize, sync, doNotCompress)
            return
        octet, stats, size = _BINARY if isBinary else _TEXT, self.trafficStats, len(payload)
        if self._perMessageCompress is not None:
            content = size
            payload, octet, size = self._upgradegw_deflate(payload, octet)
            count_sent(stats, size, content)
        elif type(stats) is Counts:
            stats.octets_out += size
            stats.messages_out += 1
        else:
            count_sent(stats, size, size)
        if size < SHORT:
            frame = HEADS[octet][size] + payload
            size += 2
        else:
            frame = message_frame(payload, octet)
            size = len(frame)
        writes, gathered = watch.writes, watch.gathered
        if gathered is None or writes is None or writes.burst + size > HIGH_WATER:
            self._upgradegw_write(watch, frame)
        else:
            writes.burst += size
            stats.outgoingOctetsWireLevel += size
            gathered.append(frame)

    def _upgradegw_write(self, watch: Watch, frame: bytes) -> None:
        """Write a frame, or keep it until all that was read is worked off."""
        size = len(frame)
        writes: Any = watch.writes
        writes.burst += size
        if writes.burst > HIGH_WATER:
            self._upgradegw_flush()
            writes.swell(size)
            if self.state != OPEN:
                return  # dropped, because it does not read
        # Before the write, which may find the buffer full and look at how much has been sent.
        self.trafficStats.outgoingOctetsWireLevel += size
        gathered = watch.gathered
        if gathered is None:
            self.__dict__["transport"].write(frame)
        else:
            gathered.append(frame)

    def _upgradegw_deflate(self, content: bytes, octet: int) -> tuple[bytes, int, int]:
        """Return a message compressed, its first octet and its size."""
        compressor = self._perMessageCompress
        compressor.start_compress_message()
        compressed = compressor.compress_message_data(content) + compressor.end_compress_message()
        return compressed, octet | COMPRESSED, len(compressed)


def send(self: Any, data: bytes, sync: bool, chopsize: int | None) -> None:
    """Autobahn's ``sendData`` without the text that it makes for a debug log at each write."""
    if sync or chopsize or self.triggered or self.logOctets:
        WebSocketServerProtocol.sendData(self, data, sync, chopsize)
        return
    if self.state == OPEN:
        # Before the write, which may find the buffer full and look at how much has been sent.
        self.trafficStats.outgoingOctetsWireLevel += len(data)
    gathered = self.upgradegw_watch.gathered
    if gathered is not None:
        gathered.append(data)
    else:
        self.__dict__["transport"].write(data)
