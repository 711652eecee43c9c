"""Sockets that somebody else has opened become ports and connections."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.error import UnsupportedAddressFamily

from tests.reactor.protocols import Remembering
from tests.reactor.running import Serving, new_reactor, run
from upgradegw.reactor.accepting import waiting_clients


class Greeting(Remembering):
    """Says something, and closes."""

    def connectionMade(self) -> None:
        self.transport.write(b"hello")  # type: ignore[union-attr]
        self.transport.loseConnection()  # type: ignore[union-attr]


def test_a_socket_that_listens_is_copied_with_its_backlog() -> None:
    """When the port stops, the owner's socket still listens."""
    server = Serving(Greeting)
    with socket.create_server(("127.0.0.1", 0), backlog=3) as listening, socket.socket() as client:
        with new_reactor() as reactor:
            port = reactor.adoptStreamPort(listening.fileno(), socket.AF_INET, server)
            assert port.getHost().port == listening.getsockname()[1]
            assert waiting_clients(listening) == 3
            client.connect(listening.getsockname())
            run(reactor, lambda: bool(server.made) and "lost" in server.made[0].events)
        assert client.recv(10) == b"hello"
        with socket.create_connection(listening.getsockname()):
            listening.accept()[0].close()


def test_a_unix_socket_that_listens_is_adopted(tmp_path: Path) -> None:
    """Its file is taken away at the end, as by Twisted."""
    path, server = tmp_path / "s", Serving(Greeting)
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as client:
        listening.bind(str(path))
        listening.listen(3)
        with new_reactor() as reactor:
            reactor.adoptStreamPort(listening.fileno(), socket.AF_UNIX, server)
            client.connect(str(path))
            run(reactor, lambda: bool(server.made) and "lost" in server.made[0].events)
        assert client.recv(10) == b"hello"
    assert not path.exists()


@pytest.mark.parametrize("family", [socket.AF_UNIX, socket.AF_INET])
def test_a_socket_that_is_connected_is_copied(family: socket.AddressFamily) -> None:
    """The protocol is made at once."""
    server = Serving(Greeting)
    ours, theirs = connected(family)
    with ours, new_reactor() as reactor:
        with theirs:
            assert reactor.adoptStreamConnection(theirs.fileno(), family, server) is not None
            assert len(server.made) == 1
        run(reactor, lambda: "lost" in server.made[0].events)
        assert ours.recv(10) == b"hello"


def test_a_factory_may_not_want_it() -> None:
    """Then there is no connection, and the owner's socket is as it was."""
    ours, theirs = connected(socket.AF_UNIX)
    with ours, theirs, new_reactor() as reactor:
        unwilling = Serving(lambda: None)
        assert reactor.adoptStreamConnection(theirs.fileno(), socket.AF_UNIX, unwilling) is None
        theirs.send(b"x")
        assert ours.recv(1) == b"x"


def test_a_protocol_that_fails_in_connection_made_is_in_the_log_alone() -> None:
    """The reactor runs on."""

    class Failing(Remembering):
        def connectionMade(self) -> None:
            self.events.append("made")
            raise RuntimeError

    server = Serving(Failing)
    ours, theirs = connected(socket.AF_INET)
    with ours, theirs, new_reactor() as reactor:
        reactor.adoptStreamConnection(theirs.fileno(), socket.AF_INET, server)
        run(reactor, lambda: "made" in server.made[0].events)


def test_other_families_are_refused() -> None:
    """Both ways."""
    with new_reactor() as reactor:
        for adopt in (reactor.adoptStreamPort, reactor.adoptStreamConnection):
            with pytest.raises(UnsupportedAddressFamily):
                adopt(0, socket.AF_NETLINK, Serving())


def connected(family: socket.AddressFamily) -> tuple[socket.socket, Any]:
    """Return both ends of a connection."""
    if family == socket.AF_UNIX:
        return socket.socketpair()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ours = socket.create_connection(listening.getsockname())
        return ours, listening.accept()[0]
