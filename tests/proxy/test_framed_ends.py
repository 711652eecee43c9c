"""The end of a tunnel from the gateway's side: a Close between two frames, to both ends, and all else behind it."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.testing import StringTransport

from tests.protocols.websocket.support import frame
from tests.proxy.gateway_in_memory import Gateway
from upgradegw.testing.client import TRANSPORTS
from upgradegw.testing.frames import BINARY, CLOSE, PING, TEXT
from upgradegw.transports import abort_transport

every_transport = pytest.mark.parametrize("over", TRANSPORTS)

NO_MASK = b""
#: The mask of the client of ``upgradegw.testing``.
MASK = b"\x37\xfa\x21\x3d"
GOING_AWAY = frame(CLOSE, b"\x03\xe9", mask=NO_MASK)


def _is_masked_close(data: bytes, code: int = 1001) -> bool:
    return data == frame(CLOSE, code.to_bytes(2, "big"), mask=data[2:6])


def _stop(gateway: Gateway) -> Any:
    waiting = gateway.site.drain(30)
    gateway.reactor.turn()
    return waiting


@every_transport
def test_both_ends_are_told(over: Any) -> None:
    """Between frames both get Close 1001 at once, each as its side has it; their answers end the connections."""
    with Gateway(over=over) as gateway:
        client, upstream = gateway.websocket()
        client.send("hello")
        gateway.heard(upstream)
        upstream.send(frame(TEXT, b"welcome", mask=NO_MASK))
        waiting = _stop(gateway)
        assert client.messages == ["welcome"]
        assert client.close_code == 1001
        assert _is_masked_close(gateway.heard(upstream))
        assert client.tunnel.ended
        assert not upstream.ended
        upstream.send(frame(CLOSE, b"\x03\xe9", mask=NO_MASK))
        assert upstream.ended
        assert not upstream.aborted
        assert gateway.end["reason"] == "stopped"
        assert gateway.end["close_code"] == 1001
        upstream.lose()
        assert waiting.called


@every_transport
def test_each_direction_waits_for_its_own_boundary(over: Any) -> None:
    """A frame that is under way goes on to its end; what stands behind the Close is not sent."""
    with Gateway(over=over) as gateway:
        client, upstream = gateway.websocket()
        client.answers_close = False
        first, second = frame(BINARY, b"from the client" * 20), frame(BINARY, b"back" * 50, mask=NO_MASK)
        client.tunnel.send(first[:3])
        upstream.send(second[:100])
        _stop(gateway)
        assert gateway.heard(upstream) == first[:3]
        assert client.tunnel.received == second[:100]
        upstream.send(second[100:] + frame(TEXT, b"behind", mask=NO_MASK))
        assert client.tunnel.received == second + GOING_AWAY
        assert gateway.heard(upstream) == b""
        client.tunnel.send(first[3:-1])
        client.tunnel.send(first[-1:] + frame(TEXT, b"behind"))
        heard = gateway.heard(upstream)
        assert heard.startswith(first[3:])
        assert _is_masked_close(heard[len(first) - 3 :])
        client.tunnel.send(frame(CLOSE, b"\x03\xe9"))
        assert client.tunnel.ended
        upstream.send(frame(PING, mask=NO_MASK) + frame(CLOSE, b"\x03\xe9", mask=NO_MASK))
        assert upstream.ended


@pytest.mark.parametrize("cut", range(1, 9))
def test_a_header_that_is_cut(cut: int) -> None:
    """Within the header of a frame there is no place for a Close either."""
    with Gateway() as gateway:
        client, upstream = gateway.websocket()
        client.answers_close = False
        whole = frame(BINARY, b"x" * 200, mask=b"abcd")
        client.tunnel.send(whole[:cut])
        _stop(gateway)
        assert gateway.heard(upstream) == whole[:cut]
        client.tunnel.send(whole[cut:])
        heard = gateway.heard(upstream)
        assert heard[: len(whole) - cut] == whole[cut:]
        assert _is_masked_close(heard[len(whole) - cut :])


def test_a_boundary_that_never_comes() -> None:
    """After its time the connection is closed without a Close, for one within a frame would be none."""
    with Gateway() as gateway:
        client, upstream = gateway.websocket()
        part = frame(BINARY, b"x" * 200, mask=NO_MASK)[:-1]
        upstream.send(part)
        _stop(gateway)
        gateway.reactor.advance(7)
        assert client.tunnel.received == part
        assert client.tunnel.ended
        assert upstream.ended
        assert gateway.end["reason"] == "stopped"


def test_ends_that_do_not_answer() -> None:
    """Whoever does not answer the Close is closed after a time, and whoever does not read then is broken off."""
    with Gateway() as gateway:
        client, upstream = gateway.websocket()
        client.answers_close = False
        upstream.send(frame(BINARY, b"x" * 200_000, mask=NO_MASK))
        client.tunnel.pause()
        upstream.send(frame(BINARY, b"x" * 200_000, mask=NO_MASK))
        _stop(gateway)
        assert _is_masked_close(gateway.heard(upstream))
        gateway.reactor.advance(7)
        assert upstream.ended
        assert gateway.site.connections
        gateway.reactor.advance(7)
        assert not gateway.site.connections
        client.tunnel.resume()
        assert client.tunnel.aborted


def test_a_close_of_their_own() -> None:
    """An end that has said Close already gets no second one; nothing is said in its name either."""
    with Gateway() as gateway:
        client, upstream = gateway.websocket()
        client.answers_close = False
        theirs = frame(CLOSE, b"\x03\xe8", mask=NO_MASK)
        upstream.send(theirs)
        _stop(gateway)
        assert client.tunnel.received == theirs
        assert _is_masked_close(gateway.heard(upstream))
        assert upstream.ended
        client.tunnel.send(frame(CLOSE, b"\x03\xe8"))
        assert client.tunnel.ended
        assert gateway.end["close_code"] == 1000


def test_a_half_closed_end() -> None:
    """A client that has ended its side is told, and closed; nothing is said in its name behind its end."""
    with Gateway() as gateway:
        client, upstream = gateway.websocket()
        client.tunnel.half_close()
        assert upstream.ended
        gateway.heard(upstream)
        _stop(gateway)
        assert client.tunnel.received == GOING_AWAY
        assert client.tunnel.closed
        assert gateway.heard(upstream) == b""
        assert len(gateway.tunnels) == 1
        upstream.send(frame(CLOSE, b"\x03\xe9", mask=NO_MASK))
        assert gateway.tunnels == []
        assert not upstream.aborted


def test_an_end_that_leaves_in_the_middle_of_its_frame() -> None:
    """The other end is closed without a Close, and the first is told all the same."""
    with Gateway() as gateway:
        client, upstream = gateway.websocket()
        client.answers_close = False
        upstream.send(frame(BINARY, b"x" * 200, mask=NO_MASK)[:-1])
        _stop(gateway)
        upstream.half_close()
        gateway.reactor.turn()
        assert client.tunnel.ended
        assert _is_masked_close(gateway.heard(upstream))
        assert upstream.closed
        client.tunnel.lose()
        assert gateway.end["reason"] == "stopped"


def test_an_idle_websocket() -> None:
    """It is closed in order, too: 1001, and the log says why."""
    with Gateway(idle_timeout=8) as gateway:
        client, upstream = gateway.websocket()
        gateway.reactor.advance(10)
        assert client.close_code == 1001
        assert _is_masked_close(gateway.heard(upstream))
        assert gateway.end["reason"] == "tunnel_idle"


def test_the_close_code_of_a_conversation() -> None:
    """The log has the code of the Close that went through, which is passed on as it came."""
    with Gateway() as gateway:
        client, upstream = gateway.websocket()
        upstream.send(frame(CLOSE, b"\x03\xf3out", mask=NO_MASK))
        assert client.close_code == 1011
        assert gateway.heard(upstream) == frame(CLOSE, b"\x03\xf3", mask=MASK)
        upstream.lose()
        client.tunnel.lose()
        assert (gateway.end["close_code"], gateway.end["reason"]) == (1011, "closed")


def test_an_end_behind_a_close_is_no_loss() -> None:
    """Many clients end TLS without its close; behind a Close frame that is no truncation, and no reset follows."""
    with Gateway(over="tls") as gateway:
        client, upstream = gateway.websocket()
        client.tunnel.send(frame(CLOSE, b"\x03\xe8"))
        client.tunnel.half_close()
        upstream.turn()
        assert upstream.ended
        assert not upstream.aborted
        assert gateway.end["reason"] == "closed"


def test_others_end_behind_what_is_buffered() -> None:
    """A protocol that the gateway does not know is closed, not cut: what has come is delivered first."""
    with Gateway("echo") as gateway:
        tunnel, upstream = gateway.tunnel()
        tunnel.pause()
        upstream.send(b"x" * 100_000)
        waiting = _stop(gateway)
        assert upstream.ended
        tunnel.resume()
        assert tunnel.received == b"x" * 100_000
        assert tunnel.ended
        assert not tunnel.aborted
        assert waiting.called


def test_a_transport_that_cannot_be_broken_off() -> None:
    """It is closed instead."""
    transport = StringTransport()
    transport.abortConnection = None  # type: ignore[assignment]
    abort_transport(transport)
    assert transport.disconnecting
