"""TLS in memory: versions, ciphers, names, tickets, client certificates, and contexts exchanged in between."""

from __future__ import annotations

import gc
import re
import ssl
import warnings
import weakref
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from OpenSSL import SSL
from twisted.internet.error import ConnectionLost
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.python.usage import UsageError
from twisted.web.resource import Resource

from tests.certificates import Authority, CertificateFiles, self_signed
from tests.tls_in_memory import Shaken
from upgradegw import UpgradeSite
from upgradegw.service.tls import (
    CIPHERS,
    tls_from_files,
    tls_options,
)
from upgradegw.service.tls_files import TlsFiles

VERSIONS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda v: v.name)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    """A certificate and its key."""
    return self_signed(tmp_path_factory.mktemp("tls"))


def handshake(
    options: Any,
    client: ssl.SSLContext,
    server_name: str | None = "localhost",
    *,
    http2: bool = True,
    session: ssl.SSLSession | None = None,
) -> ssl.SSLObject:
    """Shake hands, and read what the server has to say."""
    site = UpgradeSite(Resource(), http2=http2, reactor=MemoryReactorClock())
    shaken = Shaken(options, client, server_name, site, session)
    connection = shaken.shake()
    shaken.read()
    return connection


def trusting(files: CertificateFiles) -> ssl.SSLContext:
    """A client that trusts the certificate."""
    return ssl.create_default_context(cafile=str(files.cert))


@pytest.mark.parametrize(
    ("offered", "selected"),
    [(["h2", "http/1.1"], "h2"), (["http/1.1", "h2"], "h2"), (["http/1.1"], "http/1.1"), ([], None)],
    ids=str,
)
def test_alpn(files: CertificateFiles, offered: list[str], selected: str | None) -> None:
    """H2-02: whoever offers HTTP/2 gets it, in TLS 1.3; who offers nothing may speak HTTP/1.1 unasked."""
    client = trusting(files)
    if offered:
        client.set_alpn_protocols(offered)
    connection = handshake(tls_options(str(files.cert), str(files.key)), client)
    assert (connection.selected_alpn_protocol(), connection.version()) == (selected, "TLSv1.3")


def test_alpn_without_http2(files: CertificateFiles) -> None:
    """H2-02: a site that does not speak HTTP/2 does not agree on it, whatever the certificate's options."""
    client = trusting(files)
    client.set_alpn_protocols(["h2", "http/1.1"])
    connection = handshake(tls_options(str(files.cert), str(files.key)), client, http2=False)
    assert connection.selected_alpn_protocol() == "http/1.1"


def test_alpn_without_a_protocol_in_common(files: CertificateFiles) -> None:
    """H2-02: h2c is not agreed on, nor is what nobody knows: nothing is, and HTTP/1.1 is spoken."""
    client = trusting(files)
    client.set_alpn_protocols(["h2c", "spdy/3"])
    assert handshake(tls_options(str(files.cert), str(files.key)), client).selected_alpn_protocol() is None


def test_tls_1_2_is_the_least(files: CertificateFiles) -> None:
    """A-33: TLS 1.2 is spoken, TLS 1.1 is not."""
    client = trusting(files)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    assert handshake(tls_options(str(files.cert), str(files.key)), client).version() == "TLSv1.2"
    client = trusting(files)
    client.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore"):  # the standard library warns of old versions, and rightly so
        client.minimum_version = ssl.TLSVersion.TLSv1
        client.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        handshake(tls_options(str(files.cert), str(files.key)), client)


def test_the_key_may_be_in_the_certificates_file(files: CertificateFiles, tmp_path: Path) -> None:
    """One file with both is enough."""
    both = tmp_path / "both.pem"
    both.write_bytes(files.key.read_bytes() + files.cert.read_bytes())
    handshake(tls_options(str(both), None), trusting(files))


def trusting_anybody() -> ssl.SSLContext:
    """A client that looks at no certificate."""
    client = ssl.create_default_context()
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    return client


def hosts(tmp_path: Path) -> tuple[ssl.SSLContext, TlsFiles]:
    """Two certificates of one authority, and a client that trusts it."""
    middle = Authority.named("middle", root := Authority.named("root"))
    pairs = [middle.certify(tmp_path, *names) for names in (("a.example",), ("b.example", "*.b.example"))]
    client = ssl.create_default_context(cafile=str(root.write(tmp_path)))
    client.verify_flags |= ssl.VERIFY_X509_STRICT  # as Python 3.13 does by itself
    return client, TlsFiles(tuple((str(each.cert), str(each.key)) for each in pairs))


def shown(connection: ssl.SSLObject) -> str:
    """The common name of the certificate that a client was shown."""
    certificate = connection.getpeercert()
    assert certificate
    return str(certificate["subject"][0][0][1])  # type: ignore[index]


@pytest.mark.parametrize(
    ("name", "certificate"),
    [("a.example", "a.example"), ("b.example", "b.example"), ("X.B.example", "b.example")],
)
def test_each_name_gets_its_certificate(tmp_path: Path, name: str, certificate: str) -> None:
    """By SNI, with the chain, so that a client that knows the root alone verifies it."""
    client, files = hosts(tmp_path)
    assert shown(handshake(tls_from_files(files), client, name)) == certificate


