"""Options of TLS: which key belongs to which certificate, and what contradicts what."""

from __future__ import annotations

from pathlib import Path

import pytest
from OpenSSL import SSL
from twisted.internet.testing import MemoryReactorClock
from twisted.python.usage import UsageError

from tests.certificates import Authority, CertificateFiles
from upgradegw.service.gateway.secured import secure
from upgradegw.service.tls import ServerTls
from upgradegw.service.tls_options import TlsOptions


def parsed(*arguments: str) -> ServerTls | None:
    """Parse options, and read what they name."""
    options = TlsOptions()
    options.parseOptions(list(arguments))
    table = options.tls_table()
    return None if table is None else secure([table], (), MemoryReactorClock())[0].tls


def names(tls: ServerTls | None) -> list[tuple[str, ...]]:
    """The names of each certificate."""
    assert tls is not None
    return [pair.names for pair in tls.material.pairs]


@pytest.fixture
def pairs(tmp_path: Path) -> list[CertificateFiles]:
    """Two certificates."""
    authority = Authority.named("authority")
    authority.write(tmp_path)
    return [authority.certify(tmp_path, name) for name in ("a.example", "b.example")]


def test_without_options_there_is_no_tls() -> None:
    """Cleartext is the default."""
    assert parsed() is None


def test_keys_belong_to_certificates_in_their_order(pairs: list[CertificateFiles]) -> None:
    """However the two options are mixed."""
    one, two = pairs
    certificates = ["--tls-cert", str(one.cert), "--tls-cert", str(two.cert)]
    keys = ["--tls-key", str(one.key), "--tls-key", str(two.key)]
    assert names(parsed(*keys, *certificates)) == [("a.example",), ("b.example",)]
    with pytest.raises(UsageError, match="this is not the key of the certificate in"):
        parsed(*certificates, *keys[2:], *keys[:2])


def test_files_may_hold_both(pairs: list[CertificateFiles]) -> None:
    """Without --tls-key every certificate's file holds its key."""
    for files in pairs:
        files.cert.write_bytes(files.cert.read_bytes() + files.key.read_bytes())
    assert names(parsed(*(f"--tls-cert={files.cert}" for files in pairs))) == [("a.example",), ("b.example",)]


def test_each_certificate_needs_a_key_or_none(pairs: list[CertificateFiles]) -> None:
    """With fewer keys nobody could tell whose they are."""
    with pytest.raises(UsageError, match="--tls-key: 1 for 2 of --tls-cert; write one for each"):
        parsed(*(f"--tls-cert={files.cert}" for files in pairs), f"--tls-key={pairs[0].key}")


@pytest.mark.parametrize(("arguments", "optional"), [((), False), (("--tls-client-optional",), True)])
def test_authorities_for_clients(
    pairs: list[CertificateFiles], tmp_path: Path, arguments: tuple[str, ...], optional: bool
) -> None:
    """A file of authorities turns the demand on, also with a certificate made on the spot; a flag makes it a wish."""
    demand = f"--tls-client-ca={tmp_path / 'authority.pem'}"
    for certificate in ((f"--tls-cert={pairs[0].cert}", f"--tls-key={pairs[0].key}"), ("--tls-cert=self-signed",)):
        tls = parsed(*certificate, demand, *arguments)
        assert tls is not None
        assert (len(tls.material.authorities), tls.material.client_optional) == (1, optional)
        mode = tls.serverConnectionForTLS(None).get_verify_mode()  # type: ignore[arg-type]
        assert mode == SSL.VERIFY_PEER | (0 if optional else SSL.VERIFY_FAIL_IF_NO_PEER_CERT)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--tls-key=k.pem",), "--tls-key is of use only together with --tls-cert"),
        (("--tls-client-ca=c.pem",), "--tls-client-ca is of use only together with --tls-cert"),
        (("--tls-client-optional",), "--tls-client-optional is of use only together with --tls-cert"),
        (
            ("--tls-cert=self-signed", "--tls-client-optional"),
            "--tls-client-optional is of use only together with --tls-client-ca",
        ),
        (("--tls-cert=self-signed", "--tls-cert=c.pem"), "--tls-cert self-signed: goes with no other certificate"),
        (
            ("--tls-cert=self-signed", "--tls-key=k.pem"),
            "--tls-cert self-signed: the key is made, too; leave --tls-key out",
        ),
        (
            ("--tls-cert=self-signed", "--tls-client-ca=/nowhere.pem"),
            "--tls-client-ca /nowhere.pem: no such file or directory",
        ),
    ],
)
def test_contradictions(arguments: tuple[str, ...], line: str) -> None:
    """One line says what is wrong."""
    with pytest.raises(UsageError) as caught:
        parsed(*arguments)
    assert str(caught.value) == line
