"""What the tests of deployments share: certificates, and the folder of the documented files."""

from __future__ import annotations

import ssl

import pytest

from tests.certificates import CertificateFiles, self_signed
from tests.source_tree import ROOT

DEPLOY = ROOT / "docs" / "examples" / "deploy"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    """A certificate for localhost and 127.0.0.1, and its key, which its owner alone can read."""
    files = self_signed(tmp_path_factory.mktemp("certificate"))
    files.key.chmod(0o600)
    return files


@pytest.fixture(scope="session")
def tls_options(certificate: CertificateFiles) -> tuple[str, ...]:
    """The certificate as options."""
    return "--tls-cert", str(certificate.cert), "--tls-key", str(certificate.key)


@pytest.fixture(scope="session")
def context(certificate: CertificateFiles) -> ssl.SSLContext:
    """A client that believes in this certificate and no other."""
    return ssl.create_default_context(cafile=str(certificate.cert))
