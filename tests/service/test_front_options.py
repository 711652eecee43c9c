"""The options of what stands before all routes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.certificates import CertificateFiles, self_signed
from tests.service.test_options import import_path, mistake, parsed  # noqa: F401 - a fixture that is used by itself
from upgradegw.service.config.model import Listen

FREE = "tcp:0:interface=127.0.0.1"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The options for TLS."""
    files: CertificateFiles = self_signed(tmp_path_factory.mktemp("tls"))
    return [f"--tls-cert={files.cert}", f"--tls-key={files.key}"]


def tables(*arguments: str) -> tuple[Listen, ...]:
    """Parse options that are right; sockets are closed again."""
    return parsed(*arguments).config.listen


def test_a_redirect_comes_behind_the_other_listeners(tls: list[str]) -> None:
    """Its socket is there before twistd becomes a daemon, too."""
    found = tables(*tls, f"--redirect={FREE}", f"--listen={FREE}", f"--redirect=haproxy:{FREE}")
    assert [(table.endpoint, table.redirect, table.tls is None, table.https_port) for table in found] == [
        (FREE, None, False, None),
        (FREE, "https", True, None),
        (f"haproxy:{FREE}", "https", True, None),
    ]


def test_the_port_of_tls_can_be_told(tls: list[str]) -> None:
    """In a container the port that we listen on is not the one that clients see."""
    found = tables(*tls, f"--listen={FREE}", f"--redirect={FREE}", "--https-port=443")
    assert [table.https_port for table in found] == [None, 443]


def test_challenges_are_answered_on_every_listener(tls: list[str], tmp_path: Path) -> None:
    """The folder is known by its whole path, wherever twistd goes."""
    found = tables(*tls, f"--listen={FREE}", f"--redirect={FREE}", f"--acme-webroot={tmp_path}/.")
    assert [table.acme_webroot for table in found] == [str(tmp_path)] * 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--redirect=tcp:80"], "--redirect tcp:80: there is no TLS to lead to; name a --tls-cert"),
        (["{tls}", "--redirect=tcp:x"], "--redirect tcp:x: 'x' is no port"),
        (["{tls}", "--https-port=443"], "--https-port is of use only together with --redirect"),
        (["{tls}", f"--redirect={FREE}", "--https-port=0"], "--https-port 0: write a number from 1 to 65535"),
        (["{tls}", f"--redirect={FREE}", "--https-port=x"], "--https-port x: write a number from 1 to 65535"),
        (
            ["{tls}", "--redirect=ssl:1"],
            "--redirect ssl:1: this has TLS of its own; with --tls-cert, write tcp:",
        ),
        (["{tls}", "--listen=haproxy:ssl:1"], "--listen haproxy:ssl:1: this has TLS of its own"),
        (["{tls}", "--listen=tcp:81", "--redirect=tcp:81"], "--redirect tcp:81: --listen tcp:81 is the same place"),
        (["--acme-webroot=nowhere"], "--acme-webroot nowhere: there is no such folder"),
    ],
)
def test_mistakes(arguments: list[str], said: str, tls: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Each is one line and exit status 1."""
    given = [each for argument in arguments for each in (tls if argument == "{tls}" else [argument])]
    assert mistake(capsys, f"--listen={FREE}", *given).startswith(said)
