"""Who writes to a connection, and is told when to stop and to go on."""

from __future__ import annotations

from typing import Any

from upgradegw.reactor.sending import Sending


class Producing(Sending):
    """A connection that takes producers, at most one at a time."""

    __slots__ = ()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """See ``IConsumer.registerProducer``."""
        if self.TLS:
            self.protocol.registerProducer(producer, streaming)
            return
        self.register_below_tls(producer, streaming)

    def register_below_tls(self, producer: Any, streaming: bool) -> None:
        """Register a producer of what is sent, encrypted or not.

        Raises:
            RuntimeError: There is one.
        """
        if self.producer is not None:
            raise RuntimeError(
                f"Cannot register producer {producer}, because producer {self.producer} was never unregistered."
            )
        if self.disconnected:
            producer.stopProducing()
            return
        self.producer = producer
        self.streamingProducer = streaming
        if not streaming:
            self._on_sent = True
            producer.resumeProducing()

    def unregisterProducer(self) -> None:
        """See ``IConsumer.unregisterProducer``."""
        if self.TLS:
            self.protocol.unregisterProducer()
            return
        self.unregister_below_tls()

    def unregister_below_tls(self) -> None:
        """Forget the producer; a connection that waited for it to end is closed now."""
        self.producer = None
        self.producerPaused = False
        self._on_sent = bool(self.disconnecting or self._ending_write)
        if self.connected and self.disconnecting:
            self._streams.outbox.add(self)
