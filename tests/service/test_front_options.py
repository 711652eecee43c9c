"""The options of what stands before all routes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.certificates import CertificateFiles, self_signed
from tests.service.test_options import import_path, mistake  # noqa: F401 - a fixture that is used by itself
from upgradegw.service.options import Options

FREE = "tcp:0:interface=127.0.0.1"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The options for TLS."""
    files: CertificateFiles = self_signed(tmp_path_factory.mktemp("tls"))
    return [f"--tls-cert={files.cert}", f"--tls-key={files.key}"]


def ports(options: Options) -> list[tuple[bool, int | None]]:
    """Which listeners are cleartext, and their ports; sockets are closed again."""
    found = [(listener.cleartext, listener.port) for listener in options.listeners]
    for listener in options.listeners:
        assert listener.bound is not None
        listener.bound.close()
    return found


def test_a_redirect_is_bound_with_the_others(tls: list[str]) -> None:
    """It comes behind the listeners with TLS, and its socket is there before twistd becomes a daemon."""
    options = Options()
    options.parseOptions([*tls, f"--redirect={FREE}", f"--listen={FREE}", f"--redirect=haproxy:{FREE}"])
    (first, port), *others = ports(options)
    assert (first, [cleartext for cleartext, _ in others]) == (False, [True, True])
    assert options._https_port(options.listeners) == port


def test_the_port_of_tls_is_443_where_nothing_else_is_known(tls: list[str], tmp_path: Path) -> None:
    """Behind something that takes connections for a UNIX socket, clients know the usual port."""
    options = Options()
    options.parseOptions([*tls, f"--listen=unix:{tmp_path}/x.sock", f"--redirect={FREE}"])
    ports(options)
    assert options._https_port(options.listeners) == 443


def test_the_port_of_tls_can_be_told(tls: list[str]) -> None:
    """In a container the port that we listen on is not the one that clients see."""
    options = Options()
    options.parseOptions([*tls, f"--listen={FREE}", f"--redirect={FREE}", "--https-port=443"])
    ports(options)
    assert options._https_port(options.listeners) == 443


def test_without_them_nothing_stands_before_the_routes() -> None:
    """The root is the routes' own."""
    options = Options()
    options.parseOptions([f"--listen={FREE}"])
    ports(options)
    root = object()
    assert options.front(root, options.listeners) is root


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
