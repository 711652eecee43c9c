"""The service on a reactor in memory: start, ready line, orderly stop."""

from __future__ import annotations

import shutil
import signal
import socket
import tempfile
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IStreamServerEndpoint
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogEvent, globalLogPublisher
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from tests.certificates import self_signed
from tests.memory import WEBSOCKET, Memory
from upgradegw import __version__
from upgradegw.service import demonstration
from upgradegw.service.access_log import AccessLog
from upgradegw.service.config.model import Respond, Route, Tls
from upgradegw.service.descriptions import parse
from upgradegw.service.gateway.entrances import Entrance, Entrances, Lead
from upgradegw.service.gateway.secured import Secured
from upgradegw.service.listening import Listener, bind_all, read_listeners
from upgradegw.service.options import Options
from upgradegw.service.running import GatewayService
from upgradegw.service.tap import gateway_service
from upgradegw.service.tls import tls_options


@implementer(IListeningPort)
class Port:
    """A port whose end is in the test's hands."""

    def __init__(self, host: Any, end: Any = None) -> None:
        self.host = host
        self.end = end
        self.stopped = False

    def startListening(self) -> None:
        """Nothing to do."""

    def getHost(self) -> Any:
        return self.host

    def stopListening(self) -> Any:
        self.stopped = True
        return self.end


@implementer(IStreamServerEndpoint)
class Endpoint:
    """Listens as the test says."""

    def __init__(self, outcome: Any) -> None:
        self.outcome = outcome
        self.factory: Any = None

    def listen(self, protocolFactory: Any) -> Any:
        self.factory = protocolFactory
        return self.outcome


class Listening(Listener):
    """A listener with a given endpoint."""

    given: Any = None

    def endpoint(self, reactor: Any) -> Any:
        return self.given


def listening(outcome: Any, description: str = "other:1") -> Listening:
    """A listener whose endpoint has this outcome."""
    listener = Listening(f"--listen {description}", parse(description))
    listener.given = Endpoint(outcome)
    return listener


class ServiceCase(SynchronousTestCase):
    """A service in memory, with what it logs."""

    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.logged: list[LogEvent] = []
        globalLogPublisher.addObserver(self.logged.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.logged.append)

    def service(self, *listeners: Listener, **arguments: Any) -> GatewayService:
        """Start a service on the demonstration site."""
        self.memory = Memory(demonstration.site(), clock=self.reactor)
        tls, seconds = arguments.pop("tls", None), arguments.pop("stop_timeout", 10.0)
        leads = [Lead(each, self.memory.site, None if each.cleartext else tls) for each in listeners]
        certificates = [] if tls is None else [Secured(Tls(), tls, None, self.reactor)]
        self.entrances = Entrances([Entrance(self.reactor, lead) for lead in leads], certificates)
        made = GatewayService(
            self.reactor, self.entrances, access_log=AccessLog(None), stop_timeout=lambda: seconds, **arguments
        )
        self.addCleanup(made._stopped, None)
        return made

    def lines(self, namespace: str = "upgradegw.service.running") -> list[str]:
        """What the service itself said, or what was said under another name."""
        return [
            event["log_format"].format(**event) for event in self.logged if event["log_namespace"].startswith(namespace)
        ]


