"""Listening sockets in uvloop's hands: accepting goes on until it is stopped."""

from __future__ import annotations

import socket
from typing import Any

from tests.reactor.running import Serving, new_reactor, run
from upgradegw.reactor.accepting import Accepting, waiting_clients


def test_a_server_that_uvloop_has_closed_listens_again() -> None:
    """``accept(2)`` may fail for a while; the port does not stay deaf."""
    servers: list[Any] = []
    with new_reactor() as reactor, socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as client:

        class Server:
            def __init__(self, copy: socket.socket, backlog: int) -> None:
                self.copy, self.backlog, self.closed = copy, backlog, False
                servers.append(self)

            def close(self) -> None:
                self.closed = True

        accepting = Accepting(reactor.loop, listening, None, Server)
        accepting.pause = 0
        copy = servers[0].copy.detach()  # as uvloop does when it has closed the descriptor
        socket.socket(fileno=copy).close()
        run(reactor, lambda: len(servers) == 2)
        assert servers[0].closed
        assert listening.fileno() != -1
        client.connect(listening.getsockname())
        accepting.stop()
        servers[1].copy.close()
    assert (servers[1].closed, len(servers)) == (True, 2)


def test_stopping_while_it_waits_to_listen_again_is_the_end() -> None:
    """There is no second server."""
    servers: list[Any] = []
    with new_reactor() as reactor, socket.create_server(("127.0.0.1", 0)) as listening:
        serve = reactor.listenTCP(0, Serving(), interface="127.0.0.1")

        def make(copy: socket.socket, _backlog: int) -> Any:
            servers.append(copy)
            return serve.stopListening and socket.socket()

        accepting = Accepting(reactor.loop, listening, 5, make)
        accepting.pause = 0
        socket.socket(fileno=servers[0].detach()).close()
        accepting.stop()
        turns: list[None] = []
        run(reactor, lambda: len(turns) == 5 or turns.append(None) is not None)
    assert len(servers) == 1


def test_the_backlog_of_a_socket_is_left_as_it_is() -> None:
    """Linux tells what it is for TCP; elsewhere it is as large as can be."""
    with socket.create_server(("127.0.0.1", 0), backlog=7) as tcp, socket.socket(socket.AF_UNIX) as unix:
        assert waiting_clients(tcp) == 7
        assert waiting_clients(unix) == socket.SOMAXCONN
