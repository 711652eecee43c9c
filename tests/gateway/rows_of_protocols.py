"""Rows with the requests of real clients, field for field, and with the answers that their servers give."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from tests.gateway import frames
from tests.gateway.rows import (
    Front,
    Outcome,
    Row,
    came,
    echo,
    echoes,
    plain,
    request,
    row,
    switched,
    to,
    when_asked,
)
from tests.gateway.upstream import Answer, Asked, text
from tests.gateway.wire import Head, Wire

ROWS: list[Row] = []

#: Where a route has one of the lenient switches.
WITHOUT_CONNECTION, WITHOUT_KEY = "/without-connection", "/without-key"

VERSIONS = ("v5.channel.k8s.io", "v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io")
TLS_TOKENS = "TLS/1.3,TLS/1.2,TLS/1.1,TLS/1.0"

#: Looks at what the client got and what the upstream saw, and names what is wrong.
Check = Callable[[Head, Asked], list[str]]


def gets_through(front: Front, asked: bytes, answer: Answer, check: Check) -> Outcome:
    """Switch, look at both heads, and see that bytes pass."""
    with front.ask(asked, answer) as wire:
        head, seen = wire.head(), front.upstream.asked()
        if head is None or head.status != 101 or seen is None:
            return Outcome(came(head), right=False)
        wrong = check(head, seen)
        wrong += [] if echoes(wire) else ["bytes"]
    return Outcome(f"101, wrong: {', '.join(wrong)}" if wrong else "101", not wrong)


def wants(**wanted: object) -> list[str]:
    """Name what is not as it should be: each value is a pair of what came and what was wanted."""
    return [name for name, pair in wanted.items() if pair[0] != pair[1]]  # type: ignore[index]


def passes_on(front: Front, asked: bytes, answer: Answer, status: int, **fields: str) -> Outcome:
    """Get an answer that is no switch."""
    with front.ask(asked, answer) as wire:
        head = wire.head()
        content = wire.content(head) if head else b""
    if head is None or head.status != status:
        return Outcome(came(head), right=False)
    wrong = [name for name, value in fields.items() if head.all(name.replace("_", "-")) != [value]]
    wrong += [] if content == b"the answer" else ["content"]
    return Outcome(f"{status}, wrong: {', '.join(wrong)}" if wrong else str(status), not wrong)


@row("docker attach", ROWS)
def docker_attach(front: Front) -> Outcome:
    """As the docker command asks: with an empty content and its type."""
    lines = ("Connection: Upgrade", "Content-Length: 0", "Content-Type: text/plain", "Upgrade: tcp")
    asked = request("POST /v1.50/containers/abc/attach?stderr=1&stdin=1&stdout=1&stream=1", *lines)
    kind = "application/vnd.docker.raw-stream"
    answer = when_asked("tcp", f"Content-Type: {kind}", phrase="UPGRADED", then=echo)
    return gets_through(
        front,
        asked,
        answer,
        lambda head, _: wants(phrase=(head.phrase, "UPGRADED"), type=(head.all("content-type"), [kind])),
    )


def websocket_to(subprotocol: str) -> Answer:
    """Return what opens a WebSocket and chooses a subprotocol; what follows is sent back as it is."""

    def answer(wire: Wire, asked: Asked) -> None:
        keys = asked.head.all("sec-websocket-key")
        if not (asked.head.upgrades("websocket") and keys):
            return plain(wire)
        accept = f"Sec-WebSocket-Accept: {frames.accept_for(keys[0])}"
        wire.send(switched(*to("websocket", accept, f"Sec-WebSocket-Protocol: {subprotocol}")))
        return echo(wire)

    return answer


def kubectl_websocket(front: Front, target: str, offered: str, chosen: str) -> Outcome:
    """A WebSocket whose subprotocol says what Kubernetes speaks in it."""
    asked = request(
        f"GET {target}", "User-Agent: kubectl/v1.32.4", *frames.FIELDS, f"Sec-WebSocket-Protocol: {offered}"
    )

    def check(head: Head, seen: Asked) -> list[str]:
        return wants(
            target=(seen.head.target, target),
            offered=(seen.head.all("sec-websocket-protocol"), [offered]),
            chosen=(head.all("sec-websocket-protocol"), [chosen]),
            accept=(head.all("sec-websocket-accept"), [frames.accept_for(frames.KEY)]),
        )

    return gets_through(front, asked, websocket_to(chosen), check)


@row("kubectl exec, WebSocket", ROWS)
def kubectl_exec_websocket(front: Front) -> Outcome:
    """Its query repeats a name and has escapes, which stay as they are."""
    target = "/api/v1/namespaces/default/pods/box/exec?command=ls&command=-l%2Fa&container=box&stdout=true"
    return kubectl_websocket(front, target, VERSIONS[0], VERSIONS[0])


@row("kubectl port-forward, WebSocket", ROWS)
def kubectl_port_forward(front: Front) -> Outcome:
    """SPDY in a WebSocket, which the subprotocol's name says."""
    target, name = "/api/v1/namespaces/default/pods/box/portforward", "SPDY/3.1+portforward.k8s.io"
    return kubectl_websocket(front, target, name, name)