class Start(ServiceCase):
    """Listening, and saying so."""

    def test_the_ready_line_has_every_url(self) -> None:
        """One line, in the order of the options, with the real ports; then the notices."""
        service = self.service(
            listening(succeed(Port(IPv4Address("TCP", "127.0.0.1", 4711)))),
            listening(succeed(Port(IPv4Address("TCP", "127.0.0.1", 4712))), "haproxy:ssl:0"),
            listening(succeed(Port(UNIXAddress(b"/run/x.sock")))),
            listening(succeed(Port("somewhere"))),
            notices=("Take notice.",),
        )
        service.privilegedStartService()
        assert self.lines() == []
        service.startService()
        self.reactor.run()
        assert self.lines() == []
        self.reactor.advance(0)
        urls = "http://127.0.0.1:4711/ https://127.0.0.1:4712/ unix:/run/x.sock somewhere"
        assert self.lines() == [f"upgradegw {__version__} ready: {urls}", "Take notice."]

    def test_who_knows_no_privileges_listens_as_well(self) -> None:
        """Without ``privilegedStartService``, as the command ``twist`` has it, ``startService`` listens."""
        listener = listening(succeed(Port(IPv4Address("TCP", "127.0.0.1", 4711))))
        self.service(listener).startService()
        assert listener.given.factory.inner is self.memory.site

    def test_an_endpoint_that_fails_is_raised(self) -> None:
        """twistd then ends with exit status 1."""
        service = self.service(listening(fail(CannotListenError("127.0.0.1", 1, OSError("no")))))
        with pytest.raises(CannotListenError):
            service.privilegedStartService()

    def test_an_endpoint_that_fails_later_is_logged(self) -> None:
        """The other listeners serve on, and the log says which one does not."""
        outcome: Deferred[IListeningPort] = Deferred()
        self.service(listening(outcome)).startService()
        outcome.errback(CannotListenError("127.0.0.1", 1, OSError("no")))
        assert len(self.flushLoggedErrors(CannotListenError)) == 1
        assert self.lines("upgradegw.service.listening") == ["--listen other:1: cannot listen"]

    def test_an_unknown_endpoint_is_explained(self) -> None:
        """An option that Twisted does not understand is named."""
        listener = read_listeners([("--listen nope:1", "nope:1")])[0]
        with pytest.raises(UsageError, match="--listen nope:1: Unknown endpoint type"):
            self.service(listener)

    def test_nothing_listens_that_was_not_bound(self) -> None:
        """A socket of ours is bound while options are read, or never."""
        listener = read_listeners([("--port 1", "tcp:1")])[0]
        with pytest.raises(UsageError, match="--port 1: not bound"):
            self.service(listener)

    def test_tls_is_a_layer_over_any_endpoint(self) -> None:
        """The endpoint gets TLS around the site, and the URL says https."""
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        files = self_signed(Path(folder))
        listener = listening(succeed(Port(IPv4Address("TCP", "127.0.0.1", 4711))))
        self.service(listener, tls=tls_options(str(files.cert), str(files.key))).startService()
        assert isinstance(listener.given.factory.inner, TLSMemoryBIOFactory)
        assert listener.given.factory.inner.wrappedFactory is self.memory.site
        self.reactor.run()
        self.reactor.advance(0)
        assert "https://127.0.0.1:4711/" in self.lines()[0]

    def test_options_become_a_service(self) -> None:
        """Without a route, the demonstration and a line that says so; with one, a table of routes."""
        options = Options()
        options.parseOptions(["--listen=tcp:0:interface=127.0.0.1", "--access-log=off", "--trusted-proxy=10.0.0.0/8"])
        service = gateway_service(options, self.reactor)
        assert service._notices == (demonstration.NOTICE,)
        options.config = replace(options.config, route=(Route(path="/x", respond=Respond(content="x")),))
        assert gateway_service(options, self.reactor)._notices == ()
        for listener in options.listeners:
            assert listener.bound is not None
            listener.bound.close()


