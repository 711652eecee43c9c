"""Rows on what has to get through when a token is asked for properly and given: every byte, both ways, to the end."""

from __future__ import annotations

import time

from tests.gateway import frames
from tests.gateway.rows import Front, Outcome, Row, came, echo, echoes, plain, request, row, switched, to, when_asked
from tests.gateway.upstream import Asked
from tests.gateway.wire import Wire

ROWS: list[Row] = []

#: What ``docker exec`` sends, 29 bytes.
EXEC = b'{"Detach":false,"Tty":false}\n'
EXEC_LINES = ("User-Agent: Docker-Client/28.2.2 (linux)", f"Content-Length: {len(EXEC)}", "Connection: Upgrade")
EXEC_LINES += ("Content-Type: application/json", "Upgrade: tcp")
RAW_STREAM = "Content-Type: application/vnd.docker.multiplexed-stream"


@row("POST tcp with content", ROWS)
def post_with_content(front: Front) -> Outcome:
    """The exact request of docker exec: its content reaches the upstream before the switch, as long as it says."""
    asked = request("POST /v1.50/exec/abc/start", *EXEC_LINES, content=EXEC)
    with front.ask(asked, when_asked("tcp", RAW_STREAM, phrase="UPGRADED", then=echo)) as wire:
        head, seen = wire.head(), front.upstream.asked()
        if head is None or head.status != 101:
            lost = seen is not None and not seen.head.upgrades()
            return Outcome(f"{'Upgrade lost, ' * lost}{came(head)}", right=False)
        whole = seen is not None and seen.content == EXEC
        kept = head.upgrades("tcp") and head.all("content-type") == [RAW_STREAM.partition(": ")[2]]
        passed = echoes(wire)
    wrong = [word for word, well in (("content", whole), ("fields", kept), ("bytes", passed)) if not well]
    return Outcome(f"101, {' and '.join(wrong)} lost" if wrong else "101", not wrong)


@row("reason `101 UPGRADED` kept", ROWS)
def reason_phrase(front: Front) -> Outcome:
    """Docker's reason phrase is passed on as it is."""
    asked = request("POST /v1.50/containers/abc/attach", "Connection: Upgrade", "Upgrade: tcp", "Content-Length: 0")
    with front.ask(asked, when_asked("tcp", phrase="UPGRADED", then=echo)) as wire:
        head = wire.head()
    kept = head is not None and head.status == 101 and head.phrase == "UPGRADED"
    return Outcome("yes" if kept else "no" if head and head.status == 101 else came(head), kept)


@row("half-close, late output", ROWS)
def half_close(front: Front) -> Outcome:
    """The client ends its side; what the upstream sends afterwards still arrives, and then its end."""

    def late(wire: Wire) -> None:
        front.upstream.tell(wire.rest() + b"|end" * wire.ended)
        time.sleep(0.15)
        wire.send(b"bye")

    with front.ask(request("GET /", "Connection: Upgrade", "Upgrade: tcp"), when_asked("tcp", then=late)) as wire:
        head = wire.head()
        if head is None or head.status != 101:
            return Outcome(came(head), right=False)
        wire.send(b"input")
        wire.end()
        output = wire.rest()
        told = front.upstream.told()
    if output != b"bye":
        return Outcome("cut", right=False)
    right = told == b"input|end" and wire.ended
    return Outcome("yes" if right else "no end", right)


@row("half-close by the upstream, late input", ROWS)
def half_close_by_the_upstream(front: Front) -> Outcome:
    """The upstream ends its side; what the client sends afterwards still arrives."""

    def ends_first(wire: Wire) -> None:
        wire.send(b"output")
        wire.end()
        front.upstream.tell(wire.rest())

    asked = request("GET /", "Connection: Upgrade", "Upgrade: tcp")
    with front.ask(asked, when_asked("tcp", then=ends_first)) as wire:
        head = wire.head()
        if head is None or head.status != 101:
            return Outcome(came(head), right=False)
        output = wire.rest()
        time.sleep(0.15)
        wire.send(b"late")
        wire.end()
        told = front.upstream.told()
    right = output == b"output" and told == b"late"
    return Outcome("yes" if right else "cut", right)


