"""Where attacks take place: each kind of site on each kind of transport, and nothing may be left behind."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import txaio
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogEvent, globalLogPublisher
from twisted.web.server import Site

from tests.attacks.listening import Listening
from tests.attacks.tree import Tree
from tests.certificates import CertificateFiles, self_signed
from tests.support.process import Server, serving
from upgradegw.events import access_events
from upgradegw.service.tls import tls_options
from upgradegw.web.site import UpgradeSite


@dataclass(frozen=True)
class Kind:
    """A kind of site on a kind of transport."""

    site: Any
    secure: bool


#: The one table of where an attack takes place.
KINDS = {
    "UpgradeSite-tcp": Kind(UpgradeSite, secure=False),
    "UpgradeSite-tls": Kind(UpgradeSite, secure=True),
    "Site-tcp": Kind(Site, secure=False),
    "Site-tls": Kind(Site, secure=True),
}
OURS = [name for name, kind in KINDS.items() if kind.site is UpgradeSite]

#: Serves a root, by default a ``Tree``, with arguments of the site's.
Serve = Callable[..., Listening]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    """A certificate and its key."""
    return self_signed(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def clock() -> Iterator[MemoryReactorClock]:
    """A reactor whose time passes when a test says so; Autobahn's timers run on it, too."""
    reactor = MemoryReactorClock()
    reactor.advance(1000)
    before, txaio.config.loop = txaio.config.loop, reactor
    yield reactor
    txaio.config.loop = before


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """What was logged with a traceback; a test that expects some takes it out of the list."""
    failures: list[str] = []

    def observe(event: LogEvent) -> None:
        if "log_failure" in event:
            failures.append(event["log_failure"].getTraceback())

    globalLogPublisher.addObserver(observe)
    yield failures
    globalLogPublisher.removeObserver(observe)
    assert not failures, "".join(failures)


@pytest.fixture
def events() -> Iterator[list[LogEvent]]:
    """The access events."""
    found: list[LogEvent] = []
    unsubscribe = access_events.subscribe(found.append)  # type: ignore[arg-type]
    yield found
    unsubscribe()


def _open_files() -> int:
    return psutil.Process().num_fds()


@pytest.fixture(scope="session")
def reserve() -> None:
    """Twisted keeps one descriptor from the first port on, for the moment when there is no other (A-40)."""
    Listening(MemoryReactorClock(), Factory()).close()


@pytest.fixture
def serve_on(
    reserve: None, clock: MemoryReactorClock, certificate: CertificateFiles, logged: list[str], events: list[LogEvent]
) -> Iterator[Callable[..., Listening]]:
    """Serve on a kind; when the attackers are gone, no connection, timer or descriptor is left."""
    gc.collect(0)
    before = _open_files()
    places: list[Listening] = []

    def serve(kind: Kind, root: Any = None, **arguments: Any) -> Listening:
        root = root or Tree(clock)
        site = kind.site(root, reactor=clock, **arguments)
        site.noisy = False
        options = tls_options(str(certificate.cert), str(certificate.key)) if kind.secure else None
        places.append(Listening(clock, site, options))
        places[-1].root = root  # type: ignore[attr-defined]
        return places[-1]

    yield serve
    for place in places:
        place.close()
        assert not getattr(place.site, "connections", None)
    assert [call for call in clock.getDelayedCalls() if call.active()] == []
    if _open_files() != before:
        gc.collect()  # a temporary file in a reference cycle is no leak
    assert _open_files() <= before


@pytest.fixture(params=KINDS)
def anywhere(request: pytest.FixtureRequest, serve_on: Any) -> Serve:
    """Each kind of site on each kind of transport."""
    return lambda root=None, **arguments: serve_on(KINDS[request.param], root, **arguments)


@pytest.fixture(params=OURS)
def ours(request: pytest.FixtureRequest, serve_on: Any) -> Serve:
    """UpgradeSite on each kind of transport: promises that a stock Site does not make."""
    return lambda root=None, **arguments: serve_on(KINDS[request.param], root, **arguments)


@pytest.fixture
def tcp(serve_on: Any) -> Serve:
    """UpgradeSite on TCP."""
    return lambda root=None, **arguments: serve_on(KINDS["UpgradeSite-tcp"], root, **arguments)


@pytest.fixture
def tls(serve_on: Any) -> Serve:
    """UpgradeSite on TLS."""
    return lambda root=None, **arguments: serve_on(KINDS["UpgradeSite-tls"], root, **arguments)


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demonstration site as a process."""
    with serving(folder=tmp_path_factory.mktemp("empty")) as server:
        yield server


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to be served, and a secret beside it and in it."""
    outside = tmp_path_factory.mktemp("files")
    (outside / "secret.txt").write_text("secret")
    public = outside / "public"
    (public / "sub" / ".git").mkdir(parents=True)
    (public / "empty").mkdir()
    (public / "index.html").write_text("index")
    (public / "page.html").write_text("page")
    (public / ".env").write_text("secret")
    (public / "sub" / ".git" / "config").write_text("secret")
    (public / "outside.txt").symlink_to("../secret.txt")
    (public / "up").symlink_to("..")
    return public
