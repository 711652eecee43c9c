"""Certificates for clients: who is let in, and who is not let in by a ticket either."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.testing import MemoryReactorClock
from twisted.web.resource import Resource

from tests.certificates import Authority, CertificateFiles, self_signed
from tests.service.test_tls import VERSIONS, trusting
from tests.tls_in_memory import Shaken
from upgradegw import UpgradeSite, client_subject
from upgradegw.service.tls import ServerTls, tls_from_files
from upgradegw.service.tls_files import TlsFiles


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    """A certificate and its key."""
    return self_signed(tmp_path_factory.mktemp("tls"))


@dataclass(frozen=True)
class Clients:
    """A server that asks for certificates, and those who have one."""

    folder: Path
    files: CertificateFiles
    authority: Authority

    def server(self, *, optional: bool = False, authority: Authority | None = None) -> ServerTls:
        """A server that asks for certificates."""
        trusted = str((authority or self.authority).write(self.folder))
        return tls_from_files(TlsFiles(((str(self.files.cert), str(self.files.key)),), trusted, optional))

    def client(self, authority: Authority | None = None, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> Any:
        """A client with a certificate of an authority, or without one."""
        client = trusting(self.files)
        client.maximum_version = version
        if authority is not None:
            own = authority.certify(self.folder, subject="alice", file=f"alice-{id(authority)}")
            client.load_cert_chain(own.cert, own.key)
        return client


@pytest.fixture
def clients(files: CertificateFiles, tmp_path: Path) -> Clients:
    """A server that asks for certificates, and those who have one."""
    return Clients(tmp_path, files, Authority.named("authority"))


class Subject(Resource):
    """Tells the client who it is."""

    isLeaf = True

    def render(self, request: Any) -> bytes:
        return str(client_subject(request)).encode()


def who(tls: ServerTls, client: ssl.SSLContext, session: ssl.SSLSession | None = None) -> tuple[bytes, ssl.SSLObject]:
    """Return what the server knows of a client behind the handshake: its subject, or nothing if it was refused."""
    shaken = Shaken(tls, client, "localhost", UpgradeSite(Subject(), reactor=MemoryReactorClock()), session)
    connection = shaken.shake()
    return shaken.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").rpartition(b"\r\n")[2], connection


def refused(tls: ServerTls, client: ssl.SSLContext, session: ssl.SSLSession | None = None) -> bool:
    """Tell whether a client is refused; in TLS 1.3 it learns of it behind the handshake."""
    try:
        subject, _connection = who(tls, client, session)
    except ssl.SSLError:
        return True
    return subject == b""


@VERSIONS
def test_client_certificates(clients: Clients, version: ssl.TLSVersion) -> None:
    """Whom the authority vouches for is let in and known by name; others, and those without, are not."""
    tls = clients.server()
    assert who(tls, clients.client(clients.authority, version))[0] == b"CN=alice"
    assert refused(tls, clients.client(None, version))
    assert refused(tls, clients.client(Authority.named("stranger"), version))


@VERSIONS
def test_optional_client_certificates(clients: Clients, version: ssl.TLSVersion) -> None:
    """A client may go without; one that shows a certificate must show a good one."""
    tls = clients.server(optional=True)
    assert who(tls, clients.client(None, version))[0] == b"None"
    assert who(tls, clients.client(clients.authority, version))[0] == b"CN=alice"
    assert refused(tls, clients.client(Authority.named("stranger"), version))


def test_an_intermediate_authority_may_be_named_alone(clients: Clients) -> None:
    """Then its clients are let in, and those of its sisters are not."""
    root = Authority.named("root")
    mine, sister = Authority.named("mine", root), Authority.named("sister", root)
    tls = clients.server(authority=mine)
    assert who(tls, clients.client(mine))[0] == b"CN=alice"
    assert refused(tls, clients.client(sister))


@VERSIONS
def test_a_resumed_session_knows_its_client(clients: Clients, version: ssl.TLSVersion) -> None:
    """The certificate is in the ticket: it is not shown again, and not forgotten."""
    tls, client = clients.server(), clients.client(clients.authority, version)
    session = who(tls, client)[1].session
    subject, connection = who(tls, client, session)
    assert (connection.session_reused, subject) == (True, b"CN=alice")


@VERSIONS
def test_no_way_back_in_behind_an_exchange_of_authorities(clients: Clients, version: ssl.TLSVersion) -> None:
    """A-33: whom the new authority does not vouch for is not let in with a ticket from before."""
    tls, client = clients.server(), clients.client(clients.authority, version)
    session = who(tls, client)[1].session
    assert session is not None
    other = clients.server(authority=Authority.named("other"))
    tls.use(other.material)
    assert refused(tls, client, session)


@VERSIONS
def test_no_way_in_from_a_time_without_client_certificates(clients: Clients, version: ssl.TLSVersion) -> None:
    """A-33: a ticket from when clients needed no certificate opens nothing when they do."""
    tls, client = clients.server(optional=True), clients.client(None, version)
    session = who(tls, client)[1].session
    tls.use(clients.server().material)
    assert refused(tls, client, session)
