"""How a connection to an upstream is made, and what is said where there is none."""

from __future__ import annotations

import pytest
from twisted.internet.error import ConnectionLost
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from tests.protocols_for_tests import Recorder
from tests.proxy.connecting import Connecting, Reactor


@pytest.mark.parametrize("host", ["192.0.2.1", "[2001:db8::1]"])
def test_an_address(host: str) -> None:
    """It is connected to without a lookup; the transport delivers to the protocol itself, and does not wait to send."""
    made = Connecting(f"http://{host}:8080")
    ((to, port, *_),) = made.reactor.tcpClients
    assert (to, port) == (host.strip("[]"), 8080)
    assert made.outcome == []
    transport = made.accept()
    (protocol,) = made.outcome
    assert isinstance(protocol, Recorder)
    assert transport.protocol is protocol
    assert protocol.transport is transport
    assert transport.no_delay
    assert made.reactor.getDelayedCalls() == []


def test_a_name_is_looked_up_each_time() -> None:
    """An upstream may move between two connections."""
    made = Connecting("http://a.example:8080", reactor=Reactor(["192.0.2.1"], ["192.0.2.2"]))
    made.accept()
    made.begin()
    made.accept()
    assert [client[0] for client in made.reactor.tcpClients] == ["192.0.2.1", "192.0.2.2"]
    assert made.reactor.asked == ["a.example", "a.example"]


def test_the_next_address_of_a_name() -> None:
    """A name with several addresses is tried with all of them (RFC 8305), and one connection comes of it."""
    made = Connecting("http://a.example:8080", reactor=Reactor(["192.0.2.1", "192.0.2.2"]))
    made.reactor.advance(1)
    assert [client[0] for client in made.reactor.tcpClients] == ["192.0.2.1", "192.0.2.2"]
    made.accept(1)
    assert len(made.outcome) == 1
    assert made.reactor.connectors[0].stoppedConnecting


def test_a_name_without_address() -> None:
    """It says so."""
    made = Connecting("http://a.example:8080", reactor=Reactor([]))
    assert made.error.reason.value == "upstream_unreachable"
    assert made.error.detail == "http://a.example:8080: there is no address for the name"


def test_a_unix_socket() -> None:
    """It needs no lookup, and has no option of TCP's."""
    made = Connecting("unix:/run/a.sock")
    assert made.reactor.unixClients[0][0] == "/run/a.sock"
    transport = made.accept(0, made.reactor.unixClients)
    assert len(made.outcome) == 1
    assert not transport.no_delay


def test_refused() -> None:
    """It is 502, and the words are the system's."""
    made = Connecting("http://192.0.2.1:8080")
    made.reactor.tcpClients[0][2].clientConnectionFailed(None, Failure(ConnectionLost()))
    assert (made.error.status, made.error.reason.value) == (502, "upstream_unreachable")


@pytest.mark.parametrize("seconds", [0.5, 5.0])
def test_too_late(seconds: float) -> None:
    """It is 504, not a moment earlier."""
    made = Connecting("http://192.0.2.1:8080", connect_timeout=seconds)
    made.reactor.advance(seconds - 0.01)
    assert made.outcome == []
    made.reactor.advance(0.02)
    assert (made.error.status, made.error.reason.value) == (504, "upstream_timeout")
    assert made.error.detail == f"http://192.0.2.1:8080: no connection within {seconds:g} seconds"
    assert made.reactor.getDelayedCalls() == []


def test_cancelled() -> None:
    """The attempt is given up."""
    made = Connecting("http://192.0.2.1:8080")
    made.result.cancel()
    assert made.reactor.connectors[0].stoppedConnecting
    assert made.reactor.getDelayedCalls() == []


def test_nobody_wants_it() -> None:
    """A factory may decline."""

    class Declining(Factory):
        noisy = False

        def buildProtocol(self, addr: object) -> None:
            return None

    made = Connecting("http://192.0.2.1:8080", Declining())
    assert made.accept().disconnecting
    assert "nobody wants" in made.error.detail