@pytest.mark.parametrize("name", [None, "c.example", "x.y.b.example", "xn--80ak6aa92e.com"])
def test_unknown_names_get_the_first_certificate(tmp_path: Path, name: str | None) -> None:
    """A-33: so do clients that send no name; what comes of it is the client's decision."""
    client, files = hosts(tmp_path)
    client.check_hostname = False
    assert shown(handshake(tls_from_files(files), client, name)) == "a.example"


def test_certificates_are_exchanged_for_new_connections(tmp_path: Path) -> None:
    """A connection that has begun goes on with what it began with, also if its handshake is not over yet."""
    client, files = hosts(tmp_path)
    tls = tls_from_files(files)
    site = UpgradeSite(Resource(), reactor=MemoryReactorClock())
    begun = Shaken(tls, client, "b.example", site, None)
    begun.begin()
    other = Authority.named("other")
    fresh = other.certify(tmp_path, "b.example", subject="fresh")
    tls.use(TlsFiles(((str(fresh.cert), str(fresh.key)),)).read())
    gc.collect()  # what nobody uses any more goes; the connection uses it
    assert shown(begun.shake()) == "b.example"
    client.load_verify_locations(str(other.write(tmp_path)))
    assert shown(handshake(tls, client, "b.example")) == "fresh"


def test_contexts_live_as_long_as_their_connections(tmp_path: Path) -> None:
    """OpenSSL may call back into the first one behind a change to another; when nobody uses them, all are gone."""
    _client, files = hosts(tmp_path)
    tls = tls_from_files(files)
    site = UpgradeSite(Resource(), reactor=MemoryReactorClock())
    shaken = Shaken(tls, trusting_anybody(), "b.example", site, None)
    shaken.shake()
    generation = weakref.ref(tls._generation)
    tls.use(tls.material)
    gc.collect()
    assert generation() is not None
    shaken.server.connectionLost(Failure(ConnectionLost()))
    del shaken
    gc.collect()
    assert generation() is None


def test_what_openssl_refuses_changes_nothing(files: CertificateFiles, tmp_path: Path) -> None:
    """A key too short for OpenSSL's own level of security is an error in one line."""
    tls = tls_options(str(files.cert), str(files.key))
    short = Authority.named("root").certify(tmp_path, "a.example", key=rsa.generate_private_key(65537, 1024))
    before = tls.material
    with pytest.raises(UsageError, match=r"--tls-cert .*a.example.pem: OpenSSL does not accept it \(ee key too small"):
        tls.use(TlsFiles(((str(short.cert), str(short.key)),)).read())
    assert tls.material is before
    handshake(tls, trusting(files))


@pytest.mark.parametrize("name", CIPHERS.decode().split(":"))
def test_ciphers_of_tls_1_2(name: str) -> None:
    """Each has ephemeral keys and AEAD (RFC 9325 section 4.2), and OpenSSL knows it."""
    assert re.fullmatch(r"ECDHE-(ECDSA|RSA)-(AES(128|256)-GCM-SHA(256|384)|CHACHA20-POLY1305)", name)
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_cipher_list(name.encode())
    assert name in SSL.Connection(context, None).get_cipher_list()


@pytest.mark.parametrize("cipher", ["ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA", "ECDHE-ECDSA-AES128-CCM8"])
def test_other_ciphers_are_not_spoken(files: CertificateFiles, cipher: str) -> None:
    """Neither what RFC 9113 appendix A prohibits nor a shortened tag."""
    client = trusting(files)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers(cipher + ":@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        handshake(tls_options(str(files.cert), str(files.key)), client)


def test_x25519_is_chosen_of_what_a_client_offers(files: CertificateFiles) -> None:
    """Also of a client that would rather have another curve."""
    client = trusting(files)
    site = UpgradeSite(Resource(), reactor=MemoryReactorClock())
    shaken = Shaken(tls_options(str(files.cert), str(files.key)), client, "localhost", site, None)
    shaken.shake()
    assert shaken.server.getHandle().get_group_name().lower() == "x25519"


@VERSIONS
def test_hellos_with_one_wrong_byte(tmp_path: Path, version: ssl.TLSVersion) -> None:
    """A-33: wherever it stands, in the name and in the ticket among them: an alert or a handshake, and no failure."""
    client, files = hosts(tmp_path)
    client.maximum_version = version
    tls = tls_from_files(files)
    session = handshake(tls, client, "b.example").session
    site = UpgradeSite(Resource(), reactor=MemoryReactorClock())
    hello = Shaken(tls, client, "b.example", site, session).hello()
    assert b"b.example" in hello
    for position in range(len(hello)):
        junk = bytearray(hello)
        junk[position] ^= 0x15 if position % 2 else 0xFF
        attacker = Shaken(tls, client, "b.example", site, None)
        attacker.begin()
        attacker.server.dataReceived(bytes(junk))
        attacker.server.connectionLost(Failure(ConnectionLost()))
    assert site.connections == set()
    assert handshake(tls, client, "b.example", session=session).session_reused
