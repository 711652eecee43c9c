"""Rows on what a stop of the gateway means for those who are connected through it; each ends the gateway."""

from __future__ import annotations

import threading
import time

from tests.gateway import frames
from tests.gateway.rows import Front, Outcome, Row, came, request, row, switched, to, when_asked
from tests.gateway.upstream import Asked
from tests.gateway.wire import Wire

ROWS: list[Row] = []

GOING_AWAY = 1001


def closes(wire: Wire, *, masked: bool) -> str:
    """Read up to a Close, answer it, and say how the connection ended."""
    while heard := frames.read(wire):
        if heard.opcode == frames.CLOSE:
            wire.send(frames.frame(frames.CLOSE, heard.data[:2], masked=masked))
            return str(heard.code) if heard.masked != masked else f"{heard.code}, masked wrongly"
    return "EOF" if wire.ended else "waits"


def stops(front: Front, *, in_a_frame: bool) -> Outcome:
    """Open a WebSocket, ask the gateway to stop, and listen at both ends."""
    message = bytes(range(97, 123)) * 100
    sent = frames.frame(frames.BINARY, message)
    half, other = (sent[:500], sent[500:]) if in_a_frame else (sent, b"")
    go_on = threading.Event()

    def answer(wire: Wire, asked: Asked) -> None:
        key = asked.head.all("sec-websocket-key")[0]
        wire.send(switched(*to("websocket", f"Sec-WebSocket-Accept: {frames.accept_for(key)}"), data=half))
        go_on.wait(5)
        wire.send(other)
        front.upstream.tell(closes(wire, masked=False).encode())

    with front.ask(request("GET /", *frames.FIELDS), answer) as wire:
        head = wire.head()
        if head is None or head.status != 101:
            return Outcome(came(head), right=False)
        time.sleep(0.1)
        front.asks_for_a_stop()
        time.sleep(0.3)
        go_on.set()
        heard = frames.read(wire)
        whole = heard is not None and heard.data == message
        client = closes(wire, masked=True)
    upstream = (front.upstream.told() or b"waits").decode()
    right = whole and (client, upstream) == (str(GOING_AWAY), str(GOING_AWAY))
    word = client if client == upstream else f"{client} / {upstream}"
    return Outcome(word if whole else f"frame cut, {word}", right)


@row("stop, WebSocket open (client / upstream)", ROWS, ends_the_gateway=True)
def stop(front: Front) -> Outcome:
    """Close 1001 comes to both ends."""
    return stops(front, in_a_frame=False)


@row("stop in the middle of a frame", ROWS, ends_the_gateway=True)
def stop_in_a_frame(front: Front) -> Outcome:
    """The frame is completed first: what follows its half is not a Close, but its other half."""
    return stops(front, in_a_frame=True)


@row("stop, other tunnel: what is under way", ROWS, ends_the_gateway=True)
def stop_of_a_tunnel(front: Front) -> Outcome:
    """What has been sent before the stop arrives, and then an end."""

    def answer(wire: Wire) -> None:
        wire.send(bytes(65536))
        wire.rest()

    asked = request("GET /", "Connection: Upgrade", "Upgrade: tcp")
    with front.ask(asked, when_asked("tcp", then=answer)) as wire:
        head = wire.head()
        if head is None or head.status != 101:
            return Outcome(came(head), right=False)
        time.sleep(0.1)
        front.asks_for_a_stop()
        whole = len(wire.rest()) == 65536
        ended = wire.ended and not wire.reset
    return Outcome("end" if whole and ended else "lost" if not whole else "waits", whole and ended)
