"""Session tickets: what they are good for, and for how long."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from tests.certificates import CertificateFiles, self_signed
from tests.service.test_tls import VERSIONS, handshake, hosts, shown, trusting
from upgradegw.service.tls import TICKET_KEY_SECONDS, TICKET_SECONDS, ServerTls, tls_from_files, tls_options
from upgradegw.service.tls_files import TlsFiles


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    """A certificate and its key."""
    return self_signed(tmp_path_factory.mktemp("tls"))


@VERSIONS
def test_sessions_are_resumed(tmp_path: Path, version: ssl.TLSVersion) -> None:
    """With a ticket that is good for half as long as its keys, for names of every certificate."""
    client, files = hosts(tmp_path)
    client.maximum_version = version
    tls = tls_from_files(files)
    for name in ("a.example", "b.example"):
        first = handshake(tls, client, name)
        assert (first.session_reused, first.session.has_ticket) == (False, True)  # type: ignore[union-attr]
        assert first.session.ticket_lifetime_hint == TICKET_SECONDS == TICKET_KEY_SECONDS / 2  # type: ignore[union-attr]
        again = handshake(tls, client, name, session=first.session)
        assert again.session_reused
        assert shown(again) == name


@VERSIONS
def test_keys_of_tickets_are_exchanged(files: CertificateFiles, version: ssl.TLSVersion) -> None:
    """No key is used for longer than it should; an old ticket then costs one full handshake."""
    clock = Clock()
    of = TlsFiles(((str(files.cert), str(files.key)),))
    tls = ServerTls(of.read(), of, seconds=clock.seconds)
    client = trusting(files)
    client.maximum_version = version
    session = handshake(tls, client).session
    clock.advance(TICKET_KEY_SECONDS - 1)
    assert handshake(tls, client, session=session).session_reused
    clock.advance(1)
    fresh = handshake(tls, client, session=session)
    assert not fresh.session_reused
    assert handshake(tls, client, session=fresh.session).session_reused


@VERSIONS
def test_tickets_of_another_server_are_worth_nothing(files: CertificateFiles, version: ssl.TLSVersion) -> None:
    """A-33: nor those of a server before its restart; whoever brings one shakes hands in full."""
    one, other = (tls_options(str(files.cert), str(files.key)) for _ in range(2))
    client = trusting(files)
    client.maximum_version = version
    assert not handshake(other, client, session=handshake(one, client).session).session_reused
