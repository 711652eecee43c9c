"""Applications that note all that they are told, and do anything with a message that can be done."""

from __future__ import annotations

import json
import zlib
from typing import Any

from autobahn.twisted.websocket import WebSocketServerProtocol
from twisted.internet.defer import Deferred


class Recorder(WebSocketServerProtocol):
    """Notes each call with the counters at that time, and does what a message's content says."""

    acts = True

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Any] = []

    def note(self, name: str, *args: Any) -> None:
        self.calls.append((name, args, json.dumps(self.trafficStats.__json__()), self.state))

    def onOpen(self) -> None:
        self.note("open")

    def onMessage(self, payload: bytes, isBinary: bool) -> Any:
        self.note("message", payload, isBinary)
        if not self.acts:
            self.sendMessage(payload, isBinary)
            return None
        return ACTIONS[zlib.crc32(payload[:50]) % len(ACTIONS)](self, payload, isBinary)

    def onPing(self, payload: bytes) -> None:
        self.note("ping", payload)
        super().onPing(payload)

    def onPong(self, payload: bytes) -> None:
        self.note("pong", payload)

    def onClose(self, wasClean: bool, code: Any, reason: Any) -> None:
        self.note("close", wasClean, code, reason)


class Making(Recorder):
    """The same, with a beginning of its own: all of Autobahn's settings and state are on the protocol."""

    def connectionMade(self) -> None:
        super().connectionMade()


class Looking(Recorder):
    """The same, with a hook into a step of receiving and one of sending: it gets and sends all Autobahn's way."""

    def onMessageFrame(self, payload: Any) -> None:
        super().onMessageFrame(payload)

    def sendFrame(self, *args: Any, **kwargs: Any) -> None:
        super().sendFrame(*args, **kwargs)


def _echo(self: Recorder, payload: bytes, isBinary: bool) -> None:
    self.sendMessage(payload, isBinary)


def _twice(self: Recorder, payload: bytes, isBinary: bool) -> None:
    self.sendMessage(payload, isBinary)
    self.sendMessage(payload[::-1], isBinary=True)


def _pieces(self: Recorder, payload: bytes, isBinary: bool) -> None:
    self.sendMessage(payload, isBinary, fragmentSize=7)


def _stream(self: Recorder, payload: bytes, isBinary: bool) -> None:
    self.beginMessage(isBinary)
    self.sendMessageFrame(payload)
    self.endMessage()


def _large(self: Recorder, _payload: bytes, _isBinary: bool) -> None:
    self.sendMessage(bytes(70_000), isBinary=True)


def _ping(self: Recorder, payload: bytes, isBinary: bool) -> None:
    self.sendPing(payload[:9])
    self.sendMessage(payload, isBinary)


def _uncompressed(self: Recorder, payload: bytes, isBinary: bool) -> None:
    self.sendMessage(payload, isBinary, doNotCompress=True)


def _queued(self: Recorder, payload: bytes, isBinary: bool) -> None:
    self.sendMessage(payload, isBinary, sync=True)
    self.sendMessage(b"behind")


def _raw(self: Recorder, payload: bytes, isBinary: bool) -> None:
    self.sendMessage(payload, isBinary)
    self.transport.write(b"\x8a\x00")
    self.sendMessage(payload, isBinary)


def _close(self: Recorder, payload: bytes, isBinary: bool) -> None:
    self.sendMessage(payload, isBinary)
    self.sendClose(3000, "enough")


def _lose(self: Recorder, payload: bytes, isBinary: bool) -> None:
    self.sendMessage(payload, isBinary)
    self.transport.loseConnection()


def _abort(self: Recorder, payload: bytes, isBinary: bool) -> None:
    self.sendMessage(payload, isBinary)
    self.transport.abortConnection()


def _drop(self: Recorder, payload: bytes, isBinary: bool) -> None:
    self.sendMessage(payload, isBinary)
    self.dropConnection()


def _raise(self: Recorder, payload: bytes, isBinary: bool) -> None:
    self.sendMessage(payload, isBinary)
    raise RuntimeError("on purpose")


async def _fail(self: Recorder, payload: bytes, isBinary: bool) -> None:
    self.sendMessage(payload, isBinary)
    raise RuntimeError("on purpose")


def _defer(self: Recorder, payload: bytes, isBinary: bool) -> Deferred[None]:
    waiting: Deferred[None] = Deferred()
    waiting.addCallback(lambda _: self.sendMessage(payload, isBinary))
    self.factory.reactor.callLater(0, waiting.callback, None)
    return waiting


def _wrong_type(self: Recorder, payload: bytes, _isBinary: bool) -> None:
    try:
        self.sendMessage(payload.hex())
    except AssertionError as why:
        self.note("refused", str(why))


def _listen(self: Recorder, _payload: bytes, _isBinary: bool) -> None:
    self.on("message", lambda payload, is_binary: self.note("listener", payload, is_binary))


def _time(self: Recorder, _payload: bytes, _isBinary: bool) -> None:
    self.setTrackTimings(True)


def _log(self: Recorder, _payload: bytes, _isBinary: bool) -> None:
    self.logFrames = self.logOctets = True
    self.logRxFrame = lambda header, payload: self.note("frame", header.opcode, header.length, b"".join(payload))
    self.logTxOctets = lambda data, sync: self.note("octets", data, sync)


def _hook(self: Recorder, _payload: bytes, _isBinary: bool) -> None:
    begin = self.onMessageBegin

    def note(is_binary: bool) -> None:
        self.note("begin", is_binary)
        begin(is_binary)

    self.onMessageBegin = note


def _replace(self: Recorder, _payload: bytes, _isBinary: bool) -> None:
    send = self.sendData
    self.sendData = lambda data, *more, **options: (self.note("data", len(data)), send(data, *more, **options))


def _restore(self: Recorder, _payload: bytes, _isBinary: bool) -> None:
    for name in ("onMessageBegin", "sendData", "mark"):
        self.__dict__.pop(name, None)


def _mark(self: Recorder, payload: bytes, isBinary: bool) -> None:
    self.mark = payload
    self.sendMessage(payload, isBinary)


def _lower(self: Recorder, _payload: bytes, _isBinary: bool) -> None:
    self.maxMessagePayloadSize = 100


def _trust(self: Recorder, _payload: bytes, _isBinary: bool) -> None:
    self.utf8validateIncoming = False


def _fragment(self: Recorder, payload: bytes, isBinary: bool) -> None:
    self.autoFragmentSize = 11
    self.sendMessage(payload, isBinary)


def _broadcast(self: Recorder, payload: bytes, isBinary: bool) -> None:
    self.sendMessage(payload, isBinary)
    self.factory.upgrade.broadcast(payload)
    self.sendMessage(payload, isBinary)


ACTIONS: tuple[Any, ...] = (
    *(_echo,) * 60,
    *(_twice, _pieces, _stream, _large, _ping, _uncompressed) * 2,
    *(_queued, _raw, _defer, _wrong_type, _mark, _broadcast) * 2,
    *(_close, _lose, _abort, _drop, _raise, _fail),
    *(_listen, _time, _log, _hook, _replace, _restore, _restore, _lower, _trust, _fragment),
)


class Plain(Recorder):
    """Does nothing but echo, so that Autobahn alone can be asked for the same."""

    acts = False