@row("reset passed on as reset", ROWS)
def reset(front: Front) -> Outcome:
    """A connection that the upstream resets does not look to the client as if it had ended well."""

    def breaks(wire: Wire) -> None:
        wire.take(2)
        wire.abort()

    asked = request("GET /", "Connection: Upgrade", "Upgrade: tcp")
    with front.ask(asked, when_asked("tcp", then=breaks)) as wire:
        head = wire.head()
        if head is None or head.status != 101:
            return Outcome(came(head), right=False)
        wire.send(b"go")
        wire.rest()
        return Outcome("yes" if wire.reset else "end" if wire.ended else "hangs", wire.reset)


@row("early data behind the handshake", ROWS)
def early_data(front: Front) -> Outcome:
    """A frame in the same segment as the request reaches the upstream behind the request."""
    early = frames.frame(frames.TEXT, b"early", masked=True)

    def takes(wire: Wire, asked: Asked) -> None:
        key = asked.head.all("sec-websocket-key")[0]
        wire.send(switched(*to("websocket", f"Sec-WebSocket-Accept: {frames.accept_for(key)}")))
        heard = frames.read(wire)
        wire.send(frames.frame(frames.TEXT, heard.data if heard else b"nothing"))

    with front.ask(request("GET /", *frames.FIELDS) + early, takes) as wire:
        head = wire.head()
        if head is None or head.status != 101:
            return Outcome(came(head), right=False)
        answer = frames.read(wire)
    right = answer is not None and answer.data == b"early"
    return Outcome("yes" if right else "lost", right)


@row("early data behind content", ROWS)
def early_data_behind_content(front: Front) -> Outcome:
    """What follows the content of a request that switches is the tunnel's first data."""
    asked = request("POST /exec/abc/start", *EXEC_LINES, content=EXEC + b"early")
    with front.ask(asked, when_asked("tcp", then=echo)) as wire:
        head = wire.head()
        if head is None or head.status != 101:
            return Outcome(came(head), right=False)
        right = wire.take(5) == b"early" and echoes(wire)
    return Outcome("yes" if right else "lost", right)


@row("early data behind the 101", ROWS)
def early_answer(front: Front) -> Outcome:
    """What the upstream sends in the same segment as its 101 reaches the client behind the 101."""

    def answer(wire: Wire, asked: Asked) -> None:
        if not asked.head.upgrades("tcp"):
            return plain(wire)
        wire.send(switched(*to("tcp"), data=b"early"))
        return echo(wire)

    with front.ask(request("GET /", "Connection: Upgrade", "Upgrade: tcp"), answer) as wire:
        head = wire.head()
        if head is None or head.status != 101:
            return Outcome(came(head), right=False)
        right = wire.take(5) == b"early" and echoes(wire)
    return Outcome("yes" if right else "lost", right)


@row("1 MiB each way, digest", ROWS)
def a_mebibyte(front: Front) -> Outcome:
    """More than any buffer holds gets through while both ends send."""
    whole = bytes(range(256)) * 4096

    def answer(wire: Wire) -> None:
        wire.send(whole)
        front.upstream.tell(wire.take(len(whole)))

    asked = request("GET /", "Connection: Upgrade", "Upgrade: tcp")
    with front.ask(asked, when_asked("tcp", then=answer)) as wire:
        head = wire.head()
        if head is None or head.status != 101:
            return Outcome(came(head), right=False)
        output = wire.take(len(whole))
        wire.send(whole)
        told = front.upstream.told()
    right = output == whole and told == whole
    return Outcome("yes" if right else "lost", right)
