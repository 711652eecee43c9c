"""Whose certificate a client has shown: on every transport, in the info, and in the events."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h2.config
import h2.connection
import h2.events
import pytest
from twisted.internet.error import ConnectionLost
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogEvent
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from tests.certificates import Authority, CertificateFiles, self_signed
from tests.memory import Memory, upgrade_request
from tests.protocols_for_tests import RecorderFactory
from tests.tls_in_memory import Shaken
from upgradegw import UpgradeResource, UpgradeSite, access_events, client_subject, stream
from upgradegw.service.tls import ServerTls, tls_from_files
from upgradegw.service.tls_files import TlsFiles

GET = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
CONNECT = [
    (":method", "CONNECT"),
    (":protocol", "echo"),
    (":scheme", "https"),
    (":path", "/"),
    (":authority", "a.example"),
]


class Subject(Resource):
    """Tells the client who it is, as often as it is asked; ``/later`` waits."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.waiting: Any = None

    def render(self, request: Any) -> Any:
        if request.path == b"/later":
            self.waiting = request
            return NOT_DONE_YET
        return str(client_subject(request)).encode("utf-8")


@pytest.fixture
def events() -> Iterator[list[LogEvent]]:
    """The access events."""
    found: list[LogEvent] = []
    unsubscribe = access_events.subscribe(found.append)  # type: ignore[arg-type]
    yield found
    unsubscribe()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, CertificateFiles, Authority]:
    """A server's certificate, and who vouches for clients."""
    folder = tmp_path_factory.mktemp("clients")
    authority = Authority.named("authority")
    authority.write(folder)
    return folder, self_signed(folder), authority


@pytest.fixture
def tls(place: tuple[Path, CertificateFiles, Authority]) -> ServerTls:
    """A server that would like to see certificates."""
    folder, files, _authority = place
    return tls_from_files(
        TlsFiles(((str(files.cert), str(files.key)),), str(folder / "authority.pem"), client_optional=True)
    )


def client(place: tuple[Path, CertificateFiles, Authority], subject: str | None, *alpn: str) -> ssl.SSLContext:
    """A client with a certificate, or without one."""
    folder, files, authority = place
    context = ssl.create_default_context(cafile=str(files.cert))
    context.set_alpn_protocols(list(alpn))
    if subject is not None:
        own = authority.certify(folder, subject=subject, file="client")
        context.load_cert_chain(own.cert, own.key)
    return context


def connect(tls: ServerTls, context: ssl.SSLContext, site: Any) -> Shaken:
    """Shake hands with a site."""
    shaken = Shaken(tls, context, "localhost", site, None)
    shaken.shake()
    return shaken


@pytest.mark.parametrize("kind", [UpgradeSite, Site])
@pytest.mark.parametrize(
    ("subject", "told"), [("alice", b"CN=alice"), (None, b"None"), ("a\n\x1b[2Jé", "CN=a\n\x1b[2Jé".encode())]
)
def test_requests_over_tls(place: Any, tls: ServerTls, kind: Any, subject: str | None, told: bytes) -> None:
    """In our site and in a stock one, for every request of a connection."""
    site = kind(Subject(), reactor=MemoryReactorClock())
    shaken = connect(tls, client(place, subject), site)
    for _ in range(2):
        assert told in shaken.send(GET)


def test_without_tls_there_is_none() -> None:
    """Nobody has shown anything."""
    assert Memory(Subject()).send(GET).endswith(b"None")


def test_a_certificate_is_read_once_for_a_connection(place: Any, tls: ServerTls) -> None:
    """Requests do not pay for it each time."""
    shaken = connect(tls, client(place, "alice"), UpgradeSite(Subject(), reactor=MemoryReactorClock()))
    asked = []
    ask = shaken.server.getPeerCertificate
    shaken.server.getPeerCertificate = lambda: asked.append(1) or ask()
    for _ in range(3):
        assert b"CN=alice" in shaken.send(GET)
    assert asked == [1]


def test_a_request_whose_client_has_left(place: Any, tls: ServerTls) -> None:
    """It can still ask, and is not told; nothing fails."""
    root = Subject()
    shaken = connect(tls, client(place, "alice"), UpgradeSite(root, reactor=MemoryReactorClock()))
    shaken.send(GET.replace(b"/ ", b"/later "))
    request = root.waiting
    shaken.server.connectionLost(Failure(ConnectionLost()))
    assert client_subject(request) is None


def test_switches_tell_the_protocol_and_the_log(place: Any, tls: ServerTls, events: list[LogEvent]) -> None:
    """The info, the switch, its end and the requests before it name the client."""
    factory = RecorderFactory()
    site = UpgradeSite(UpgradeResource([stream("echo", factory)]), reactor=MemoryReactorClock())
    shaken = connect(tls, client(place, "alice"), site)
    assert b" 426 " in shaken.send(GET)
    assert b" 101 " in shaken.send(upgrade_request())
    assert factory.only.info.client_subject == "CN=alice"
    shaken.server.connectionLost(Failure(ConnectionLost()))
    assert [(event["event"], event["client_subject"]) for event in events] == [
        (kind, "CN=alice") for kind in ("request", "switch", "end")
    ]


def test_refusals_of_the_channel_name_the_client(place: Any, tls: ServerTls, events: list[LogEvent]) -> None:
    """What is no request came from somebody all the same."""
    shaken = connect(tls, client(place, "alice"), UpgradeSite(Subject(), reactor=MemoryReactorClock()))
    assert b" 400 " in shaken.send(b"junk\r\n\r\n")
    assert [(event["status"], event["client_subject"]) for event in events] == [(400, "CN=alice")]


def test_clients_without_a_certificate_are_not_spoken_of(place: Any, tls: ServerTls, events: list[LogEvent]) -> None:
    """The field is there only if there is something in it."""
    factory = RecorderFactory()
    site = UpgradeSite(UpgradeResource([stream("echo", factory)]), reactor=MemoryReactorClock())
    shaken = connect(tls, client(place, None), site)
    shaken.send(GET)
    shaken.send(upgrade_request())
    assert factory.only.info.client_subject is None
    assert [event["event"] for event in events] == ["request", "switch"]
    assert not any("client_subject" in event for event in events)
    shaken.server.connectionLost(Failure(ConnectionLost()))


def test_on_streams_of_http_2(place: Any, tls: ServerTls, events: list[LogEvent]) -> None:
    """Requests and switches on a stream name the client of the connection."""
    factory = RecorderFactory()
    root = Resource()
    root.putChild(b"", UpgradeResource([stream("echo", factory)]))
    root.putChild(b"who", Subject())
    shaken = connect(tls, client(place, "alice", "h2"), UpgradeSite(root, reactor=MemoryReactorClock()))
    speaking = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    speaking.initiate_connection()
    received: list[Any] = []
    speaking.send_headers(1, [(":method", "GET"), *CONNECT[2:3], (":path", "/who"), *CONNECT[4:]], end_stream=True)
    received += speaking.receive_data(shaken.send(speaking.data_to_send()))
    speaking.send_headers(3, CONNECT)
    received += speaking.receive_data(shaken.send(speaking.data_to_send()))
    (data,) = [event.data for event in received if isinstance(event, h2.events.DataReceived)]
    assert data == b"CN=alice"
    assert factory.only.info.client_subject == "CN=alice"
    assert factory.only.transport.tls_layer is shaken.server
    assert [(event["event"], event["client_subject"]) for event in events] == [
        ("request", "CN=alice"),
        ("switch", "CN=alice"),
    ]
    shaken.server.connectionLost(Failure(ConnectionLost()))