class Stop(ServiceCase):
    """The orderly stop."""

    def test_listening_stops_before_connections_are_told(self) -> None:
        """Another process can take the port while connections end."""
        closed: Deferred[None] = Deferred()
        port = Port(IPv4Address("TCP", "127.0.0.1", 1), end=closed)
        service = self.service(listening(succeed(port)))
        service.startService()
        self.memory.send(WEBSOCKET)
        stopping = service.stopService()
        assert port.stopped
        assert not self.memory.received.endswith(b"\x88\x02\x03\xe9")
        closed.callback(None)
        assert self.memory.received.endswith(b"\x88\x02\x03\xe9")  # Close 1001, RFC 6455 section 7.4.1
        self.assertNoResult(stopping)

    def test_idle_connections_end_at_once(self) -> None:
        """With nobody to wait for, a stop takes no time."""
        service = self.service(listening(succeed(Port("x"))))
        service.startService()
        stopping = service.stopService()
        assert self.memory.transport.disconnecting
        self.memory.transport.lose()
        self.successResultOf(stopping)
        assert self.reactor.getDelayedCalls() == []

    def test_what_does_not_end_is_aborted(self) -> None:
        """A client that never answers the Close is cut off after ``stop_timeout``, and the log counts it."""
        service = self.service(listening(succeed(Port("x"))), stop_timeout=3.0)
        service.startService()
        self.memory.send(WEBSOCKET)
        service.stopService()
        self.reactor.advance(2.9)
        assert not self.memory.transport.disconnected
        self.reactor.advance(0.2)
        assert self.memory.transport.disconnected
        assert "1 connections have not ended: aborting" in self.lines("upgradegw")

    def test_a_stop_ends_even_if_connections_do_not(self) -> None:
        """A transport that does not report its end keeps nobody waiting for more than a second longer."""
        service = self.service(listening(succeed(Port("x"))), stop_timeout=3.0)
        service.startService()
        self.memory.send(WEBSOCKET)
        self.memory.transport.abortConnection = lambda: None
        stopping = service.stopService()
        self.reactor.advance(3.9)
        self.assertNoResult(stopping)
        self.reactor.advance(0.2)
        self.successResultOf(stopping)

    def test_a_socket_file_that_cannot_be_removed_is_no_error(self) -> None:
        """Without its privileges a process may be unable to remove what it made."""
        service = self.service(listening(succeed(Port("x", end=fail(PermissionError(1, "no"))))))
        service.startService()
        stopping = service.stopService()
        self.memory.transport.lose()
        self.successResultOf(stopping)

    def test_hangup_is_given_back(self) -> None:
        """SIGHUP is ours from the start to the end, and no longer."""
        before = signal.getsignal(signal.SIGHUP)
        service = self.service(listening(succeed(Port("x"))))
        service.startService()
        assert signal.getsignal(signal.SIGHUP) != before
        stopping = service.stopService()
        assert signal.getsignal(signal.SIGHUP) != before
        self.memory.transport.lose()
        self.successResultOf(stopping)
        assert signal.getsignal(signal.SIGHUP) == before

    def test_the_signals_of_a_stop_are_ours_as_soon_as_the_reactor_stops(self) -> None:
        """SIGINT and SIGTERM are the reactor's until it has taken notice, and then ours until the process ends."""
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = [signal.getsignal(number) for number in numbers]
        for number, handler in zip(numbers, before, strict=True):
            self.addCleanup(signal.signal, number, handler)
        service = self.service(listening(succeed(Port("x"))))
        service.startService()
        assert [signal.getsignal(number) for number in numbers] == before
        for trigger, args, keywords in self.reactor.triggers["before"]["shutdown"]:
            trigger(*args, **keywords)
        stopping = service.stopService()
        self.memory.transport.lose()
        self.successResultOf(stopping)
        assert all(signal.getsignal(number) != old for number, old in zip(numbers, before, strict=True))


def test_a_real_reactor_adopts_the_socket_and_closes_it(tmp_path: Path) -> None:
    """What adoption does to a real socket is shown on real processes (``test_command``); here: no copy stays open."""
    listeners = read_listeners([("-", f"unix:{tmp_path}/x.sock")])
    bind_all(listeners)
    bound = listeners[0].bound
    assert bound is not None

    class Reactor:
        def adoptStreamPort(self, number: int, family: Any, _factory: Any) -> Port:
            assert (number, family) == (bound.socket.fileno(), socket.AF_UNIX)
            return Port("x")

    listeners[0].endpoint(Reactor()).listen(None)  # type: ignore[arg-type]
    assert bound.socket.fileno() == -1
    bound.close()
