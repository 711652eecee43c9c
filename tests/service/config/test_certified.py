"""``ssl:`` endpoints as TCP with a certificate."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.task import Clock
from twisted.python.usage import UsageError

from tests.certificates import self_signed
from upgradegw.service.config.certified import with_certificates
from upgradegw.service.config.model import Config, Listen, Tls
from upgradegw.service.gateway.secured import secure


def configured(endpoint: str) -> Listen:
    """What becomes of an endpoint."""
    listen = Listen(endpoint=endpoint, http2=False)
    listen.placed("g.toml: [[listen]] 1", {"endpoint": "g.toml: here"})
    config = Config(listen=(listen,))
    config.placed("g.toml", {"listen": "g.toml: [[listen]]"})
    made = with_certificates(config)
    assert (made.where, made.keys) == (config.where, config.keys)
    return made.listen[0]


def test_a_certificate_becomes_tls() -> None:
    """The place, its name in messages, and what else is said of it stay."""
    made = configured("ssl:8443:privateKey=a/k.pem:certKey=a/c.pem:interface=127.0.0.1")
    expected = Listen(endpoint="tcp:port=8443:interface=127.0.0.1", tls=Tls(cert="a/c.pem", key="a/k.pem"), http2=False)
    assert made == expected
    assert (made.where, made.at("endpoint")) == ("g.toml: [[listen]] 1", "g.toml: here")


def test_a_file_is_a_file() -> None:
    """Also if it has the name of what is made in memory."""
    assert configured("ssl:8443:privateKey=self-signed").tls == Tls(cert="./self-signed", key="./self-signed")


@pytest.mark.parametrize(
    "endpoint", ["tcp:8080", "unix:ssl", "ssl:443:sslmethod=TLS_METHOD", "ssl:443:extraCertChain=c.pem", "ssl"]
)
def test_others_stay(endpoint: str) -> None:
    """Also those of which only Twisted understands all."""
    assert configured(endpoint) == Listen(endpoint=endpoint, http2=False)


def test_errors_name_the_endpoint(tmp_path: Path) -> None:
    """In words of its own, not with options that nobody typed."""
    missing = tmp_path / "missing.pem"
    tls = configured(f"ssl:0:privateKey={self_signed(tmp_path).key}:certKey={missing}").tls
    assert tls is not None
    with pytest.raises(UsageError, match=f"^g.toml: here: {missing}: no such file or directory$"):
        secure([tls], (), Clock())
