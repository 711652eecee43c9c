"""One connection to an upstream: a request, its response, and again, until one side has enough or it is a tunnel."""

from __future__ import annotations

from socket import MSG_PEEK
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from upgradegw.negotiation.reasons import Reason
from upgradegw.proxy.exchange import ResponseHead, UpstreamError, UpstreamTunnel
from upgradegw.proxy.http1.holding import Holding
from upgradegw.proxy.http1.reading import ResponseReader
from upgradegw.proxy.http1.response import BadResponse
from upgradegw.proxy.http1.roles import Keeper, User
from upgradegw.transports import BorrowedSocket, bare_socket, is_bare, write_at_once


@implementer(IPushProducer)
class Http1Connection(Protocol):
    """Speaks HTTP/1.1 to an upstream; the producer, towards the transport, of a request's content.

    Attributes:
        bucket: Its place in the wheel.
        fresh: No request has been sent on it before the present one.
        blocked: Whether the transport is full.
        idle_until: When it is to be closed if no request comes.
    """

    transport: Any
    bucket = 0
    fresh = True
    blocked = False
    idle_until = 0.0
    _since = 0.0
    _exchange: User | None = None
    _paused = False
    _producing = False
    _gone = False

    def __init__(self, keeper: Keeper) -> None:
        """Belong to somebody.

        Args:
            keeper: Owns it.
        """
        self._keeper = keeper
        settings = keeper.settings
        self._reader = ResponseReader(self, settings.max_head, settings.max_interim)

    def connectionMade(self) -> None:
        """Begin to have deadlines."""
        self._since = self._keeper.now()
        self._keeper.wheel.hasten(self)

    # --- For an exchange.

    def is_quiet(self) -> bool:
        """Tell whether nothing has arrived that the reactor has not yet told of: a close, or bytes nobody asked for.

        Either makes an idle connection useless, and bytes would be taken for the response to the next request.
        """
        if not is_bare(self.transport):
            return True
        if getattr(self.transport, "has_undelivered", False):  # a reactor may read many before it delivers
            return False
        connected = bare_socket(self.transport)
        try:
            connected.recv(1, MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            pass
        finally:
            if isinstance(connected, BorrowedSocket):
                connected.close()
        return False

    def start(self, exchange: User, head_only: bool) -> None:
        """Let an exchange have the connection, which is idle.

        Args:
            exchange: The exchange.
            head_only: Whether its request is a HEAD.
        """
        self._exchange = exchange
        self._since = self._keeper.now()
        self._reader.begin(head_only)

    def send(self, data: bytes) -> None:
        """Send bytes of a request that is followed by content."""
        self._since = self._keeper.now()
        self.transport.write(data)

    def send_at_once(self, data: bytes) -> None:
        """Send a whole request."""
        write_at_once(self.transport, data)

    def produce(self, wanted: bool) -> None:
        """Hear, or no longer hear, from the transport when it is full and when it has room."""
        if wanted != self._producing and not self._gone:
            self._producing = wanted
            if wanted:
                self.transport.registerProducer(self, True)
            else:
                self.blocked = False
                self.transport.unregisterProducer()

    def pause(self, paused: bool) -> None:
        """Read no more of the response, or read on."""
        if paused != self._paused and not self._gone:
            self._paused = paused
            self._since = self._keeper.now()
            if paused:
                self.transport.pauseProducing()
            else:
                self.transport.resumeProducing()

    def give_up(self) -> None:
        """Nobody wants the rest of the response."""
        self._exchange = None
        self._reader.stop()
        self._abort()

    # --- For the transport.

    def dataReceived(self, data: bytes) -> None:
        """Read on in the response."""
        if self._exchange is None:
            # RFC 9112 section 9.2: what comes before a request is nobody's response.
            self._abort()
            return
        try:
            self._reader.feed(data)
        except BadResponse as error:
            self._fail(UpstreamError(Reason.UPSTREAM_BAD_RESPONSE, 502, str(error)))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection has ended: perhaps the end of a response, perhaps too early."""
        self._gone = True
        self._forget()
        exchange, reader = self._exchange, self._reader
        if exchange is None or (reason.check(ConnectionDone) and reader.end_of_input()):
            reader.release()
            return
        self._exchange = None
        untouched = reader.untouched
        reader.release()
        where = "before it answered" if untouched else "before its response was complete"
        words = f"it closed the connection {where}: {reason.getErrorMessage().rstrip('.')}"
        exchange.lost(UpstreamError(Reason.UPSTREAM_CLOSED, 502, words), unheard=untouched and not self.fresh)

    def pauseProducing(self) -> None:
        """The transport is full."""
        self.blocked = True
        self._since = self._keeper.now()
        self._user().flow(False)

    def resumeProducing(self) -> None:
        """The transport has room."""
        self.blocked = False
        self._since = self._keeper.now()
        self._user().flow(True)

    def stopProducing(self) -> None:
        """The connection is gone; ``connectionLost`` follows."""

    # --- For the reader, which reads only while there is an exchange.

    def got_interim(self, head: ResponseHead) -> None:
        """Pass an interim response on; the final one has its whole time again."""
        self._since = self._keeper.now()
        self._user().receiver.interim(head)

    def got_head(self, head: ResponseHead) -> None:
        """Pass the response's head on."""
        self._since = self._keeper.now()
        self._user().answered(head)

    def got_data(self, data: bytes) -> None:
        """Pass content on."""
        self._since = self._keeper.now()
        self._user().receiver.data(data)

    def got_end(self) -> None:
        """Let the connection go, and then tell of the end: who asks again may have it."""
        exchange, self._exchange = self._user(), None
        if not self._gone:
            if exchange.sent and self._reader.keep_alive:
                self._rest()
            else:
                self._abort()
        exchange.ended()

    def got_switch(self, head: ResponseHead, rest: bytes) -> None:
        """Stop speaking HTTP, if that was asked for."""
        exchange = self._user()
        wrong = exchange.wrong_switch()
        if wrong is not None:
            self._fail(UpstreamError(Reason.UPSTREAM_BAD_SWITCH, 502, wrong))
            return
        self._exchange = None
        self.produce(False)
        self._gone = True
        self._forget()
        self._reader.release()
        held = Holding(self.transport, paused=self._paused)
        exchange.switched(head, UpstreamTunnel(self.transport, rest, held.attach, held.resume))
        held.wait()

    # --- Its time.

    def deadline(self) -> float | None:
        """Return when the patience with it ends, in the wheel's seconds."""
        exchange = self._exchange
        if exchange is None:
            return self.idle_until
        if self._paused or not (exchange.sent or self.blocked):
            return None  # it is the client for whom we wait
        settings = self._keeper.settings
        seconds = settings.read_timeout if exchange.has_head else settings.response_timeout
        return None if seconds is None else self._since + seconds

    def expired(self) -> None:
        """The patience has ended."""
        exchange = self._exchange
        if exchange is None:
            self.close()
            return
        what = "the rest of its response" if exchange.has_head else "its response"
        if self.blocked:
            what = "its reading of the request"
        seconds = self._keeper.now() - self._since
        words = f"{what} was waited for in vain for {seconds:.0f} seconds"
        self._fail(UpstreamError(Reason.UPSTREAM_TIMEOUT, 504, words))

    # --- Ends.

    def close(self) -> None:
        """Close, in order, a connection that is idle."""
        self._gone = True
        self._forget()
        self.transport.loseConnection()

    def _user(self) -> User:
        assert self._exchange is not None  # noqa: S101 - for the type checker
        return self._exchange

    def _rest(self) -> None:
        """Be idle, and kept if somebody keeps it."""
        self.pause(False)
        self.fresh = False
        self._since = now = self._keeper.now()
        seconds = self._keeper.settings.idle_timeout
        said = self._reader.idle
        if said is not None:
            # What it says is when it closes; a request that is on its way then is lost, so we close a second earlier.
            seconds = min(seconds, said - 1)
        self.idle_until = now + seconds
        if seconds <= 0 or not self._keeper.put(self):
            self.close()
        elif said is not None:
            self._keeper.wheel.hasten(self)

    def _fail(self, error: UpstreamError) -> None:
        exchange, self._exchange = self._user(), None
        self._reader.stop()
        self._abort()
        exchange.failed(error)

    def _abort(self) -> None:
        if not self._gone:
            self.produce(False)
            self._gone = True
            self._forget()
            self.transport.abortConnection()

    def _forget(self) -> None:
        self._keeper.wheel.forget(self)
        self._keeper.lost(self)
