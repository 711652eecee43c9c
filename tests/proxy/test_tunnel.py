"""Bytes through the gateway, on every transport in front: all of them, in order, and each end as an end."""

from __future__ import annotations

from typing import Any

import pytest

from tests.proxy.gateway_in_memory import Gateway
from upgradegw.testing.client import TRANSPORTS
from upgradegw.testing.ends import CAPACITY

every_transport = pytest.mark.parametrize("over", TRANSPORTS)
#: TLS as Twisted has it ends both directions at once.
half_closing = pytest.mark.parametrize("over", [each for each in TRANSPORTS if each != "tls"])

#: What may wait in one direction within the gateway: a transport's 64 KiB or its client's window, and one read.
BOUND = 2 * 65536 + CAPACITY

BLOCK = bytes(range(256)) * 4096  # 1 MiB


@every_transport
def test_bytes_both_ways(over: Any) -> None:
    """Every byte arrives, in order, and is counted."""
    with Gateway("echo", over=over) as gateway:
        tunnel, upstream = gateway.tunnel()
        tunnel.send(BLOCK)
        upstream.send(BLOCK)
        tunnel.send(b"more")
        assert gateway.heard(upstream) == BLOCK + b"more"
        assert tunnel.received == BLOCK
        upstream.lose()
        tunnel.lose()
        assert (gateway.end["bytes_in"], gateway.end["bytes_out"]) == (len(BLOCK) + 4, len(BLOCK))
        assert (gateway.end["reason"], gateway.end["token"]) == ("closed", "echo")


@every_transport
def test_bytes_behind_the_request_and_behind_the_101(over: Any) -> None:
    """Leading data is delivered in both directions, before what comes later (A-05)."""
    with Gateway("echo", over=over) as gateway:
        pending = gateway.client.start_upgrade("echo", leading=b"early ")
        upstream = gateway.upstream
        assert b"early" not in gateway.heard(upstream)
        upstream.send(b"HTTP/1.1 101 OK\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nwelcome ")
        tunnel = pending.result()
        tunnel.send(b"late")
        upstream.send(b"back")
        assert gateway.heard(upstream) == b"early late"
        assert tunnel.received == b"welcome back"
        tunnel.lose()
        upstream.lose()


@half_closing
def test_half_close_of_the_client(over: Any) -> None:
    """A-32: what the upstream says behind the client's half-close still arrives; then both are closed."""
    with Gateway("echo", over=over) as gateway:
        tunnel, upstream = gateway.tunnel(half_closeable=True)
        tunnel.send(b"last")
        tunnel.half_close()
        assert gateway.heard(upstream) == b"last"
        assert upstream.ended
        assert not upstream.closed
        upstream.send(BLOCK)
        assert tunnel.received == BLOCK
        assert not tunnel.ended
        upstream.half_close()
        assert tunnel.closed
        assert upstream.closed
        assert not tunnel.aborted
        assert not upstream.aborted
        assert gateway.end["reason"] == "closed"


@half_closing
def test_half_close_of_the_upstream(over: Any) -> None:
    """A-32: and the other way round."""
    with Gateway("echo", over=over) as gateway:
        tunnel, upstream = gateway.tunnel(half_closeable=True)
        upstream.send(b"last")
        upstream.half_close()
        assert tunnel.received == b"last"
        assert tunnel.ended
        tunnel.send(BLOCK)
        assert gateway.heard(upstream) == BLOCK
        assert not upstream.ended
        tunnel.half_close()
        assert upstream.closed
        assert tunnel.closed
        assert not upstream.aborted


