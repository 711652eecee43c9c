"""What the tests of the gateway share: an application's module, routes of a few words, and a gateway in memory."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Protocol
from twisted.internet.testing import MemoryReactorClock
from twisted.python.threadpool import ThreadPool
from twisted.web.resource import Resource
from zope.interface import implementer

from tests.memory import WEBSOCKET, Memory, MemoryTransport, content_of
from tests.protocols.twisted_applications import Application, ApplicationFactory
from tests.protocols_for_tests import RecorderFactory
from upgradegw.protocols.stream import stream
from upgradegw.protocols.websocket import websocket
from upgradegw.service.config.model import Config, Listen, Respond, Route
from upgradegw.service.gateway.building import build_routes
from upgradegw.service.gateway.gateway import Gateway
from upgradegw.service.gateway.places import make_listeners
from upgradegw.service.gateway.table import RouteTable
from upgradegw.service.listening import bind_all


class Place(Resource):
    """Says its name and where it was found."""

    isLeaf = True

    def __init__(self, name: bytes = b"place") -> None:
        super().__init__()
        self.name = name

    def render(self, request: Any) -> bytes:
        return self.name + b" " + b"/".join(request.prepath) + b"|" + b"/".join(request.postpath)


class Tree(Resource):
    """Has one child, ``leaf``."""

    def __init__(self) -> None:
        super().__init__()
        self.putChild(b"leaf", Place(b"leaf"))

    def render(self, request: Any) -> bytes:
        return b"tree"


class Quiet(Protocol):
    """A protocol that says nothing."""


def websocket_factory() -> WebSocketServerFactory:
    """An Autobahn factory as a user writes it."""
    factory = WebSocketServerFactory()
    factory.protocol = WebSocketServerProtocol
    return factory


def application(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Install a module of the user's, ``routed_app``."""
    module = ModuleType("routed_app")
    monkeypatch.setitem(sys.modules, "routed_app", module)
    vars(module).update(
        root=Place(b"root"),
        inner=Place(b"inner"),
        tree=Tree(),
        Tree=Tree,
        factory=RecorderFactory(),
        Quiet=Quiet,
        feed=stream("feed/2", RecorderFactory()),
        ws=websocket_factory(),
        WsProtocol=WebSocketServerProtocol,
        configured=websocket(websocket_factory()),
        twisted_ws=ApplicationFactory(lambda _request: Application()),
        TwistedWs=type("TwistedWs", (), {"buildProtocol": lambda _self, _request: Application()}),
        wsgi=lambda _environ, _start: [b""],
        number=7,
        make_number=lambda: 7,
    )
    return module


class Reactor(MemoryReactorClock):
    """A reactor in memory that has threads to offer, and takes sockets over.

    Attributes:
        ports: The ports, in the order in which they were opened.
    """

    def __init__(self) -> None:
        super().__init__()
        self.ports: list[Port] = []

    def adoptStreamPort(self, _fileno: int, _family: int, factory: Any) -> Port:
        self.ports.append(Port(factory))
        return self.ports[-1]

    def getThreadPool(self) -> ThreadPool:
        return ThreadPool()


def placed(**keys: Any) -> Route:
    """A route as if it stood in a file."""
    made = Route(**keys)
    made.placed(f"g.toml: [[route]] ({made.path})", {})
    return made


def says(path: str, content: str, **keys: Any) -> Route:
    """A route that answers with a text."""
    return placed(path=path, respond=Respond(content=content), **keys)


def served(*tables: Route, **arguments: Any) -> Memory:
    """A connection to a site with some routes."""
    return Memory(RouteTable(build_routes(tables, Reactor())), **arguments)


def ask(memory: Any, target: str, host: str = "a.example", *lines: str) -> bytes:
    """Ask for a target on a connection of its own; return the response."""
    transport = memory.connect()
    head = "\r\n".join([f"GET {target} HTTP/1.1", f"Host: {host}", *lines, "", ""])
    transport.deliver(head.encode())
    while transport.producer is not None and not transport.streaming:
        transport.producer.resumeProducing()  # as a socket does that has room for more
    answer: bytes = transport.value()
    return answer


def content(memory: Any, target: str, host: str = "a.example") -> bytes:
    """Return the content of an answer."""
    return content_of(ask(memory, target, host))


@implementer(IListeningPort)
class Port:
    """A port in memory."""

    def __init__(self, factory: Any) -> None:
        self.factory = factory
        self.open = True
        factory.doStart()

    def startListening(self) -> None:
        """Nothing to do."""

    def getHost(self) -> UNIXAddress:
        return UNIXAddress(b"/x.sock")

    def stopListening(self) -> None:
        self.open = False
        self.factory.doStop()


class Running:
    """A gateway whose sockets are bound, as files of a folder, and served by a reactor in memory."""

    def __init__(self, folder: Path, *routes: Route, listen: tuple[Listen, ...] | None = None, **keys: Any) -> None:
        """Serve some routes at ``1.sock`` unless something else is said."""
        self.folder = folder
        self.reactor = Reactor()
        config = self.configuration(*routes, listen=listen, **keys)
        listeners = make_listeners(config.listen)
        bind_all(listeners)
        self.gateway = Gateway(self.reactor, config, listeners)
        self.gateway.entrances.open()

    def at(self, number: int, **keys: Any) -> Listen:
        """A listener."""
        made = Listen(endpoint=f"unix:{self.folder}/{number}.sock:lockfile=0", **keys)
        made.placed(f"g.toml: [[listen]] {number}", {})
        return made

    def configuration(self, *routes: Route, listen: tuple[Listen, ...] | None = None, **keys: Any) -> Config:
        """A configuration with some routes."""
        return Config(route=routes, listen=(self.at(1),) if listen is None else listen, **keys)

    def change(self, *routes: Route, **keys: Any) -> list[str]:
        """Let another configuration take effect; return what has changed."""
        return self.gateway.adopt(self.gateway.prepare(self.configuration(*routes, **keys)))

    def port(self, number: int = 0) -> Port:
        """Return the port that was opened at that place in the order."""
        return self.reactor.ports[number]

    def connect(self, number: int = 0) -> MemoryTransport:
        """Open a connection to a port."""
        assert self.port(number).open
        transport = MemoryTransport(peerAddress=IPv4Address("TCP", "192.0.2.7", 40001))
        transport.protocol = self.port(number).factory.buildProtocol(transport.getPeer())
        transport.protocol.makeConnection(transport)
        return transport

    def switch(self, path: bytes, number: int = 0) -> MemoryTransport:
        """Open a connection and switch it to WebSocket."""
        transport = self.connect(number)
        transport.deliver(WEBSOCKET.replace(b"/ws", path))
        assert transport.value().startswith(b"HTTP/1.1 101 ")
        transport.clear()
        return transport

    def close(self) -> None:
        """Give everything back."""
        self.gateway.entrances.stop_watching()
        for entrance in self.gateway.entrances:
            entrance.close()
