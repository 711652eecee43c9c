"""Below the requests: junk in place of TLS, TLS in place of requests, names and protocols that nobody has."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import warnings
from typing import Any

import pytest
from OpenSSL import SSL

from tests.attacks.clients import Client, any_server, get
from tests.attacks.conftest import Serve
from tests.attacks.listening import Listening
from tests.certificates import CertificateFiles
from tests.support.process import serving


@pytest.mark.parametrize(
    "junk",
    [
        get(b"/admin"),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x00\x05junk!",
        b"\x16\x03\x01\xff\xff" + bytes(100_000),
        b"\x80\x2e\x01\x00\x02" + bytes(60),  # SSL 2
        b"\x15\x03\x03\x00\x02\x02\x28",  # an alert
        bytes(5000),
    ],
)
def test_junk_in_place_of_tls(tls: Serve, junk: bytes) -> None:
    """A-33: what is no TLS gets an alert at most, never a cleartext answer, and is gone in ten seconds."""
    place = tls()
    client = place.raw().send(junk)
    place.advance(11)
    place.until(lambda: place.open == 0)
    assert b"HTTP" not in client.received
    assert place.root.rendered == []


def test_tls_in_place_of_a_request(tcp: Serve) -> None:
    """A-33: a TLS hello on a cleartext port is no request: 400, and the end."""
    place = tcp()
    client = place.raw()
    client.start_tls(any_server())
    client.tls = None
    place.settle()
    client.refused(400)


def test_protocols_that_nobody_has(tls: Serve) -> None:
    """A-33: ALPN agrees on what is ours; a client that wants something else is answered in HTTP/1.1 or not at all."""
    place = tls(http2=False)
    for offered, agreed in ((("h2", "http/1.1"), "http/1.1"), (("h2",), None), (("x" * 255, "h3", "h2c"), None)):
        client = place.connect(any_server(*offered))
        if client.ready:
            assert client.tls is not None
            assert client.tls.selected_alpn_protocol() == agreed
            client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").refused(400, 505)
    assert place.root.rendered == []


@pytest.mark.parametrize("name", ["evil.example", "a" * 63 + ".example", "xn--80ak6aa92e.com", "localhost."])
def test_names_that_nobody_has(tls: Serve, name: str) -> None:
    """A-33: a server name that is not ours changes nothing; what counts is Host."""
    place = tls(allowed_hosts=["a.example"])
    client = place.raw()
    client.start_tls(any_server(), name)
    place.until(lambda: client.ready or client.closed)
    assert client.send(get(b"/admin")).statuses == [200]
    client.send(get(b"/admin", b"Host: " + name.encode()))
    place.until(lambda: client.closed)
    assert client.statuses == [200, 421]


def test_old_versions(tls: Serve) -> None:
    """A-33: nothing below TLS 1.2 (RFC 9325 section 3.1.1)."""
    place = tls()
    context = any_server()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore"):  # the standard library warns of old versions, and rightly so
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    client = place.connect(context)
    assert client.closed
    assert not client.ready


def _renegotiate(place: Listening, client: Client, connection: Any) -> bool:
    """Ask for a new handshake; return whether there was one."""
    connection.renegotiate()
    before = connection.total_renegotiations()
    try:
        for _ in range(6):
            try:
                connection.do_handshake()
            except SSL.WantReadError:
                client.send(_outgoing(connection))
                connection.bio_write(client.received)
                client.received = b""
    except SSL.Error:
        return False
    return connection.total_renegotiations() > before and not connection.renegotiate_pending()


def _outgoing(connection: Any) -> bytes:
    try:
        return connection.bio_read(1 << 16)  # type: ignore[no-any-return]
    except SSL.WantReadError:
        return b""


def test_renegotiation(tls: Serve) -> None:
    """A-33: a client that asks for a new handshake within TLS 1.2 is refused; everybody else is served."""
    place = tls()
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    connection = SSL.Connection(context, None)
    connection.set_connect_state()
    client = place.raw()
    for _ in range(4):
        try:
            connection.do_handshake()
        except SSL.WantReadError:
            client.send(_outgoing(connection))
            connection.bio_write(client.received)
            client.received = b""
    assert connection.get_protocol_version_name() == "TLSv1.2"
    connection.send(get(b"/"))
    client.send(_outgoing(connection))
    connection.bio_write(client.received)
    client.received = b""
    assert connection.recv(1 << 16).startswith(b"HTTP/1.1 200 ")
    assert not _renegotiate(place, client, connection)
    assert place.ask(get(b"/")).statuses == [200]


def _tell(client: subprocess.Popen[bytes], line: bytes, until: bytes) -> None:
    """Type something, and read until something is there."""
    assert client.stdin is not None
    assert client.stdout is not None
    client.stdin.write(line)
    client.stdin.flush()
    output = b""
    while until not in output:
        more = client.stdout.read1()  # type: ignore[attr-defined]
        assert more, output
        output += more


@pytest.mark.timeout(30)
def test_flood_of_key_updates(certificate: CertificateFiles) -> None:
    """A-33: a client that changes its keys over and over is served as before; so is everybody else."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the command openssl is not installed")
    with serving("--tls-cert", str(certificate.cert), "--tls-key", str(certificate.key)) as server:
        command = [openssl, "s_client", "-connect", f"127.0.0.1:{server.port}", "-tls1_3"]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as client:
            _tell(client, b"", b"SSL handshake has read")
            for _ in range(100):
                _tell(client, b"K\n", b"KEYUPDATE")  # new keys, and the wish that the other side does the same
            _tell(client, get(b"/"), b"HTTP/1.1 200 OK")
            client.kill()
        with server.connect() as plain, any_server().wrap_socket(plain) as other:
            other.sendall(get(b"/"))
            assert other.recv(1 << 16).startswith(b"HTTP/1.1 200 OK")