def test_half_close_before_the_101() -> None:
    """A-32: docker exec without -i ends its side at once: before the upstream has answered."""
    with Gateway("tcp") as gateway:
        pending = gateway.client.start_upgrade("tcp", method="POST", content=b"{}", half_closeable=True)
        pending.half_close()
        upstream = gateway.upstream
        assert gateway.heard(upstream).endswith(b"\r\n\r\n{}")
        upstream.send(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nhello")
        upstream.send(b" bye")
        upstream.half_close()
        assert pending.result().received == b"hello bye"
        assert upstream.ended


def test_close_over_tls() -> None:
    """On TLS a client's close is the end of both directions; what it sent before goes to the upstream first."""
    with Gateway("echo", over="tls") as gateway:
        tunnel, upstream = gateway.tunnel()
        tunnel.send(BLOCK)
        tunnel.lose()
        assert gateway.heard(upstream) == BLOCK
        assert upstream.ended
        assert not upstream.aborted
        assert gateway.end["reason"] == "closed"


def test_the_upstream_ends_first_over_tls() -> None:
    """The client hears of it (close_notify), and what it still sends arrives."""
    with Gateway("echo", over="tls") as gateway:
        tunnel, upstream = gateway.tunnel(half_closeable=True)
        upstream.send(b"last")
        upstream.half_close()
        assert tunnel.received == b"last"
        assert tunnel.closed
        assert not tunnel.aborted
        assert gateway.end["reason"] == "closed"


@every_transport
def test_reset_by_the_client(over: Any) -> None:
    """A-32: a reset is passed on as a reset, and named in the log."""
    with Gateway("echo", over=over) as gateway:
        tunnel, upstream = gateway.tunnel()
        tunnel.abort()
        upstream.turn()
        assert upstream.aborted
        assert gateway.end["reason"] == "lost"


@every_transport
def test_reset_by_the_upstream(over: Any) -> None:
    """A-32: and the other way round; on HTTP/2 it is the stream that is reset."""
    with Gateway("echo", over=over) as gateway:
        tunnel, upstream = gateway.tunnel()
        upstream.abort()
        assert tunnel.aborted
        assert gateway.end["reason"] == "upstream_lost"


@every_transport
def test_an_upstream_that_does_not_read(over: Any) -> None:
    """The client is made to wait; nothing grows in the gateway, and nothing is lost."""
    with Gateway("echo", over=over) as gateway:
        tunnel, upstream = gateway.tunnel()
        upstream.pause()
        tunnel.send(BLOCK * 4)
        (joined,) = gateway.tunnels
        assert joined.client.received <= BOUND + CAPACITY
        upstream.resume()
        assert gateway.heard(upstream) == BLOCK * 4
        tunnel.lose()
        upstream.lose()


@every_transport
def test_a_client_that_does_not_read(over: Any) -> None:
    """And the other way round."""
    with Gateway("echo", over=over) as gateway:
        tunnel, upstream = gateway.tunnel()
        tunnel.pause()
        upstream.send(BLOCK * 4)
        (joined,) = gateway.tunnels
        assert joined.upstream.received <= BOUND + CAPACITY
        tunnel.resume()
        assert tunnel.received == BLOCK * 4
        tunnel.lose()
        upstream.lose()


def test_idle() -> None:
    """A tunnel through which nothing goes ends after its time, and not before."""
    with Gateway("echo", idle_timeout=80) as gateway:
        tunnel, upstream = gateway.tunnel()
        for _ in range(5):
            gateway.reactor.advance(60)
            tunnel.send(b"?")
            gateway.reactor.advance(60)
            upstream.send(b"!")
        gateway.reactor.advance(79)
        assert not tunnel.ended
        gateway.reactor.advance(80 / 8 + 2)
        assert tunnel.ended
        assert upstream.ended
        assert gateway.end["reason"] == "tunnel_idle"


def test_idle_with_an_end_that_does_not_read() -> None:
    """Whoever does not even take what is left is broken off, so that no tunnel stays for ever."""
    with Gateway("echo", idle_timeout=8) as gateway:
        tunnel, upstream = gateway.tunnel()
        upstream.pause()
        tunnel.send(BLOCK)
        gateway.reactor.advance(30)
        assert gateway.tunnels == []
        assert gateway.end["reason"] == "tunnel_idle"
        upstream.resume()
        assert upstream.closed


def test_no_idle_timeout() -> None:
    """None is no limit, and nothing is left of a tunnel when it has ended: no delayed call."""
    with Gateway("echo", idle_timeout=None) as gateway:
        tunnel, upstream = gateway.tunnel()
        gateway.reactor.advance(100_000)
        assert not tunnel.ended
        tunnel.lose()
        upstream.lose()
        gateway.client.close()
        assert not [call for call in gateway.reactor.getDelayedCalls() if "Wheel" in repr(call)]


def test_the_client_leaves_before_the_tunnel() -> None:
    """The upstream's connection is broken off when nobody waits for its answer any more."""
    with Gateway("echo") as gateway:
        pending = gateway.client.start_upgrade("echo")
        upstream = gateway.upstream
        pending.abort()
        upstream.turn()
        assert upstream.closed