@row("kubectl exec, SPDY/3.1", ROWS)
def kubectl_exec_spdy(front: Front) -> Outcome:
    """Five lines of one name stay five, and in order; the token keeps its case."""
    lines = ("Connection: Upgrade", "Content-Length: 0", "Upgrade: SPDY/3.1")
    lines += tuple(f"X-Stream-Protocol-Version: {version}" for version in VERSIONS)
    asked = request("POST /api/v1/namespaces/default/pods/box/exec?command=ls&stdout=true", *lines)

    def check(head: Head, seen: Asked) -> list[str]:
        return wants(
            versions=(seen.head.all("x-stream-protocol-version"), list(VERSIONS)),
            offered=(seen.head.all("upgrade"), ["SPDY/3.1"]),
            token=(head.all("upgrade"), ["SPDY/3.1"]),
            chosen=(head.all("x-stream-protocol-version"), [VERSIONS[1]]),
        )

    answer = when_asked("SPDY/3.1", f"X-Stream-Protocol-Version: {VERSIONS[1]}", then=echo)
    return gets_through(front, asked, answer, check)


@row("kubectl, JSON refusal of an upgrade", ROWS)
def kubectl_refused(front: Front) -> Outcome:
    """The Status object of a refusal is what kubectl shows."""
    asked = request("POST /exec", "Connection: Upgrade", "Upgrade: SPDY/3.1", "Content-Length: 0")
    answer = text("the answer", "Content-Type: application/json", status="403 Forbidden")
    return passes_on(front, asked, answer, 403, content_type="application/json")


@row("Tailscale ts2021", ROWS)
def tailscale(front: Front) -> Outcome:
    """Its connection option is in lower case; the server speaks first."""
    token, handshake = "tailscale-control-protocol", "AAEAAG5vaXNl/+8="
    lines = (f"Upgrade: {token}", "Connection: upgrade", f"X-Tailscale-Handshake: {handshake}", "Content-Length: 0")

    def speaks_first(wire: Wire, asked: Asked) -> None:
        if asked.head.upgrades(token):
            wire.send(switched(f"Upgrade: {token}", "Connection: upgrade", data=b"early noise"))
            echo(wire)
        else:
            plain(wire)

    with front.ask(request("POST /ts2021", *lines), speaks_first) as wire:
        head, seen = wire.head(), front.upstream.asked()
        if head is None or head.status != 101 or seen is None:
            return Outcome(came(head), right=False)
        wrong = wants(
            token=(head.all("upgrade"), [token]),
            handshake=(seen.head.all("x-tailscale-handshake"), [handshake]),
            early=(wire.take(11), b"early noise"),
            bytes=(echoes(wire), True),
        )
    return Outcome(f"101, wrong: {', '.join(wrong)}" if wrong else "101", not wrong)


@row("Tailscale DERP", ROWS)
def derp(front: Front) -> Outcome:
    """Field lines of the 101 itself get through."""
    answer = when_asked("DERP", "Derp-Version: 2", "Derp-Public-Key: 00ff", then=echo)
    return gets_through(
        front,
        request("GET /derp", "Connection: Upgrade", "Upgrade: DERP"),
        answer,
        lambda head, _: wants(version=(head.all("derp-version"), ["2"]), key=(head.all("derp-public-key"), ["00ff"])),
    )


@row("DERP's 426 without an Upgrade list", ROWS)
def derp_required(front: Front) -> Outcome:
    """A 426 without the list that it should have passes as it is."""
    return passes_on(front, request("GET /derp"), text("the answer", status="426 Upgrade Required"), 426)


@row("ts-dial answered with 200", ROWS)
def ts_dial(front: Front) -> Outcome:
    """A server may answer a request to upgrade as any other."""
    lines = ("Connection: upgrade", "Upgrade: ts-dial", "Dial-Host: peer", "Dial-Port: 80", "Content-Length: 0")
    asked = request("POST /localapi/v0/dial", *lines)
    return passes_on(front, asked, text("the answer", "Dial-Self: true"), 200, dial_self="true")


