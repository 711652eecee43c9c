"""The content of a request, as a stream for resources that ask for one.

Most resources find the whole content in ``request.content``. A resource whose attribute ``streams_content`` is true is
rendered as soon as the head is there, and reads the content as it comes, with ``deliver_content``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from twisted.internet.interfaces import IProtocol, IPushProducer
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from zope.interface import implementer

from upgradegw.negotiation.reasons import Reason

#: Methods whose requests say that they have no content, if they have none (RFC 9110 section 8.6).
EXPECT_CONTENT = frozenset((b"PATCH", b"POST", b"PUT"))


def deliver_content(request: Any, protocol: IProtocol) -> None:
    """Give a request's content to a protocol, streamed or not: works in every Site.

    The protocol gets ``makeConnection`` with something that can be paused and resumed, ``dataReceived``, and at the
    end ``connectionLost`` with ``ResponseDone`` (as in ``IResponse.deliverBody``), or with ``PotentialDataLoss`` if
    content is missing.

    Args:
        request: The request that is being rendered.
        protocol: Who reads.
    """
    content = request.content
    if not isinstance(content, ContentStream):
        whole = content.read()
        content = ContentStream(lambda: None, lambda _flow: None)
        content.receive(whole)
        content.finish()
    content.deliverBody(protocol)


@implementer(IPushProducer)
class ContentStream:
    """Content that is still arriving; stands in ``request.content``.

    Attributes:
        complete: Whether all of it has arrived.
        waiting: Bytes that have arrived and that nobody has read.
        refused: Status, reason and detail of what is wrong with content that is cut off here; None if the client left.
    """

    #: Bytes that may wait before the connection stops reading, as much as a transport reads at once.
    HIGH_WATER = 64 * 1024

    def __init__(
        self,
        wanted: Callable[[], None],
        flow: Callable[[bool], None],
        consumed: Callable[[], None] | None = None,
    ) -> None:
        """Wait for a reader.

        Args:
            wanted: Called when the content is wanted, before it is delivered.
            flow: Called with whether more may come, when that changes.
            consumed: Called when ``waiting`` has become less.
        """
        self.complete = False
        self.waiting = 0
        self.refused: tuple[int, Reason, str] | None = None
        self._wanted = wanted
        self._flow = flow
        self._consumed = consumed
        self._flowing = True
        self._pieces: list[bytes] = []
        self._protocol: IProtocol | None = None
        self._paused = False
        self._end: Failure | None = None
        self._closed = False

    # --- For the resource.

    def deliverBody(self, protocol: IProtocol) -> None:
        """Give the content to a protocol, once.

        Args:
            protocol: Who reads; see ``deliver_content``.

        Raises:
            RuntimeError: It has been given to one already, or the request is over.
        """
        if self._protocol is not None or self._closed:
            raise RuntimeError("the content has a reader already, or the request is over")
        self._protocol = protocol
        self._wanted()
        protocol.makeConnection(self)  # type: ignore[arg-type]
        self._pass_on()

    def pauseProducing(self) -> None:
        """Deliver nothing for now."""
        self._paused = True

    def resumeProducing(self) -> None:
        """Deliver again."""
        self._paused = False
        self._pass_on()

    def stopProducing(self) -> None:
        """Deliver nothing any more."""
        self.close()

    # --- For the channel.

    def receive(self, data: bytes) -> None:
        """Take content that has arrived."""
        if data and not self._closed:
            self._pieces.append(data)
            self.waiting += len(data)
            self._pass_on()

    def finish(self) -> None:
        """All of it has arrived."""
        self.complete = True
        self._stop(Failure(ResponseDone()))

    def fail(self, refused: tuple[int, Reason, str] | None = None) -> None:
        """The rest will not come.

        Args:
            refused: Status, reason and detail, where it is we who will not have it.
        """
        self.refused = refused
        self._stop(Failure(PotentialDataLoss()))

    def _stop(self, end: Failure) -> None:
        if self._end is None:
            self._end = end
            self._pass_on()

    def _pass_on(self) -> None:
        """Deliver what may be delivered, and say whether more may come; the reader may pause or stop in between."""
        waited = self.waiting
        while self._protocol is not None and self._pieces and not self._paused:
            piece = self._pieces.pop(0)
            self.waiting -= len(piece)
            self._protocol.dataReceived(piece)
        if self._protocol is not None and self._end is not None and not self._pieces and not self._paused:
            protocol, self._protocol, self._closed = self._protocol, None, True
            protocol.connectionLost(self._end)
        flowing = self._closed or self.waiting < self.HIGH_WATER
        if flowing != self._flowing:
            self._flowing = flowing
            self._flow(flowing)
        if self._consumed is not None and self.waiting < waited:
            self._consumed()

    # --- The part of a file that twisted.web asks for.

    def tell(self) -> int:
        """Say that nothing has been stored."""
        return 0

    def seek(self, position: int, whence: int = 0) -> int:
        """Stay where we are: there is only the beginning."""
        return position + whence

    def read(self, size: int = -1) -> NoReturn:
        """Refuse; streamed content cannot be waited for."""
        raise OSError(f"content is streamed: use deliver_content (read of {size})")

    def close(self) -> None:
        """Want no more; called by twisted.web at the end of the request."""
        self._closed = True
        self._protocol = None
        self._pieces.clear()
        self.waiting = 0
        self._pass_on()
        if self._consumed is not None:
            self._consumed()
