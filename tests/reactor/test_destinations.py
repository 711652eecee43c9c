"""Connecting to TCP ports and UNIX sockets: names, bound addresses, and what is wrong with them."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from twisted.internet import tcp
from twisted.internet.defer import fail, succeed
from twisted.internet.error import BadFileError, ConnectBindError, DNSLookupError, ServiceNameUnknownError

from tests.reactor.protocols import Remembering
from tests.reactor.running import Connecting, Serving, new_reactor, run


def failed(client: Connecting) -> bool:
    """Tell whether an attempt has failed."""
    return "stop" in client.events


def test_names_are_looked_up_by_the_reactors_resolver() -> None:
    """Not by uvloop's."""
    server, client = Serving(), Connecting()
    with new_reactor() as reactor:
        port = reactor.listenTCP(0, server, interface="127.0.0.1")
        reactor.resolve = lambda name: succeed({"a.example": "127.0.0.1"}[name])  # type: ignore[method-assign]
        run(reactor, lambda: client.made != [], lambda: reactor.connectTCP("a.example", port.getHost().port, client))
        assert client.made[0].transport.getPeer().host == "127.0.0.1" if client.made[0].transport.connected else True


def test_a_name_that_is_unknown_fails() -> None:
    """With the resolver's reason."""
    client = Connecting()
    with new_reactor() as reactor:
        reactor.resolve = lambda _name: fail(DNSLookupError())  # type: ignore[method-assign,assignment]
        run(reactor, lambda: failed(client), lambda: reactor.connectTCP("a.example", 80, client))
    assert client.reason.type is DNSLookupError


def test_ports_may_have_names() -> None:
    """Those that the system knows."""
    with new_reactor() as reactor:
        connector: Any = reactor.connectTCP("127.0.0.1", "http", Connecting())  # type: ignore[arg-type]
        assert connector.port == 80
        connector.stopConnecting()
        with pytest.raises(ServiceNameUnknownError):
            reactor.connectTCP("127.0.0.1", "no such service", Connecting())  # type: ignore[arg-type]


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 65536), ("127.0.0.1", -1), ("::1", 65536)])
def test_a_port_out_of_range_is_refused(host: str, port: int) -> None:
    """And not cut to 16 bits."""
    client = Connecting()
    with new_reactor() as reactor:
        run(reactor, lambda: failed(client), lambda: reactor.connectTCP(host, port, client))
    assert client.reason.type is OverflowError


_BINDINGS: list[Any] = [("127.0.0.2", 0)]
if hasattr(tcp, "makeBinding"):  # a later Twisted's
    _BINDINGS.append(tcp.makeBinding("127.0.0.2", 0, reuseAddress=True, reusePort=True))


@pytest.mark.parametrize("binding", _BINDINGS)
def test_a_client_may_choose_its_own_address(binding: Any) -> None:
    """The server sees it."""
    server, client = Serving(), Connecting()
    with new_reactor() as reactor:
        port = reactor.listenTCP(0, server, interface="127.0.0.1")
        connector: Any = reactor.connectTCP("127.0.0.1", port.getHost().port, client, bindAddress=binding)
        bound = connector.transport.socket.getsockname()
        run(reactor, lambda: bool(server.made and client.made))
    assert (server.addresses[0].host, server.addresses[0].port) == bound


def test_an_address_that_is_not_ours_fails() -> None:
    """As a failure to bind, and not at once."""
    client = Connecting()
    with new_reactor() as reactor:
        reactor.connectTCP("127.0.0.1", 1, client, bindAddress=("192.0.2.1", 0))
        assert client.events == ["start", "connecting"]
        run(reactor, lambda: failed(client))
    assert client.reason.type is ConnectBindError


def test_an_attempt_from_an_address_of_our_own_can_fail_and_be_given_up() -> None:
    """The socket is closed both times."""
    refused, given_up = Connecting(), Connecting()
    with new_reactor() as reactor:
        port = reactor.listenTCP(0, Serving(), interface="127.0.0.1")
        number = port.getHost().port
        reactor.connectTCP("127.0.0.1", number, given_up, bindAddress=("127.0.0.1", 0)).stopConnecting()

        def connect(_: object) -> None:
            reactor.connectTCP("127.0.0.1", number, refused, bindAddress=("127.0.0.1", 0))

        run(reactor, lambda: failed(refused), lambda: port.stopListening().addCallback(connect))
    assert (refused.events[2], given_up.events[2]) == ("failed", "failed")


def test_a_unix_socket_that_is_missing_fails(tmp_path: Path) -> None:
    """And so does one whose server is gone, if that is to be looked at."""
    missing, unlocked = Connecting(), Connecting()
    with new_reactor() as reactor:
        reactor.connectUNIX(str(tmp_path / "s"), missing)
        reactor.connectUNIX(str(tmp_path / "s"), unlocked, checkPID=1)
        run(reactor, lambda: failed(missing) and failed(unlocked))
    assert (missing.reason.value.osError, unlocked.reason.type) == (2, BadFileError)


def test_a_unix_socket_whose_backlog_is_full_is_tried_again(tmp_path: Path) -> None:
    """Until there is room, or the time is over."""
    client = Connecting()
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listening, new_reactor() as reactor:
        listening.bind(path)
        listening.listen(0)
        with socket.socket(socket.AF_UNIX) as first:
            first.connect(path)
            connector: Any = reactor.connectUNIX(path, client)
            turns: list[None] = []

            def connected() -> bool:
                turns.append(None)
                if len(turns) == 30:
                    assert connector.state == "connecting"
                    listening.accept()[0].close()
                return client.made != []

            run(reactor, connected)
    assert isinstance(client.made[0], Remembering)


@pytest.mark.parametrize("unix", [True, False])
def test_who_closes_at_once_closes_once(tmp_path: Path, unix: bool) -> None:
    """The descriptor's number may be another's soon, so no object of ours may still have it."""

    class Leaving(Remembering):
        def connectionMade(self) -> None:
            self.transport.abortConnection()  # type: ignore[union-attr]

    server, client = Serving(), Connecting(Leaving)
    with new_reactor() as reactor:
        if unix:
            reactor.listenUNIX(str(tmp_path / "s"), server)
            connector: Any = reactor.connectUNIX(str(tmp_path / "s"), client)
        else:
            port = reactor.listenTCP(0, server, interface="127.0.0.1").getHost().port
            connector = reactor.connectTCP("127.0.0.1", port, client, bindAddress=("127.0.0.1", 0))
        opened = connector._opened if unix else connector._bound
        run(reactor, lambda: "stop" in client.events)
    assert opened.fileno() == -1
