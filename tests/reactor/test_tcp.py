"""TCP connections: addresses and options."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from twisted.internet.address import IPv4Address, IPv6Address

from tests.reactor.protocols import Remembering
from tests.reactor.running import Connecting, Serving, new_reactor, run
from upgradegw.reactor.tcp import ip_address


class Echo(Remembering):
    """Sends back what it is sent."""

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        self.transport.write(data)  # type: ignore[union-attr]


class Asking(Remembering):
    """Asks, notes both addresses, and closes."""

    def connectionMade(self) -> None:
        self.transport.write(b"x" * 300_000)  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        if sum(map(len, self.events)) == 300_000:
            transport: Any = self.transport
            self.ends = (transport.getHost(), transport.getPeer())
            transport.loseConnection()


@pytest.mark.parametrize(("host", "kind"), [("127.0.0.1", IPv4Address), ("::1", IPv6Address)])
def test_a_connection_over_tcp(host: str, kind: type) -> None:
    """Octets go there and back, both ends know the addresses, and both hear of the end."""
    server, client = Serving(Echo), Connecting(Asking)
    with new_reactor() as reactor:
        port = reactor.listenTCP(0, server, interface=host)
        number = port.getHost().port
        run(
            reactor,
            lambda: "stop" in client.events and "lost" in server.made[0].events,
            lambda: reactor.connectTCP(host, number, client),
        )
        there = port.getHost() if port.connected else kind("TCP", host, number)
    asking = client.made[0]
    assert sum(map(len, asking.events[:-1])) == 300_000
    assert all(len(event) <= 65536 for event in server.made[0].events)
    assert (asking.ends[1].host, asking.ends[1].port) == (there.host, there.port)
    assert isinstance(server.addresses[0], kind)
    assert (server.addresses[0].host, server.addresses[0].port) == (asking.ends[0].host, asking.ends[0].port)
    assert client.events == ["start", "connecting", "lost", "stop"]


class Living(Remembering):
    """Wants signs of life, then none, then again, and notes what the system says each time."""

    def connectionMade(self) -> None:
        transport: Any = self.transport
        self.kept = [transport.getTcpKeepAlive()]
        for wanted in (True, False, True):
            transport.setTcpKeepAlive(wanted)
            self.kept.append(transport.getTcpKeepAlive())
        transport.loseConnection()


@pytest.mark.parametrize("inherited", [False, True])
def test_keep_alive_is_inherited_from_the_port(inherited: bool) -> None:
    """What the listening socket has need not be set anew, and can be turned off and on all the same."""
    server, client = Serving(Living), Connecting()
    with socket.create_server(("127.0.0.1", 0)) as listener, new_reactor() as reactor:
        listener.setblocking(False)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, inherited)
        port = reactor.adoptStreamPort(listener.fileno(), socket.AF_INET, server)
        number = port.getHost().port
        run(
            reactor,
            lambda: "stop" in client.events,
            lambda: reactor.connectTCP("127.0.0.1", number, client),
        )
    assert server.made[0].kept == [inherited, True, False, True]


def test_no_delay_is_on_until_it_is_turned_off() -> None:
    """uvloop begins with it on; what is on already is not set again."""
    seen: list[bool] = []

    class Choosing(Remembering):
        def connectionMade(self) -> None:
            transport: Any = self.transport
            for enabled in (True, False, True):
                transport.setTcpNoDelay(enabled)
                seen.append(transport.getTcpNoDelay())

    server = Serving(Choosing)
    with new_reactor() as reactor:
        port = reactor.listenTCP(0, server, interface="127.0.0.1")
        run(
            reactor,
            lambda: len(seen) == 3,
            lambda: reactor.connectTCP("127.0.0.1", port.getHost().port, Connecting()),
        )
    assert seen == [True, False, True]


def test_the_scope_of_an_address_is_part_of_its_host() -> None:
    """Without it, nobody could connect to it."""
    (index, name), *_ = socket.if_nameindex()
    assert ip_address(("fe80::1", 80, 0, index)).host == f"fe80::1%{name}"
    assert ip_address(("2001:db8::1", 80, 0, 0)).host == "2001:db8::1"
