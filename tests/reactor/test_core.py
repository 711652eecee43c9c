"""The reactor as a whole: what it provides, how it starts and how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import (
    IReactorProcess,
    IReactorSocket,
    IReactorSSL,
    IReactorTCP,
    IReactorThreads,
    IReactorUDP,
    IReactorUNIX,
)
from twisted.internet.threads import deferToThreadPool

from tests.reactor.protocols import Remembering
from tests.reactor.running import Connecting, Serving, new_reactor, result_of, run


def test_it_is_a_reactor() -> None:
    """With all that Twisted's own can do here."""
    with new_reactor() as reactor:
        for interface in (
            IReactorTCP, IReactorUNIX, IReactorSSL, IReactorSocket, IReactorUDP, IReactorProcess, IReactorThreads,
        ):  # fmt: skip
            assert interface.providedBy(reactor)


def test_connections_that_are_open_at_the_end_are_lost() -> None:
    """Both protocols are told by Twisted's reason, and their descriptors are closed."""
    server, client = Serving(), Connecting()
    with new_reactor() as reactor:
        port = reactor.listenTCP(0, server, interface="127.0.0.1")
        run(
            reactor,
            lambda: bool(server.made and client.made),
            lambda: reactor.connectTCP("127.0.0.1", port.getHost().port, client),
        )
        assert reactor.streams.connections == set()
    for protocol in (server.made[0], client.made[0]):
        assert (protocol.events, protocol.reason.type) == (["lost"], ConnectionLost)


def test_the_reactor_knows_who_reads_and_who_writes() -> None:
    """For those that look at it as at a list of descriptors."""
    server = Serving()
    seen: list[Any] = []

    class Looking(Remembering):
        def connectionMade(self) -> None:
            transport: Any = self.transport
            seen.append((transport in reactor.getReaders(), transport in reactor.getWriters()))
            reactor.removeReader(transport)
            reactor.removeWriter(transport)
            transport.write(b"x")
            seen.append((transport in reactor.getReaders(), transport in reactor.getWriters()))
            reactor.addReader(transport)
            seen.append(transport in reactor.getReaders())

    with new_reactor() as reactor:
        port = reactor.listenTCP(0, server, interface="127.0.0.1")
        assert port in reactor.getReaders()
        run(
            reactor,
            lambda: len(seen) == 3,
            lambda: reactor.connectTCP("127.0.0.1", port.getHost().port, Connecting(Looking)),
        )
    assert seen == [(True, False), (False, True), True]


def test_threads_work_for_it() -> None:
    """And their results come back in its own thread."""
    with new_reactor() as reactor:
        assert result_of(reactor, lambda: deferToThreadPool(reactor, reactor.getThreadPool(), lambda: 1 + 1)) == 2


def test_it_goes_on_in_a_child() -> None:
    """As when twistd becomes a daemon: what was set up before the fork works behind it."""
    code = """
import os, socket
from upgradegw.reactor import install
reactor = install()
from twisted.internet.protocol import Factory, Protocol

class Hello(Protocol):
    def connectionMade(self):
        self.transport.write(b"hello")
        self.transport.loseConnection()
    def connectionLost(self, reason):
        reactor.stop()

port = reactor.listenTCP(0, Factory.forProtocol(Hello), interface="127.0.0.1")
name = port.getHost().port
if child := os.fork():
    with socket.create_connection(("127.0.0.1", name)) as client:
        print(client.recv(10), os.waitpid(child, 0)[1])
    os._exit(0 if print("", flush=True) is None else 1)
reactor.callLater(0, int)
reactor.run()
"""
    environment = {**os.environ, "PYTHONWARNINGS": "default"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False, env=environment
    )
    assert done.stdout.strip() == "b'hello' 0", done.stderr
