"""Sockets passed on by systemd, in this process: which one is taken, and what is said of wrong ones."""

from __future__ import annotations

import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure
from twisted.python.systemd import ListenFDs
from twisted.python.usage import UsageError

from upgradegw.service.descriptions import Inherited
from upgradegw.service.inheriting import InheritedUnixPort, inherit
from upgradegw.service.listening import bind_all, read_listeners, release_all

Pass = Callable[..., None]


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> Pass:
    """Return a function that passes sockets on, as Twisted finds them."""

    def pass_on(**sockets: socket.socket) -> None:
        found = ListenFDs([each.fileno() for each in sockets.values()], tuple(sockets))
        monkeypatch.setattr("twisted.internet.endpoints._SystemdParser._sddaemon", found)
        monkeypatch.setenv("LISTEN_FDNAMES", ":".join(sockets))

    pass_on()
    return pass_on


@pytest.fixture
def tcp() -> Iterator[socket.socket]:
    """A listening TCP socket, which whoever takes it closes."""
    listening = socket.create_server(("127.0.0.1", 0))
    descriptor = listening.fileno()
    yield listening
    listening.detach()
    with pytest.raises(OSError, match="Bad file descriptor"):
        socket.socket(fileno=descriptor)


def test_a_socket_is_found_by_its_place_or_name(passed: Pass, tcp: socket.socket) -> None:
    """The URL for a person has the port of the socket; the family is read off the socket."""
    passed(web=tcp)
    port = tcp.getsockname()[1]
    for place in (Inherited(), Inherited("INET", 0), Inherited(name="web")):
        bound = inherit(place)
        assert (bound.url(True), bound.everywhere, bound.port) == (f"https://127.0.0.1:{port}/", False, port)
        assert not bound.socket.getblocking()
        if place.name is None:
            bound.socket.detach()
        else:
            bound.close()


def test_a_socket_for_both_families(passed: Pass) -> None:
    """systemd's ListenStream=80 is such a socket: IPv6 that takes IPv4 as well."""
    both = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    passed(web=both)
    bound = inherit(Inherited("INET6"))
    assert (bound.url(False), bound.everywhere) == (f"http://[::1]:{both.getsockname()[1]}/", True)
    both.detach()
    bound.close()


def mistake(text: str) -> str:
    """Return what is said of a ``--listen systemd:…`` that is wrong."""
    with pytest.raises(UsageError) as caught:
        bind_all(read_listeners([(f"--listen {text}", text)]))
    return str(caught.value)


def test_without_systemd_the_words_are_clear() -> None:
    """Whoever starts the command by hand learns what is missing."""
    assert mistake("systemd:domain=INET:index=0") == (
        "--listen systemd:domain=INET:index=0: systemd has passed no socket to this process"
        " (it was not started by a socket unit, or LISTEN_FDNAMES is not set)"
    )


def test_a_socket_that_is_not_there_is_told_from_those_that_are(passed: Pass, tcp: socket.socket) -> None:
    """The message lists the names."""
    passed(web=tcp)
    for text in ("systemd:index=1", "systemd:name=wbe"):
        assert (
            mistake(text) == f"--listen {text}: systemd has passed no such socket; there are, from index=0 on: name=web"
        )
    tcp.close()


def test_another_family_is_named(passed: Pass, tcp: socket.socket) -> None:
    """Twisted would misread the addresses of clients."""
    passed(web=tcp)
    assert mistake("systemd:domain=INET6:index=0").endswith(": this socket is one of domain=INET")
    tcp.close()


def test_a_socket_that_accepts_nothing_is_refused(passed: Pass) -> None:
    """A connection (Accept=yes) or a datagram socket is not for us, and stays open for whom it is for."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams, socket.socket() as unbound:
        for each in (datagrams, unbound):
            passed(web=each)
            assert "accepts no connections: the socket unit needs ListenStream= and Accept=no" in mistake(
                "systemd:index=0"
            )
            assert each.type  # still open


def test_a_descriptor_that_is_closed_is_refused(passed: Pass, tcp: socket.socket) -> None:
    """Whatever closed it, the message has its number."""
    passed(web=tcp)
    descriptor = tcp.fileno()
    tcp.close()
    assert mistake("systemd:index=0").endswith(f": descriptor {descriptor}: bad file descriptor")


def test_one_socket_has_one_purpose(passed: Pass, tcp: socket.socket) -> None:
    """The same socket twice would be closed twice."""
    passed(web=tcp)
    twice = [(f"--listen {text}", text) for text in ("systemd:index=0", "systemd:name=web")]
    with pytest.raises(UsageError, match="name=web: this socket is used by --listen systemd:index=0"):
        bind_all(read_listeners(twice))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("systemd:domain=INET", "write either index= or name="),
        ("systemd:domain=INET:index=0:name=web", "write either index= or name="),
        ("systemd:domain=IPX:index=0", "domain=IPX is none of INET, INET6 and UNIX"),
        ("systemd:domain=INET:index=first", "'first' is no index"),
        ("systemd:domain=INET:idx=0", "idx= is not known here"),
    ],
)
def test_malformed_descriptions(text: str, said: str) -> None:
    """What is wrong is said in one line."""
    assert said in mistake(text)


def test_other_errors_leave_the_socket_as_it_is(passed: Pass, tmp_path: Path) -> None:
    """When the start fails, the file of a UNIX socket of systemd's stays where it is."""
    path = tmp_path / "x.sock"
    listening = socket.create_server(str(path), family=socket.AF_UNIX)
    passed(web=listening)
    listeners = read_listeners([("--listen systemd:index=0", "systemd:index=0")])
    bind_all(listeners)
    listening.detach()
    assert listeners[0].bound is not None
    assert listeners[0].bound.url(True) == f"unix:{path}"
    release_all(listeners)
    assert stat.S_ISSOCK(path.stat().st_mode)


class FakeReactor:
    """Takes notes of what a port asks for."""

    def __init__(self) -> None:
        self.reading: set[Any] = set()
        self.adopted: list[int] = []
        self.later: list[Any] = []

    def addReader(self, reader: Any) -> None:
        self.reading.add(reader)

    def removeReader(self, reader: Any) -> None:
        self.reading.discard(reader)

    def removeWriter(self, writer: Any) -> None:
        pass

    def adoptStreamConnection(self, descriptor: int, family: Any, factory: Any) -> None:
        self.adopted.append(family)

    def callLater(self, _seconds: float, function: Any) -> None:
        self.later.append(function)


def test_without_free_descriptors_a_port_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A-40: when no more files can be opened, the port looks away for a second instead of turning in circles."""
    listening = socket.create_server(str(tmp_path / "x.sock"), family=socket.AF_UNIX)
    listening.setblocking(False)
    reactor = FakeReactor()
    port = InheritedUnixPort(reactor, listening, Factory.forProtocol(Protocol))
    port.startListening()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "x.sock"))
        with monkeypatch.context() as patched:
            patched.setattr(
                socket.socket, "accept", lambda _self: (_ for _ in ()).throw(OSError(24, "Too many open files"))
            )
            port.doRead()
        assert (reactor.reading, reactor.adopted) == (set(), [])
        reactor.later.pop()()
        assert reactor.reading == {port}
        port.doRead()
        assert reactor.adopted == [socket.AF_UNIX]
    assert (port.fileno(), port.getHost().name) == (listening.fileno(), f"{tmp_path}/x.sock".encode())
    port.connectionLost(Failure(ConnectionDone()))
    port._go_on()  # the second passes behind the end
    assert (reactor.reading, listening.fileno()) == (set(), -1)
