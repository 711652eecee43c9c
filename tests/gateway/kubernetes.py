"""A stand-in for the Kubernetes API: one pod, exec into it and its ports, over WebSocket and over SPDY/3.1.

A command in it says ``hello``, then gives back what it is told, and says ``bye`` when its input has ended; so does what
listens on each of its ports.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from tests.gateway import frames
from tests.gateway.spdy import Data, Opened, Session
from tests.gateway.upstream import Asked
from tests.gateway.wire import Wire

POD = "/api/v1/namespaces/default/pods/box"
STDIN, STDOUT, ERROR, CLOSE = 0, 1, 3, 255
WEBSOCKET, SPDY = "v5.channel.k8s.io", "v4.channel.k8s.io"
PORT_FORWARD, IN_WEBSOCKET = "portforward.k8s.io", "SPDY/3.1+portforward.k8s.io"
SUCCESS = json.dumps({"metadata": {}, "status": "Success"}).encode()
LATE = 0.15

_VERBS = ["create", "get", "list"]
_DOCUMENTS = {
    "/version": {"major": "1", "minor": "34", "gitVersion": "v1.34.0"},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [
            {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": _VERBS},
            {"name": "pods/exec", "namespaced": True, "kind": "PodExecOptions", "verbs": _VERBS},
        ],
    },
    POD: {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": "box", "namespace": "default"},
        "spec": {"containers": [{"name": "main", "image": "busybox"}]},
        "status": {"phase": "Running"},
    },
}


class Carried:
    """A WebSocket whose messages carry bytes, to be read and written like a connection."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._received = b""

    def take(self, count: int) -> bytes:
        """Return the next bytes, or the fewer that came before the Close."""
        while len(self._received) < count:
            heard = frames.read(self._wire)
            if heard is None or heard.opcode == frames.CLOSE:
                break
            self._received += heard.data
        data, self._received = self._received[:count], self._received[count:]
        return data

    def send(self, data: bytes) -> None:
        """Send a message."""
        self._wire.send(frames.frame(frames.BINARY, data))


class Kubernetes:
    """Answers requests as the API server does.

    Attributes:
        without_websocket: Refuses WebSockets, as an API server before 1.29 does; kubectl then asks for SPDY.
        used: The tokens that were switched to, in order.
    """

    def __init__(self) -> None:
        self.without_websocket = False
        self.used: list[str] = []

    def answer(self, wire: Wire, asked: Asked) -> bool:
        """Answer a request; tell whether the connection is good for another."""
        url = urlsplit(asked.head.target)
        if url.path not in {f"{POD}/exec", f"{POD}/portforward"}:
            found = _DOCUMENTS.get(url.path)
            return self._json(wire, found) if found else self._refuse(wire, 404, "NotFound")
        wanted, execute = parse_qs(url.query), url.path.endswith("exec")
        if asked.head.upgrades("websocket") and not self.without_websocket:
            self._open(wire, asked, WEBSOCKET if execute else IN_WEBSOCKET)
            _run_in_websocket(wire, wanted) if execute else _forward(Session(Carried(wire)))
        elif asked.head.upgrades("SPDY/3.1"):
            self._switch(wire, asked, SPDY if execute else PORT_FORWARD)
            _run_in_spdy(Session(wire), wanted) if execute else _forward(Session(wire))
        else:
            return self._refuse(wire, 400, "BadRequest")
        return False

    def _json(self, wire: Wire, value: object, status: str = "200 OK") -> bool:
        content = json.dumps(value).encode()
        fields = f"Content-Type: application/json\r\nContent-Length: {len(content)}"
        wire.send(f"HTTP/1.1 {status}\r\n{fields}\r\n\r\n".encode() + content)
        return True

    def _refuse(self, wire: Wire, code: int, reason: str) -> bool:
        status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code}
        words = f"Upgrade request required, or no such thing ({reason})"
        return self._json(wire, {**status, "reason": reason, "message": words}, status=f"{code} {reason}")

    def _open(self, wire: Wire, asked: Asked, subprotocol: str) -> None:
        self.used.append(f"websocket {asked.head.all('sec-websocket-protocol')[0]}")
        accept = frames.accept_for(asked.head.all("sec-websocket-key")[0])
        lines = "HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"
        lines += f"Sec-WebSocket-Accept: {accept}", f"Sec-WebSocket-Protocol: {subprotocol}"
        wire.send(("\r\n".join(lines) + "\r\n\r\n").encode())

    def _switch(self, wire: Wire, asked: Asked, version: str) -> None:
        self.used.append(f"SPDY/3.1 {' '.join(asked.head.all('x-stream-protocol-version'))}")
        lines = "HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: SPDY/3.1"
        wire.send(("\r\n".join((*lines, f"X-Stream-Protocol-Version: {version}")) + "\r\n\r\n").encode())


