"""Certificates of listeners, read once for each table."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.testing import MemoryReactorClock
from twisted.python.usage import UsageError

from tests.certificates import self_signed
from upgradegw.service.config.model import Certificate, Tls
from upgradegw.service.gateway.secured import secure


def test_tables_that_are_equal_share_what_was_read(tmp_path: Path) -> None:
    """A reload keeps it, and with it the keys of session tickets; another table is read."""
    files = self_signed(tmp_path)
    reactor = MemoryReactorClock()
    tables = [Tls(cert=str(files.cert), key=str(files.key)) for _ in range(2)]
    (first,) = secure(tables, [], reactor)
    changed = Tls(cert=str(files.cert), key=str(files.key), client_ca=str(files.cert))
    again, other = secure([*tables, changed], [first], reactor)
    assert again is first
    assert other.tls is not first.tls
    assert (first.notice, len(other.tls.material.authorities)) == (None, 1)


def test_a_certificate_is_made_on_the_spot() -> None:
    """And the log is told what to compare."""
    (made,) = secure([Tls(cert="self-signed")], [], MemoryReactorClock())
    assert made.notice is not None
    assert made.tls.material.pairs[0].file == "self-signed"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (Tls(cert="/nowhere.pem"), 'key "cert": /nowhere.pem: no such file'),
        (Tls(cert="CERT", key="/nowhere.pem"), 'key "key": /nowhere.pem: no such file'),
        (Tls(cert="CERT"), "holds no private key in PEM form; name the key's file with key$"),
        (Tls(cert="CERT", key="KEY", client_ca="/nowhere.pem"), 'key "client_ca": /nowhere.pem: no such file'),
        (Tls(cert="CERT", key="KEY", client_optional=True), "client_optional is of use only"),
        (Tls(cert="self-signed", key="KEY"), "has a key of its own"),
        (Tls(cert="self-signed", certs=(Certificate(cert="CERT"),)), "goes with no other"),
        (Tls(), "there is no certificate"),
    ],
)
def test_mistakes_name_table_and_key(tmp_path: Path, table: Tls, message: str) -> None:
    """In a file the key is named, and not an option that nobody has typed."""
    files = self_signed(tmp_path)
    names = {"CERT": str(files.cert), "KEY": str(files.key)}
    keys = {name: names.get(value, value) for name, value in table.given("cert", "key", "client_ca").items()}
    made = Tls(**keys, certs=table.certs, client_optional=table.client_optional)
    made.placed("g.toml: [[listen]] 1: tls", {})
    with pytest.raises(UsageError, match=message) as caught:
        secure([made], [], MemoryReactorClock())
    assert str(caught.value).startswith("g.toml: [[listen]] 1: tls")


def test_mistakes_of_the_command_line_name_the_option() -> None:
    """As it was typed."""
    table = Tls(cert="/nowhere.pem")
    table.placed("--tls-cert /nowhere.pem", {})
    with pytest.raises(UsageError, match=r"^--tls-cert /nowhere.pem: no such file"):
        secure([table], [], MemoryReactorClock())
