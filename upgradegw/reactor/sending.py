"""The half of a connection that sends: gathering, flow control, and ends that wait for what is unsent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from upgradegw.reactor.streams import Streams

#: Octets up to which pieces are copied together: below, one ``write`` costs less than the vectors of ``writev``.
_JOINED = 65536

#: Octets up to which a piece is sent together with those of others, which copies it.
_BATCHED = 4096


def half_closeable_of(protocol: Any) -> Any:
    """Return what is told of half-closes, or None: the protocol or, as Twisted has it, an adapter."""
    # Adapting takes longer than all else that closing needs.
    return protocol if IHalfCloseableProtocol.providedBy(protocol) else IHalfCloseableProtocol(protocol, None)


class Sending:
    """What is written waits in ``_out`` until the event is over, and while uvloop could not send all, until it has.

    uvloop's limits are both 0: ``pause_writing`` says that something is left, ``resume_writing`` that nothing is.

    Attributes:
        protocol: Who gets what is read; may be replaced at any time.
        connected: 1 between ``connection_made`` and the loss, as in Twisted.
        disconnecting: 1 once ``loseConnection`` was called.
        disconnected: 1 once the protocol was told of the loss.
        producer: Who writes, and is told when to stop.
        streamingProducer: Whether it writes without being asked.
        producerPaused: Whether it has been told to stop.
        TLS: Whether ``startTLS`` put TLS between this and the application.
        descriptor: The socket's, where it is read from in turns, otherwise -1.
        batched: What is sent at the end of this turn, before all else.
    """

    __slots__ = (
        "TLS",
        "__dict__",
        "__weakref__",
        "_blocked",
        "_called_soon",
        "_ending_write",
        "_on_sent",
        "_out",
        "_ready",
        "_size",
        "_streams",
        "_transport",
        "_write_ended",
        "batched",
        "connected",
        "descriptor",
        "disconnected",
        "disconnecting",
        "producer",
        "producerPaused",
        "protocol",
        "streamingProducer",
    )

    log = Logger()

    #: Octets of unsent data above which a streaming producer is paused, the same as in Twisted.
    bufferSize = 65536

    def __init__(self, streams: Streams) -> None:
        self.TLS = False
        self.connected = self.disconnected = self.disconnecting = 0
        self.producer: Any = None
        self.streamingProducer = self.producerPaused = False
        self.protocol: Any = None
        self._streams = streams
        self._transport: Any = None
        self._out: list[bytes] | None = None
        self._size = 0  # octets in _out, and those that uvloop had left when it blocked
        self._ready = False  # whether write() is sending, and nothing else: connected, no TLS, not half-closed
        self._blocked = False  # uvloop has something left
        self._called_soon = False  # _sent is about to be called
        self._on_sent = False  # something is to be done when all is sent
        self._ending_write = self._write_ended = False
        self.descriptor = -1
        self.batched: bytes | None = None

    # --- Writing.

    def write(self, data: bytes) -> None:
        """Send octets, when this event is over.

        Raises:
            TypeError: They are no ``bytes``.
        """
        if type(data) is not bytes and not isinstance(data, bytes):
            raise TypeError("Data must be bytes")
        if not self._ready:
            if self.TLS and self.connected:
                self.protocol.write(data)
            return
        if data:
            self._gather(data)

    def write_at_once(self, data: bytes) -> None:
        """Send octets now, unless something is before them: for who has gathered all that he has to send."""
        if self._ready and self._out is None and not self._blocked and self.producer is None and self.batched is None:
            batch = self._streams.batch
            if batch is None or self.descriptor < 0 or type(data) is not bytes or len(data) > _BATCHED:
                self._transport.write(data)
            else:
                self.batched = data
                batch.append(self)
        else:
            self.write(data)

    def send_rest(self, data: bytes) -> None:
        """Send what the system has not taken at the end of the turn."""
        # Also where TLS has begun meanwhile: this stands before it.
        if self._transport is not None and not self._write_ended:
            self._transport.write(data)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Send pieces in one."""
        if self.TLS:
            if self.connected:
                self.protocol.writeSequence(iovec)
            return
        try:
            data = b"".join(iovec)
        except TypeError:
            raise TypeError("Data must be bytes") from None
        self.write(data)

    def send_below_tls(self, data: bytes) -> None:
        """Send what the TLS of ``startTLS`` has made."""
        if data and self.connected and not self._write_ended:
            self._gather(data)

    def _gather(self, data: bytes) -> None:
        if self._out is None:
            self._out = [data]
            if not self._blocked:
                self._streams.outbox.add(self)
        else:
            self._out.append(data)
        self._size += len(data)
        if self._size > self.bufferSize and self.producer is not None and self.streamingProducer:
            self.producerPaused = True
            self.producer.pauseProducing()

    def flush(self) -> None:
        """Give uvloop what was gathered; the outbox calls this when the event is over."""
        if self._blocked or self._transport is None:
            return
        out = self._out
        if out is not None:
            self._out = None
            if len(out) == 1:
                self._transport.write(out[0])
            elif self._size <= _JOINED:
                self._transport.write(b"".join(out))
            else:
                self._transport.writelines(out)
            if self._blocked:
                return
            self._size = 0
        if self.producerPaused or self._on_sent:
            self._sent_soon()

    def pause_writing(self) -> None:
        """The system did not take all (uvloop calls this, from within ``write``)."""
        self._blocked = True
        self._size = self._transport.get_write_buffer_size()

    def resume_writing(self) -> None:
        """The system has taken all."""
        self._blocked = False
        self._size = sum(map(len, self._out)) if self._out is not None else 0
        if self._out is not None:
            self.flush()
        elif self.producerPaused or self._on_sent:
            self._sent()

    @property
    def unsent(self) -> int:
        """Octets that were written and that the system has not taken."""
        gathered = sum(map(len, self._out)) if self._out is not None else 0
        gathered += len(self.batched) if self.batched is not None else 0
        return gathered + (self._transport.get_write_buffer_size() if self._transport is not None else 0)

    # --- What happens when all is sent.

    def _sent_soon(self) -> None:
        if self.disconnecting and self.producer is None:
            self._transport.close()  # nothing can come in between
        elif not self._called_soon:
            # A producer is called from the loop and not from within its own write, which would never end.
            self._called_soon = True
            self._streams.loop.call_soon(self._sent)

    def _sent(self) -> None:
        """All is sent: ask for more, or close, in the order of Twisted's ``FileDescriptor.doWrite``."""
        self._called_soon = False
        if self.disconnected or self._blocked or self._out is not None:
            return
        producer = self.producer
        if producer is not None and (not self.streamingProducer or self.producerPaused):
            self.producerPaused = False
            try:
                producer.resumeProducing()
            except BaseException:  # noqa: BLE001 - whatever it is, it must not end the reactor
                self.fail("a producer could not resume")
        elif self.disconnecting:
            self._transport.close()
        elif self._ending_write and not self._write_ended:
            self._end_write()

    # --- Ends.

    def loseConnection(self) -> None:
        """Close when all is sent and the producer has ended."""
        if self.TLS:
            if self.connected and not self.disconnecting:
                self.protocol.loseConnection()
            return
        self.lose_below_tls()

    def lose_below_tls(self) -> None:
        """Close the stream that carries TLS, or that carries none."""
        if not self.connected or self.disconnecting:
            return
        self.stop_reading()
        if self._write_ended:
            self.lose_at_once()
            return
        self.disconnecting = 1
        self._on_sent = True
        if not self._blocked:
            self._streams.outbox.add(self)

    def loseWriteConnection(self) -> None:
        """Send FIN when all is sent; reading goes on."""
        if not self.connected or self._ending_write:
            return
        self._ending_write = True
        self._on_sent = True
        if not self._blocked:
            self._streams.outbox.add(self)

    def _end_write(self) -> None:
        self._ready = False
        self._write_ended = True
        self._transport.write_eof()
        half_closeable = half_closeable_of(self.protocol)
        if half_closeable is None:
            return
        try:
            half_closeable.writeConnectionLost()
        except BaseException:  # noqa: BLE001 - the protocol is told, and the reactor goes on
            self.fail("writeConnectionLost failed")

    # --- The rest of the connection.

    def stop_reading(self) -> None:
        """Let nobody read."""
        raise NotImplementedError

    def fail(self, what: str) -> None:
        """Log the exception that is being handled, and lose the connection because of it."""
        raise NotImplementedError

    def lose_at_once(self, reason: Failure | None = None) -> None:
        """Tell the protocol now that the connection is lost."""
        raise NotImplementedError
