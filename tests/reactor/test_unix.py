"""UNIX sockets: addresses, and descriptors that are sent."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.address import UNIXAddress
from twisted.internet.error import FileDescriptorOverrun
from twisted.internet.interfaces import IFileDescriptorReceiver
from zope.interface import implementer

from tests.reactor.protocols import HalfCloseable, Producer, Remembering
from tests.reactor.running import Connecting, Serving, new_reactor, run


def talk(path: Path, server: Serving, client: Connecting, until: Callable[[], bool]) -> None:
    """Connect both, and run until something is so."""
    with new_reactor() as reactor:
        reactor.listenUNIX(str(path), server)
        run(reactor, until, lambda: reactor.connectUNIX(str(path), client))


@implementer(IFileDescriptorReceiver)
class Receiving(HalfCloseable):
    """Takes descriptors."""

    def fileDescriptorReceived(self, descriptor: int) -> None:
        self.events.append(os.read(descriptor, 10))
        os.close(descriptor)

    def connectionLost(self, reason: Any = None) -> None:
        super().connectionLost(reason)


@pytest.fixture
def descriptor() -> Any:
    """A pipe that holds three octets."""
    reader, writer = os.pipe()
    os.write(writer, b"abc")
    os.close(writer)
    yield reader
    os.close(reader)


def test_a_connection_over_a_unix_socket(tmp_path: Path) -> None:
    """Octets go there; the addresses are Twisted's."""

    class Asking(Remembering):
        def connectionMade(self) -> None:
            transport: Any = self.transport
            self.ends = transport.getHost(), transport.getPeer(), transport.getTcpNoDelay()
            transport.setTcpNoDelay(True)
            transport.setTcpKeepAlive(True)
            assert transport.getTcpKeepAlive()
            transport.write(b"question")
            transport.loseConnection()

    server, client = Serving(), Connecting(Asking)
    talk(tmp_path / "s", server, client, lambda: bool(server.made) and "lost" in server.made[0].events)
    there = UNIXAddress(str(tmp_path / "s"))
    assert server.made[0].events == [b"question", "lost"]
    assert client.made[0].ends == (UNIXAddress(None), there, False)


def test_descriptors_come_before_the_octets_that_they_were_sent_with(tmp_path: Path, descriptor: int) -> None:
    """Also behind octets that have gone the usual way."""

    class Sending(Remembering):
        def connectionMade(self) -> None:
            self.transport.write(b"before")  # type: ignore[union-attr]

        def dataReceived(self, data: bytes) -> None:
            transport: Any = self.transport
            transport.sendFileDescriptor(descriptor)
            transport.write(b"xy")
            transport.writeSequence([b"z", b"x" * 400_000])
            transport.loseWriteConnection()

    class Answering(Receiving):
        def dataReceived(self, data: bytes) -> None:
            super().dataReceived(data)
            if data == b"before":
                self.transport.write(b"go")  # type: ignore[union-attr]

        def readConnectionLost(self) -> None:
            super().readConnectionLost()
            self.transport.loseConnection()  # type: ignore[union-attr]

    server, client = Serving(Answering), Connecting(Sending)
    talk(tmp_path / "s", server, client, lambda: "stop" in client.events and "lost" in server.made[0].events)
    events = server.made[0].events
    assert (events[:2], events[-2:]) == ([b"before", b"abc"], ["read lost", "lost"])
    assert b"".join(events[2:-2]) == b"xyz" + b"x" * 400_000


def test_more_descriptors_than_octets_lose_the_connection(tmp_path: Path, descriptor: int) -> None:
    """Each needs one to go with; this is Twisted's reason for it."""

    class Sending(Remembering):
        def connectionMade(self) -> None:
            self.transport.sendFileDescriptor(descriptor)  # type: ignore[union-attr]

    class Ending(Receiving):
        def readConnectionLost(self) -> None:
            self.transport.loseConnection()  # type: ignore[union-attr]

    server, client = Serving(Ending), Connecting(Sending)

    def ended() -> bool:
        return "stop" in client.events and bool(server.made) and "lost" in server.made[0].events

    talk(tmp_path / "s", server, client, ended)
    assert client.reason.type is FileDescriptorOverrun
    client.made[0].transport.sendFileDescriptor(descriptor)  # too late, and no mistake


def test_many_descriptors_pause_a_producer(tmp_path: Path, descriptor: int) -> None:
    """Above 64 that wait."""
    producer = Producer()

    class Sending(Remembering):
        def connectionMade(self) -> None:
            transport: Any = self.transport
            transport.registerProducer(producer, True)
            for _ in range(65):
                transport.sendFileDescriptor(descriptor)
            transport.write(b"x" * 65)

    client = Connecting(Sending)
    talk(tmp_path / "s", Serving(), client, lambda: producer.events == ["pause", "resume"])


def test_a_peer_that_is_gone_is_noticed_by_who_passes_descriptors(tmp_path: Path) -> None:
    """Reading and writing end as everywhere."""

    class Leaving(Remembering):
        def connectionMade(self) -> None:
            self.transport.abortConnection()  # type: ignore[union-attr]

    @implementer(IFileDescriptorReceiver)
    class Plain(Remembering):
        def fileDescriptorReceived(self, descriptor: int) -> None:
            """There is none."""

    server = Serving(Plain)
    talk(tmp_path / "s", server, Connecting(Leaving), lambda: bool(server.made) and "lost" in server.made[0].events)
    assert server.made[0].events == ["lost"]


def test_a_descriptor_that_nobody_expects_is_closed(tmp_path: Path) -> None:
    """Whoever replaced the protocol that asked for descriptors is given none."""
    ours, theirs = socket.socketpair()

    class Sending(Remembering):
        def connectionMade(self) -> None:
            transport: Any = self.transport
            transport.sendFileDescriptor(theirs.fileno())
            transport.write(b"x")

    later = Remembering()

    class Replaced(Receiving):
        def connectionMade(self) -> None:
            self.transport.protocol = later  # type: ignore[union-attr]

    talk(tmp_path / "s", Serving(Replaced), Connecting(Sending), lambda: later.events != [])
    theirs.close()
    ours.setblocking(False)
    with ours:
        assert ours.recv(1) == b""
