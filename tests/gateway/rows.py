"""What a row of the comparison is: something done through a gateway, what came of it, and whether that was right."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass

from tests.gateway.upstream import Answer, Asked, Upstream
from tests.gateway.wire import Head, Wire


@dataclass(frozen=True)
class Outcome:
    """What came of a row.

    Attributes:
        word: For the table.
        right: Whether it is what the protocols ask for.
    """

    word: str
    right: bool


@dataclass(frozen=True)
class Front:
    """A gateway, and the upstream behind it.

    Attributes:
        port: The gateway's port on 127.0.0.1.
        upstream: The upstream.
        process: The number of the gateway's process.
        stop: The signal that asks it for an orderly stop.
    """

    port: int
    upstream: Upstream
    process: int = 0
    stop: signal.Signals = signal.SIGTERM

    def ask(self, request: bytes, answer: Answer) -> Wire:
        """Send a request to the gateway, and let the upstream answer so."""
        self.upstream.forget(answer)
        wire = Wire.to(self.port)
        wire.send(request)
        return wire

    def asks_for_a_stop(self) -> None:
        """Ask the gateway to stop in order."""
        os.kill(self.process, self.stop)


@dataclass(frozen=True)
class Row:
    """A row of the comparison.

    Attributes:
        name: As the table has it.
        run: Does it.
        ends_the_gateway: Whether the gateway does not outlive it.
        missing: Says what it needs and is not installed here, if anything.
    """

    name: str
    run: Callable[[Front], Outcome]
    ends_the_gateway: bool = False
    missing: Callable[[], str] = str


def row(
    name: str, into: list[Row], *, ends_the_gateway: bool = False, missing: Callable[[], str] = str
) -> Callable[..., Callable[[Front], Outcome]]:
    """Make a function a row.

    Args:
        name: As the table has it.
        into: Gets the row.
        ends_the_gateway: Whether the gateway does not outlive it.
        missing: Says what it needs and is not installed here, if anything.
    """

    def decorate(run: Callable[[Front], Outcome]) -> Callable[[Front], Outcome]:
        into.append(Row(name, run, ends_the_gateway, missing))
        return run

    return decorate


def request(first: str, *lines: str, content: bytes = b"", version: str = "HTTP/1.1") -> bytes:
    """Return a request: its method and target, further lines, and what is behind them."""
    return "\r\n".join([f"{first} {version}", "Host: gateway.example", *lines, "", ""]).encode() + content


def switched(*lines: str, phrase: str = "Switching Protocols", data: bytes = b"") -> bytes:
    """Return a 101."""
    return "\r\n".join([f"HTTP/1.1 101 {phrase}", *lines, "", ""]).encode() + data


def to(token: str, *more: str) -> tuple[str, ...]:
    """Return the field lines of a 101 to a token."""
    return (f"Upgrade: {token}", "Connection: Upgrade", *more)


def plain(wire: Wire) -> None:
    """Answer 200 in a few words, and close."""
    wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nplain")


def when_asked(token: str, *lines: str, then: Callable[[Wire], None], phrase: str = "Switching Protocols") -> Answer:
    """Return what switches to a token if it was asked properly, and otherwise answers 200.

    Args:
        token: The token.
        lines: More field lines of the 101.
        then: Talks behind the 101.
        phrase: The 101's reason phrase.
    """

    def answer(wire: Wire, asked: Asked) -> None:
        if asked.head.upgrades(token):
            wire.send(switched(*to(token, *lines), phrase=phrase))
            then(wire)
        else:
            plain(wire)

    return answer


def echo(wire: Wire) -> None:
    """Send back what comes, until the other side ends."""
    while data := wire.piece():
        wire.send(data)


def came(head: Head | None) -> str:
    """Say which response came."""
    return "nothing" if head is None else str(head.status)


def echoes(wire: Wire, data: bytes = b"\x00\xff tea\r\n") -> bool:
    """Tell whether what is sent comes back as it was."""
    wire.send(data)
    return wire.take(len(data)) == data