def _run_in_websocket(wire: Wire, wanted: dict[str, list[str]]) -> None:
    """Run a command: a message's first byte says which of its streams it is."""

    def say(channel: int, data: bytes) -> None:
        wire.send(frames.frame(frames.BINARY, bytes([channel]) + data))

    say(STDOUT, b"hello\n")
    while "stdin" in wanted and (heard := frames.read(wire)):
        if heard.opcode == frames.PING:
            wire.send(frames.frame(frames.PONG, heard.data))
        elif heard.data[:1] == bytes([STDIN]):
            say(STDOUT, heard.data[1:])
        elif heard.data == bytes([CLOSE, STDIN]):
            break
    _finish(lambda: say(STDOUT, b"bye\n"), lambda: say(ERROR, SUCCESS))
    wire.send(frames.frame(frames.CLOSE, (1000).to_bytes(2, "big")))
    frames.read(wire)


def _streams(session: Session, kinds: set[str]) -> dict[str, int] | None:
    """Accept streams until one of each kind is there; None if they do not come."""
    streams: dict[str, int] = {}
    while not kinds <= streams.keys():
        event = session.event()
        if event is None:
            return None
        if isinstance(event, Opened):  # else the end of the client's side of the stream for errors
            streams[event.fields["streamtype"]] = event.stream
            session.reply(event.stream)
    return streams


def _run_in_spdy(session: Session, wanted: dict[str, list[str]]) -> None:
    """Run a command: each of its streams is one of the session's."""
    kinds = {"error", *(kind for kind in ("stdin", "stdout", "stderr") if kind in wanted)}
    streams = _streams(session, kinds)
    if streams is None:
        return
    session.send(streams["stdout"], b"hello\n")
    while "stdin" in wanted and (event := session.event()):
        if isinstance(event, Data) and event.stream == streams["stdin"]:
            session.send(streams["stdout"], event.data)
            if event.final:
                break
    _finish(
        lambda: session.send(streams["stdout"], b"bye\n"),
        lambda: [session.send(streams[kind], b"", final=True) for kind in sorted(kinds & {"stdout", "stderr"})],
        lambda: session.send(streams["error"], SUCCESS, final=True),
    )
    while session.event():
        pass


def _forward(session: Session) -> None:
    """Talk on a port: a stream for errors, of which there are none, and one for data."""
    streams = _streams(session, {"error", "data"})
    if streams is None:
        return
    session.send(streams["data"], b"hello\n")
    while event := session.event():
        if isinstance(event, Data) and event.stream == streams["data"]:
            session.send(streams["data"], event.data)
            if event.final:
                break
    _finish(
        lambda: session.send(streams["error"], b"", final=True),
        lambda: session.send(streams["data"], b"bye\n", final=True),
    )
    while session.event():
        pass


def _finish(*last: Callable[[], object]) -> None:
    """Say the last words a while after the input has ended."""
    time.sleep(LATE)
    for say in last:
        say()
