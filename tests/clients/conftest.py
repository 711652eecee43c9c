"""The demonstration site as real clients meet it, started once, and the tools that the tests start once."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import pytest

from tests.certificates import CertificateFiles, self_signed
from tests.clients.browser import Browser, browsing
from tests.clients.support import assert_no_traceback
from tests.support.process import Server, serving


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    """A certificate for localhost and 127.0.0.1 that is its own authority."""
    return self_signed(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def client_context(certificate: CertificateFiles) -> ssl.SSLContext:
    """A client's TLS settings that trust this authority and no other."""
    return ssl.create_default_context(cafile=certificate.cert)


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demonstration site on TCP; whatever the clients do, it must not log an error."""
    with serving(folder=tmp_path_factory.mktemp("demonstration")) as server:
        yield server
    assert_no_traceback(server)


@pytest.fixture(scope="session")
def secure_demonstration(certificate: CertificateFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demonstration site on TLS."""
    options = "--tls-cert", str(certificate.cert), "--tls-key", str(certificate.key)
    with serving(*options, folder=tmp_path_factory.mktemp("secure")) as server:
        yield server
    assert_no_traceback(server)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium without a window."""
    with browsing(tmp_path_factory.mktemp("browser")) as running:
        yield running
