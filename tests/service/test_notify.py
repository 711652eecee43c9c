"""What a service manager is told, heard at a socket such as systemd has one."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.defer import succeed
from twisted.internet.task import Clock
from twisted.logger import LogEvent, globalLogPublisher

from tests.service.test_running import Port, ServiceCase, listening
from upgradegw.service.notify import Notifier
from upgradegw.service.self_signed import self_signed
from upgradegw.service.tls import self_signed_options


class Manager:
    """A service manager that listens."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.socket.settimeout(5)

    def heard(self) -> dict[str, str]:
        """The next datagram."""
        lines = self.socket.recv(4096).decode().split("\n")
        return dict(line.split("=", 1) for line in lines)

    def silent(self) -> bool:
        """Whether nothing more has come."""
        self.socket.setblocking(False)
        try:
            self.socket.recv(4096)
        except BlockingIOError:
            return True
        return False


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    """A manager on a socket with a path, or in the abstract namespace."""
    made = Manager(str(tmp_path / "notify") if request.param == "path" else f"@upgradegw-{os.getpid()}")
    yield made
    made.socket.close()


def test_ready_reloading_stopping(manager: Manager) -> None:
    """sd_notify(3): each state in one datagram, RELOADING=1 with the time that it began."""
    notifier = Notifier.from_environment({"NOTIFY_SOCKET": manager.address})
    notifier.ready("serving http://127.0.0.1:8080/")
    assert manager.heard() == {"READY": "1", "STATUS": "serving http://127.0.0.1:8080/"}
    notifier.reloading()
    heard = manager.heard()
    assert heard["RELOADING"] == "1"
    assert 0 <= time.clock_gettime(time.CLOCK_MONOTONIC) * 1_000_000 - int(heard["MONOTONIC_USEC"]) < 60_000_000
    notifier.stopping("ending 3 connections")
    assert manager.heard() == {"STOPPING": "1", "STATUS": "ending 3 connections"}


def test_children_do_not_speak_for_us(manager: Manager) -> None:
    """The variables are gone once they are read, and only those."""
    environment = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1", "PATH": "/bin"}
    Notifier.from_environment(environment)
    assert environment == {"PATH": "/bin"}


def test_a_watchdog_is_fed(manager: Manager) -> None:
    """sd_watchdog_enabled(3): twice within the interval, as long as the reactor turns, until the end."""
    clock = Clock()
    notifier = Notifier.from_environment(
        {
            "NOTIFY_SOCKET": manager.address,
            "WATCHDOG_USEC": "30000000",
            "WATCHDOG_PID": str(os.getpid()),
        }
    )
    notifier.watch(clock)
    assert manager.heard() == {"WATCHDOG": "1"}
    clock.advance(15)
    assert manager.heard() == {"WATCHDOG": "1"}
    notifier.unwatch()
    clock.advance(60)
    assert manager.silent()
    assert clock.getDelayedCalls() == []


@pytest.mark.parametrize(
    "watchdog", [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "x"}, {"WATCHDOG_USEC": "9", "WATCHDOG_PID": "1"}]
)
def test_without_a_watchdog_there_is_nothing_to_feed(manager: Manager, watchdog: dict[str, str]) -> None:
    """No interval, none that is a number, or one that is meant for another process."""
    clock = Clock()
    Notifier.from_environment({"NOTIFY_SOCKET": manager.address, **watchdog}).watch(clock)
    assert clock.getDelayedCalls() == []
    assert manager.silent()


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1234"}])
def test_nobody_is_told(environment: dict[str, str]) -> None:
    """Without a manager, or with one that is reached in ways that are not for us, nothing happens."""
    clock = Clock()
    notifier = Notifier.from_environment({**environment, "WATCHDOG_USEC": "1000000"})
    notifier.ready("")
    notifier.watch(clock)
    assert clock.getDelayedCalls() == []


def test_a_manager_that_is_gone_does_no_harm(tmp_path: Path) -> None:
    """The server goes on, and says so in its log."""
    logged: list[LogEvent] = []
    globalLogPublisher.addObserver(logged.append)
    try:
        Notifier(str(tmp_path / "nobody")).ready("")
    finally:
        globalLogPublisher.removeObserver(logged.append)
    assert [event["log_format"].format(**event).partition(":")[0] for event in logged] == [
        "the service manager cannot be told READY=1"
    ]


class Heard(Notifier):
    """Remembers what was to be sent."""

    def __init__(self) -> None:
        super().__init__("/nobody", watchdog=10.0)
        self.lines: list[str] = []

    def _send(self, *lines: str) -> None:
        self.lines += lines


class Service(ServiceCase):
    """What the service tells its manager, and when."""

    def test_a_life(self) -> None:
        """Ready when it listens and the reactor runs, alive until the end, reloading in between, stopping at once."""
        heard = Heard()
        service = self.service(listening(succeed(Port(IPv4Address("TCP", "127.0.0.1", 80)))), notifier=heard)
        service.privilegedStartService()
        assert heard.lines == []
        service.startService()
        for when_running, arguments, named in self.reactor.whenRunningHooks:
            when_running(*arguments, **named)
        self.reactor.advance(0)
        status = "STATUS=serving http://127.0.0.1:80/"
        assert heard.lines == ["READY=1", status, "WATCHDOG=1"]
        heard.lines.clear()
        self.reactor.advance(5)
        assert heard.lines == ["WATCHDOG=1"]
        service._reload()
        assert heard.lines[1] == "RELOADING=1"
        assert heard.lines[3:] == ["READY=1", status]
        heard.lines.clear()
        self.memory.transport.lose()
        self.successResultOf(service.stopService())
        self.reactor.advance(60)
        assert heard.lines == ["STOPPING=1", "STATUS=ending 0 connections"]

    def test_a_cleartext_listener_is_served_without_tls(self) -> None:
        """``--redirect`` gets the site itself, the others get it behind TLS, and each is told by its scheme."""
        tls_listener, plain = (listening(succeed(Port(IPv4Address("TCP", "127.0.0.1", each)))) for each in (443, 80))
        plain.cleartext = True
        service = self.service(tls_listener, plain, tls=self_signed_options(self_signed()))
        service.privilegedStartService()
        assert plain.given.factory.inner is self.memory.site
        assert tls_listener.given.factory.inner is not self.memory.site
        assert service._status() == "serving https://127.0.0.1:443/ http://127.0.0.1:80/"
        assert (tls_listener.port, plain.port) == (443, 80)
        self.memory.transport.lose()
        self.successResultOf(service.stopService())
