"""One message on many connections: encoded once, written as often as there are clients that read.

Autobahn's ``sendMessage`` makes a frame for each connection. Nothing in a server's frame depends on the connection
unless it compresses with a state of its own (RFC 7692 section 7.1.1.1, context takeover), so one will do. Whatever
makes a connection's frames different, or lets the application see how they are made, leads to its ``sendMessage``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autobahn.twisted.websocket import WebSocketServerProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from upgradegw.protocols.websocket.compression import Deflate
from upgradegw.protocols.websocket.counts import count_sent
from upgradegw.protocols.websocket.framing import BINARY, COMPRESSED, FIN, TEXT, message_frame
from upgradegw.protocols.websocket.observing import SENDING
from upgradegw.protocols.websocket.watch import OPEN
from upgradegw.transports import plain_socket, send_at_once

_log = Logger(namespace="upgradegw.websocket")

#: No piece of a message has been sent that needs another.
_GROUND: int = WebSocketServerProtocol.SEND_STATE_GROUND

#: Bytes that a message takes beside its content while it waits, roughly: else empty ones would cost nothing.
_ENTRY = 64


class Broadcast:
    """A message on its way to many connections."""

    def __init__(self, message: str | bytes, *, close_slow: bool) -> None:
        """Take a message.

        Args:
            message: Text or bytes.
            close_slow: Whether clients that do not read are closed, or only left out.

        Raises:
            TypeError: It is neither.
            UnicodeEncodeError: The text holds lone surrogates.
        """
        if not isinstance(message, str | bytes):
            raise TypeError(f"a message is str (text) or bytes (binary), not {type(message).__name__}")
        self._is_binary = isinstance(message, bytes)
        # Autobahn takes no subclass of bytes.
        self._content = bytes(message) if isinstance(message, bytes) else message.encode("utf-8")
        self._close_slow = close_slow
        self._octet = FIN | (BINARY if self._is_binary else TEXT)
        self._plain = message_frame(self._content, self._octet)
        self._deflated: dict[tuple[int, int], tuple[bytes, int]] = {}

    def send(self, protocols: Iterable[Any]) -> int:
        """Send to protocols that are open; return to how many. What one of them raises concerns it alone."""
        sent = 0
        for protocol in protocols:
            if protocol.state != OPEN:
                continue  # closed by what an earlier one did
            try:
                sent += self._send(protocol)
            except Exception:  # noqa: BLE001 - the application's: a method that it has overridden
                _give_up(protocol)
        return sent

    def _send(self, protocol: Any) -> bool:
        watch = protocol.upgradegw_watch
        writes = watch.writes
        protocol._upgradegw_flush()  # noqa: SLF001
        unsent = writes.unsent()
        if writes.over_limit(unsent):
            if self._close_slow:
                protocol.close_slow_reader()
            return False
        if protocol.send_state != _GROUND:
            return self._keep(protocol, watch)
        if _sends_plainly(protocol):
            compressor = protocol._perMessageCompress  # noqa: SLF001
            if compressor is None:
                self._write(protocol, unsent, self._plain, len(self._content))
                return True
            if type(compressor) is Deflate and compressor.server_no_context_takeover:
                self._write(protocol, unsent, *self._deflate(compressor))
                return True
        protocol.sendMessage(self._content, self._is_binary)
        return True

    def _keep(self, protocol: Any, watch: Any) -> bool:
        """Keep the message until the one that is being sent has ended; within the same limit as what is unsent."""
        limit = watch.policy.max_unsent
        if watch.pending is None:
            watch.pending, watch.pending_size = [], 0
        if limit is not None and watch.pending_size > limit:
            if self._close_slow:
                # A Close frame would be taken for a piece of the message.
                protocol.drop_slow_reader(f"more than {limit} bytes wait for the end of a message")
            return False
        watch.pending.append((self._content, self._is_binary))
        watch.pending_size += len(self._content) + _ENTRY
        return True

    def _deflate(self, compressor: Any) -> tuple[bytes, int]:
        """Return the frame for a compressor that starts anew with each message, and the size of its content."""
        parameters = (compressor.server_max_window_bits, compressor.mem_level)
        made = self._deflated.get(parameters)
        if made is None:
            compressor.start_compress_message()
            content = compressor.compress_message_data(self._content) + compressor.end_compress_message()
            made = message_frame(content, self._octet | COMPRESSED), len(content)
            self._deflated[parameters] = made
        return made

    def _write(self, protocol: Any, unsent: int, frame: bytes, size: int) -> None:
        """Write a frame and count what ``sendMessage`` would count."""
        stats = protocol.trafficStats
        count_sent(stats, size, len(self._content))
        if not unsent and not protocol.triggered and not protocol.logOctets:
            connected = plain_socket(protocol.transport)
            sent = 0 if connected is None else send_at_once(connected, frame)
            if sent:
                stats.outgoingOctetsWireLevel += sent
                frame = frame[sent:]
        if frame:
            protocol.sendData(frame)


def _sends_plainly(protocol: Any) -> bool:
    """Tell whether the frames of a protocol are like everybody's, and nobody wants to see how they are made."""
    return bool(
        protocol.upgradegw_sends_plainly
        and not protocol.autoFragmentSize
        and not protocol.maskServerFrames
        and not protocol.logFrames
        and not protocol.trackedTimings
        and vars(protocol).keys().isdisjoint(SENDING)
    )


def _give_up(protocol: Any) -> None:
    """Log what a connection raised and close it with 1011; drop it if that fails, too."""
    try:
        protocol._upgradegw_failed(Failure())  # noqa: SLF001
    except Exception:  # noqa: BLE001 - the application's
        _log.failure("the application failed while its connection was closed")
        protocol.dropConnection(abort=True)
