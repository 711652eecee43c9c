"""Listening: binding, errors, stopping, and connections whose protocols fail."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.error import CannotListenError

from tests.reactor.protocols import Remembering
from tests.reactor.running import Connecting, Serving, new_reactor, result_of, run


def test_a_port_that_is_taken_is_an_error_at_once() -> None:
    """Before the reactor runs, and on both families of addresses."""
    with new_reactor() as reactor:
        for interface in ("127.0.0.1", "::1"):
            port = reactor.listenTCP(0, Serving(), interface=interface).getHost().port
            with pytest.raises(CannotListenError):
                reactor.listenTCP(port, Serving(), interface=interface)


def test_a_port_that_stops_refuses_connections_and_can_be_opened_again() -> None:
    """The factory hears of both."""

    class Counting(Serving):
        numbers: list[str]

        def startFactory(self) -> None:
            self.numbers = [*getattr(self, "numbers", []), "start"]

        def stopFactory(self) -> None:
            self.numbers.append("stop")

    server, client = Counting(), Connecting()
    with new_reactor() as reactor:
        port = reactor.listenTCP(0, server, interface="127.0.0.1")
        number = port.getHost().port
        result_of(reactor, port.stopListening)
        with socket.socket() as refused:
            assert refused.connect_ex(("127.0.0.1", number)) != 0
    with new_reactor() as reactor:
        reactor.listenTCP(number, server, interface="127.0.0.1")
        run(reactor, lambda: server.made != [], lambda: reactor.connectTCP("127.0.0.1", number, client))
    assert server.numbers == ["start", "stop", "start", "stop"]


def test_a_port_that_reads_no_more_leaves_clients_waiting() -> None:
    """They are accepted when it reads again."""
    server = Serving()
    with new_reactor() as reactor, socket.socket() as client:
        port: Any = reactor.listenTCP(0, server, interface="127.0.0.1")
        reactor.removeReader(port)
        port.stopReading()
        client.connect(("127.0.0.1", port.getHost().port))
        turns: list[None] = []

        def accepted() -> bool:
            turns.append(None)
            if len(turns) == 5:
                assert server.made == []
                port.startReading()
                port.startReading()
            return server.made != []

        run(reactor, accepted)
    assert len(server.made) == 1


@pytest.mark.parametrize("build", [None, RuntimeError])
def test_a_factory_that_makes_no_protocol_closes_the_connection(build: Any) -> None:
    """Whether it says so or fails; the port accepts on."""

    def make() -> Any:
        if not refused:
            refused.append(True)
            if build is not None:
                raise build
            return None
        return Remembering()

    refused: list[bool] = []
    server, client = Serving(make), Connecting()
    with new_reactor() as reactor:
        port = reactor.listenTCP(0, server, interface="127.0.0.1")

        def connect() -> None:
            reactor.connectTCP("127.0.0.1", port.getHost().port, client)

        again: list[bool] = []

        def served() -> bool:
            if "stop" in client.events and not again:
                again.append(True)
                connect()
            return server.made != []

        run(reactor, served, connect)
    assert client.events[:4] == ["start", "connecting", "lost", "stop"]


def test_a_protocol_that_fails_in_connection_made_stays(tmp_path: Path) -> None:
    """As in Twisted: the exception is in the log."""

    class Failing(Remembering):
        def connectionMade(self) -> None:
            raise RuntimeError

    class Asking(Remembering):
        def connectionMade(self) -> None:
            self.transport.write(b"x")  # type: ignore[union-attr]

    server = Serving(Failing)
    with new_reactor() as reactor:
        reactor.listenUNIX(str(tmp_path / "s"), server)
        run(
            reactor,
            lambda: bool(server.made) and b"x" in server.made[0].events,
            lambda: reactor.connectUNIX(str(tmp_path / "s"), Connecting(Asking)),
        )
    assert not (tmp_path / "s").exists()


def test_a_port_in_the_abstract_namespace() -> None:
    """It needs no file, and connections find it."""
    server = Serving()
    with new_reactor() as reactor:
        name = f"\0upgradegw-{id(reactor)}"
        reactor.listenUNIX(name, server)
        run(reactor, lambda: server.made != [], lambda: reactor.connectUNIX(name, Connecting()))
