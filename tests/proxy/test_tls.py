"""TLS towards an upstream: the name is sent and checked, the files are read before anything is served."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import Authority, CertificateFiles
from tests.protocols_for_tests import Recorder
from tests.proxy.connecting import Connecting, Reactor, TlsServer, server_context, shaken
from upgradegw.proxy.address import UpstreamAddress
from upgradegw.proxy.connecting import Connector
from upgradegw.proxy.settings import UpstreamSettings


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.named("upstreams")


@pytest.fixture(scope="module")
def ca(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(authority.write(tmp_path_factory.mktemp("ca")))


@pytest.fixture(scope="module")
def files(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    return authority.certify(tmp_path_factory.mktemp("server"), "app.example")


def test_tls(files: CertificateFiles, ca: str) -> None:
    """The name is sent and checked; the protocol begins behind the handshake, directly at TLS, and nothing is lost."""
    names: list[str | None] = []
    made, server = shaken(files, ca=ca, names=names)
    (protocol,) = made.outcome
    assert isinstance(protocol, Recorder)
    assert names == ["app.example"]
    assert protocol.transport.wrappedProtocol is protocol  # type: ignore[union-attr]
    server.write(b"hello")
    assert protocol.data == b"hello"
    protocol.transport.write(b"you")  # type: ignore[union-attr]
    made.reactor.advance(0)
    assert server.read() == b"you"
    assert server.transport.no_delay  # type: ignore[attr-defined]
    assert made.reactor.getDelayedCalls() == []


@pytest.mark.parametrize(
    ("address", "settings"),
    [
        ("https://other.example", {}),
        ("https://192.0.2.1", {}),
        ("https://app.example", {"server_name": "other.example"}),
        ("https://app.example", {"ca": None}),
    ],
    ids=["other name", "address", "other server_name", "unknown authority"],
)
def test_a_certificate_that_is_not_to_be_trusted(
    files: CertificateFiles, ca: str, address: str, settings: dict[str, Any]
) -> None:
    """It is 502, no byte is sent, and the log says that it is the certificate."""
    made, server = shaken(files, address, **{"ca": ca, **settings})
    assert (made.error.status, made.error.reason.value) == (502, "upstream_unreachable")
    assert "certificate" in made.error.detail
    assert server.transport.disconnecting
    assert made.factory.built == []


def test_another_name(files: CertificateFiles, ca: str) -> None:
    """``server_name`` stands for the host, in what is sent and in what is checked."""
    names: list[str | None] = []
    made, _ = shaken(files, "https://192.0.2.1", ca=ca, server_name="app.example", names=names)
    assert isinstance(made.outcome[0], Recorder)
    assert names == ["app.example"]


@pytest.mark.parametrize(("address", "name"), [("https://other.example", "other.example"), ("https://192.0.2.1", None)])
def test_no_verification(files: CertificateFiles, address: str, name: str | None) -> None:
    """``verify=False`` takes any certificate; a name is sent all the same, an address is not (RFC 6066 section 3)."""
    names: list[str | None] = []
    made, _ = shaken(files, address, verify=False, names=names)
    assert isinstance(made.outcome[0], Recorder)
    assert names == [name]


def test_alpn(files: CertificateFiles, ca: str) -> None:
    """What is spoken is offered; for HTTP/2 it must be chosen, for HTTP/1.1 a server may know nothing of ALPN."""
    _, server = shaken(files, "https://app.example", "h2", "http/1.1", ca=ca)
    assert server.tls.selected_alpn_protocol() == "http/1.1"
    made, server = shaken(files, "https://app.example", "h2", "http/1.1", ca=ca, http_version=2)
    assert server.tls.selected_alpn_protocol() == "h2"
    assert isinstance(made.outcome[0], Recorder)
    for alpn in ([], ["http/1.1"]):
        made, server = shaken(files, "https://app.example", *alpn, ca=ca, http_version=2)
        assert "HTTP/2" in made.error.detail or "TLS" in made.error.detail
        assert server.transport.disconnecting


def test_a_certificate_for_the_upstream(files: CertificateFiles, ca: str, authority: Authority, tmp_path: Path) -> None:
    """It is shown with those between it and its authority."""
    middle = Authority.named("middle", above=authority)
    own = middle.certify(tmp_path, "gateway")
    context = server_context(files)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(ca)
    made = Connecting(
        "https://app.example", reactor=Reactor(["192.0.2.1"]), ca=ca, cert=str(own.cert), key=str(own.key)
    )
    server = TlsServer(made.accept(), context)
    server.pump()
    shown = server.tls.getpeercert()
    assert shown is not None
    assert shown["subject"] == ((("commonName", "gateway"),),)


@pytest.mark.parametrize("end", ["close", "time", "cancel", "cleartext"])
def test_no_handshake(files: CertificateFiles, ca: str, end: str) -> None:
    """It ends with the connection, with the time, and where it is not TLS that answers."""
    made = Connecting("https://app.example", reactor=Reactor(["192.0.2.1"]), ca=ca)
    transport = made.accept()
    if end == "close":
        transport.lose()
        assert "closed the connection" in made.error.detail
    elif end == "time":
        made.reactor.advance(5.1)
        assert made.error.reason.value == "upstream_timeout"
    elif end == "cancel":
        made.result.cancel()
        assert made.outcome
    else:
        transport.deliver(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        transport.lose()
        assert made.error.detail.startswith("https://app.example: TLS failed: ")
    assert transport.disconnecting or end == "close"
    assert made.reactor.getDelayedCalls() == []


# --- Files.


def connector(**settings: Any) -> Connector:
    return Connector(UpstreamAddress.parse("https://app.example"), UpstreamSettings(**settings), Reactor())


def test_files_that_are_of_no_use(files: CertificateFiles, ca: str, tmp_path: Path) -> None:
    """Each is refused before anything is served, with its key and its name."""
    empty, broken = tmp_path / "empty.pem", tmp_path / "broken.pem"
    empty.write_bytes(b"")
    broken.write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    cert, key, missing = str(files.cert), str(files.key), str(tmp_path / "none.pem")
    for settings, says in (
        ({"ca": missing}, "ca = .*none.pem.*No such file"),
        ({"ca": str(empty)}, "ca = .*empty.pem.*no certificate"),
        ({"ca": str(broken)}, "ca = .*broken.pem.*something else"),
        ({"ca": key}, "ca = .*holds no certificate"),
        ({"cert": missing}, "cert = .*No such file"),
        ({"cert": cert}, "cert = .*no private key"),
        ({"cert": cert, "key": str(empty)}, "key = .*no private key"),
        ({"cert": cert, "key": missing}, "key = .*No such file"),
        ({"cert": ca, "key": key}, "not the one of the certificate"),
    ):
        with pytest.raises(ValueError, match=says):
            connector(**settings)


def test_certificate_and_key_in_one_file(files: CertificateFiles, tmp_path: Path) -> None:
    """As some tools write them."""
    both = tmp_path / "both.pem"
    both.write_bytes(files.key.read_bytes() + files.cert.read_bytes())
    connector(cert=str(both))
