"""What is compared: each row's load, whom it is put on, and what must come out."""

from __future__ import annotations

from dataclasses import dataclass

OURS = "upgradegw"

_SERVERS = (
    *(
        "upgradegw",
        "upgradegw-pure",
        "upgradegw-epoll",
        "autobahn",
        "twisted-websocket",
        "daphne",
        "hypercorn",
        "granian",
    ),
    *("websockets", "uvicorn", "aiohttp", "picows", "bare-twisted", "bare-uvloop", "bare-c"),
)
_WITH_GET = (
    "upgradegw",
    "upgradegw-pure",
    "upgradegw-epoll",
    "autobahn",
    "daphne",
    "hypercorn",
    "granian",
    "uvicorn",
    "aiohttp",
    "bare-c",
)
_IDLE = tuple(name for name in _SERVERS if not name.startswith("bare-"))
_TLS = ("upgradegw", "upgradegw-epoll", "aiohttp")
_GATEWAYS = ("upgradegw", "upgradegw-pure", "upgradegw-epoll", "nginx", "haproxy", "nghttpx", "caddy", "portforward")

_SIXTEEN = ("--in-flight", "16")
_MIDDLE = ("--connections", "16", "--size", str(16 << 10), "--in-flight", "2")
_LARGE = ("--connections", "4", "--size", str(1 << 20))
_IDLE_LOAD = ("idle", "--touch", "--steps", "100,1000,9000,10000")


@dataclass(frozen=True)
class Goal:
    """What a row must show.

    Attributes:
        bound: The ratio of ours to the peer's figure, or our figure itself where there is no peer.
        peer: Whom ours is compared with.
        stretch: Whether it would be nice, and need not be.
    """

    bound: float
    peer: str | None = None
    stretch: bool = False


@dataclass(frozen=True)
class Row:
    """A comparison.

    Attributes:
        title: What it is called.
        unit: What is counted.
        load: The words for the load generator; of ``h2load``, for that.
        among: Whom the load is put on.
        goals: What must come out.
        mode: How contenders are started: plain, tls (with an RSA key), tls-p256 (with a small one) or gateway.
        figure: The member of a report that counts: per_second, server_us, bytes or growth.
    """

    title: str
    unit: str
    load: tuple[str, ...]
    among: tuple[str, ...]
    goals: tuple[Goal, ...] = ()
    mode: str = "plain"
    figure: str = "per_second"

    @property
    def more_is_better(self) -> bool:
        """Whether the larger figure wins."""
        return self.figure == "per_second"


def _echo(size: str, load: tuple[str, ...], *goals: Goal) -> Row:
    return Row(f"Echo of {size}", "messages a second", ("echo", *load), _SERVERS, goals)


def _wss(size: str, load: tuple[str, ...], *goals: Goal) -> Row:
    title = f"Echo of {size} over TLS"
    return Row(title, "µs of processor time a message", ("echo", "--tls", *load), _TLS, goals, "tls", "server_us")


def _tunnel(size: str, load: tuple[str, ...], *goals: Goal) -> Row:
    title = f"Tunnel, {size}"
    return Row(title, "µs of processor time a message", ("echo", *load), _GATEWAYS, goals, "gateway", "server_us")


_SHAKE = "µs of processor time a handshake"

#: All rows, by the names that the command line uses.
ROWS = {
    "echo-32x1": _echo(
        "32 B, 64 connections, 1 in flight",
        (),
        Goal(1.2, "aiohttp"),
        Goal(4.5, "autobahn"),
        Goal(1.0, "picows", stretch=True),
    ),
    "echo-32x16": _echo(
        "32 B, 64 connections, 16 in flight", _SIXTEEN, Goal(2.0, "picows"), Goal(3.0, "picows", stretch=True)
    ),
    "echo-16k": _echo(
        "16 KiB, 16 connections, 2 in flight", _MIDDLE, Goal(0.9, "aiohttp"), Goal(1.2, "aiohttp", stretch=True)
    ),
    "handshakes": Row(
        "WebSocket handshakes",
        "handshakes a second",
        ("once",),
        _SERVERS,
        (Goal(1.0, "aiohttp"), Goal(1.0, "picows", stretch=True)),
    ),
    "gets": Row("GET, keep-alive", "requests a second", ("get",), _WITH_GET),
    "idle": Row(
        "An idle WebSocket, one message behind it",
        "bytes of memory each",
        _IDLE_LOAD,
        _IDLE,
        (Goal(12000), Goal(8000, stretch=True)),
        figure="bytes",
    ),
    "growth": Row(
        "One more connection and its first message at 10,000",
        "times the processor time of one more at 1,000",
        _IDLE_LOAD,
        _IDLE,
        (Goal(1.25),),
        figure="growth",
    ),
    "tls-32x1": _wss("32 B, 1 in flight", (), Goal(1.0, "aiohttp"), Goal(0.8, "aiohttp", stretch=True)),
    "tls-32x16": _wss("32 B, 16 in flight", _SIXTEEN),
    "tls-16k": _wss("16 KiB, 2 in flight", _MIDDLE),
    "tls-resumed": Row(
        "TLS and WebSocket handshake, resumed",
        _SHAKE,
        ("once", "--tls", "--resume"),
        _TLS,
        (Goal(1.2, "aiohttp"), Goal(1.0, "aiohttp", stretch=True)),
        "tls",
        "server_us",
    ),
    "tls-full": Row("TLS and WebSocket handshake, full", _SHAKE, ("once", "--tls"), _TLS, (), "tls", "server_us"),
    "tls-p256-resumed": Row(
        "TLS and WebSocket handshake, resumed, P-256",
        _SHAKE,
        ("once", "--tls", "--resume"),
        _TLS,
        (),
        "tls-p256",
        "server_us",
    ),
    "tls-p256-full": Row(
        "TLS and WebSocket handshake, full, P-256",
        _SHAKE,
        ("once", "--tls"),
        _TLS,
        (),
        "tls-p256",
        "server_us",
    ),
    "h2": Row(
        "HTTP/2 requests, prior knowledge",
        "requests a second",
        ("h2load", "http"),
        ("upgradegw", "upgradegw-epoll", "hypercorn", "granian", "h2-alone"),
        (Goal(2.5, "hypercorn"), Goal(0.7, "h2-alone", stretch=True)),
    ),
    "h2-tls": Row(
        "HTTP/2 requests over TLS",
        "requests a second",
        ("h2load", "https"),
        ("upgradegw", "upgradegw-epoll", "hypercorn", "twisted", "daphne"),
        (Goal(2.5, "hypercorn"), Goal(1.6, "twisted")),
        "tls",
    ),
    "h2-websocket": Row(
        "WebSocket over HTTP/2, echo of 32 B",
        "messages a second",
        ("streams",),
        ("upgradegw", "upgradegw-epoll", "hypercorn"),
        (Goal(2.0, "hypercorn"), Goal(4.0, "hypercorn", stretch=True)),
    ),
    "tunnel-32x1": _tunnel("32 B, 1 in flight", (), Goal(1.0, "nginx"), Goal(0.8, "haproxy", stretch=True)),
    "tunnel-32x16": _tunnel("32 B, 16 in flight", _SIXTEEN),
    "tunnel-16k": _tunnel("16 KiB, 2 in flight", _MIDDLE),
    "tunnel-1m": _tunnel("1 MiB, 1 in flight", _LARGE, Goal(0.5, "nginx"), Goal(0.4, "haproxy", stretch=True)),
    "tunnel-handshake": Row("Tunnel, handshake", _SHAKE, ("once",), _GATEWAYS, (), "gateway", "server_us"),
}