@row("`OPTIONS *` to TLS (CUPS)", ROWS)
def cups(front: Front) -> Outcome:
    """RFC 2817 end to end: the target stays ``*``, and Content-Length in CUPS's 101 is no harm."""
    asked = request("OPTIONS *", "Connection: upgrade", f"Upgrade: {TLS_TOKENS}", "User-Agent: CUPS/2.4.2 IPP/2.0")

    def answer(wire: Wire, asked: Asked) -> None:
        if not asked.head.upgrades("TLS/1.2"):
            return plain(wire)
        wire.send(switched("Connection: Upgrade", "Upgrade: TLS/1.2,TLS/1.1,TLS/1.0", "Content-Length: 0"))
        return echo(wire)

    def check(head: Head, seen: Asked) -> list[str]:
        return wants(
            target=(seen.head.first, "OPTIONS * HTTP/1.1"),
            offered=(seen.head.list("upgrade"), TLS_TOKENS.lower().split(",")),
            tokens=(head.list("upgrade"), ["tls/1.2", "tls/1.1", "tls/1.0"]),
        )

    return gets_through(front, asked, answer, check)


@row("CUPS's 426 with its TLS tokens", ROWS)
def cups_required(front: Front) -> Outcome:
    """A server that wants encryption says which tokens it means."""
    tokens = "TLS/1.2,TLS/1.1,TLS/1.0"
    answer = text("the answer", f"Upgrade: {tokens}", "Connection: Upgrade", status="426 Upgrade Required")
    with front.ask(request("POST /printers/one", "Content-Length: 0"), answer) as wire:
        head = wire.head()
    if head is None or head.status != 426:
        return Outcome(came(head), right=False)
    right = head.list("upgrade") == tokens.lower().split(",") and "upgrade" in head.list("connection")
    return Outcome("426" if right else "426, list lost", right)


@row("connect-udp (RFC 9298)", ROWS)
def connect_udp(front: Front) -> Outcome:
    """The capsule protocol is announced both ways."""
    capsules = "Capsule-Protocol: ?1"
    asked = request(
        "GET /.well-known/masque/udp/192.0.2.6/443/", "Connection: Upgrade", "Upgrade: connect-udp", capsules
    )

    def check(head: Head, seen: Asked) -> list[str]:
        return wants(asked=(seen.head.all("capsule-protocol"), ["?1"]), told=(head.all("capsule-protocol"), ["?1"]))

    return gets_through(front, asked, when_asked("connect-udp", capsules, then=echo), check)


IF_T = ("Content-Type: EAP", "Upgrade: IF-T/TLS 1.0", "Content-Length: 0")


@row("IF-T/TLS, where a route is lenient", ROWS)
def if_t(front: Front) -> Outcome:
    """Pulse names no connection option, and its token has a space in it."""

    def answer(wire: Wire, asked: Asked) -> None:
        if asked.head.all("upgrade") != ["IF-T/TLS 1.0"]:
            return plain(wire)
        wire.send(switched("Content-type: application/octet-stream", "Upgrade: IF-T/TLS 1.0"))
        return echo(wire)

    return gets_through(
        front,
        request(f"GET {WITHOUT_CONNECTION}/", *IF_T),
        answer,
        lambda _, seen: wants(type=(seen.head.all("content-type"), ["EAP"])),
    )


@row("HTTPUpgrade, where a route is lenient", ROWS)
def http_upgrade(front: Front) -> Outcome:
    """V2Ray names WebSocket, and sends no key; raw bytes follow."""
    asked = request(
        f"GET {WITHOUT_KEY}/ray", "Connection: Upgrade", "Upgrade: websocket", "User-Agent: Go-http-client/1.1"
    )
    answer = when_asked("websocket", then=echo)
    return gets_through(front, asked, answer, lambda head, _: wants(token=(head.list("upgrade"), ["websocket"])))


@row("TLS inside of a tunnel", ROWS)
def tls_inside(front: Front) -> Outcome:
    """Teleport's way: what follows the 101 is a TLS ClientHello, whose bytes stay what they are."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="inside.example")
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        hello = outgoing.read()
    asked = request("GET /webapi/connectionupgrade", "Connection: Upgrade", "Upgrade: alpn")
    with front.ask(asked, when_asked("alpn", then=echo)) as wire:
        head = wire.head()
        if head is None or head.status != 101:
            return Outcome(came(head), right=False)
        right = echoes(wire, hello)
    return Outcome("101" if right else "101, bytes lost", right)
