"""The socket of a connection, as others see it."""

from __future__ import annotations

import socket

from tests.reactor.running import Connecting, Serving, new_reactor, run


def test_the_socket_of_a_connection_has_options_and_closes_safely() -> None:
    """It is uvloop's view of it, and closing it ends the connection and not the process."""
    server, client = Serving(), Connecting()
    with new_reactor() as reactor:
        port = reactor.listenTCP(0, server, interface="127.0.0.1")

        def closed() -> bool:
            if not (server.made and client.made):
                return False
            transport = client.made[0].transport
            if transport.connected:
                handle = transport.getHandle()
                assert handle.family == socket.AF_INET
                assert handle.getpeername()[1] == port.getHost().port
                transport.setTcpKeepAlive(True)
                assert handle.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
                assert repr(handle.getsockname()[1]) in repr(handle)
                handle.close()
            return bool(server.made[0].events and client.made[0].events)

        run(reactor, closed, lambda: reactor.connectTCP("127.0.0.1", port.getHost().port, client))
    assert (server.made[0].events, client.events[-2:]) == (["lost"], ["lost", "stop"])
