"""Keys of listeners and of the whole file that contradict one another, or are of no use alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.service.config.files import loaded, mistake

LISTEN = '[[listen]]\nendpoint = "tcp:1"\n'
FIRST = 'gateway.toml: [[listen]] 1 (endpoint "tcp:1"): key '


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            '[[listen]]\nendpoint = "8080"',
            'gateway.toml: [[listen]] 1 (endpoint "8080"): key "endpoint": write tcp:8080 for a TCP port',
        ),
        (LISTEN + "tls = {}", FIRST + '"tls": name a certificate with "cert"'),
        (
            LISTEN + 'tls = { key = "x", certs = [{ cert = "y" }] }',
            FIRST + '"tls.key": this is of use only together with "cert"',
        ),
        (
            LISTEN + 'tls = { cert = "x" }\nredirect = "https"',
            FIRST + '"redirect": this is for a listener without "tls"',
        ),
        (LISTEN + "tls_upgrade = true", FIRST + '"tls_upgrade": name certificates with "tls"'),
        (LISTEN + "https_port = 1", FIRST + '"https_port": this is of use only together with "redirect"'),
        (
            LISTEN + 'redirect = "https"',
            FIRST + '"redirect": there is no TLS to lead to; give a listener "tls", or name an "https_port"',
        ),
        (
            '[[listen]]\nendpoint = "ssl:1"\ntls = { cert = "x" }',
            (
                'gateway.toml: [[listen]] 1 (endpoint "ssl:1"): key "endpoint": this has TLS of its own; with tls or'
                " redirect, write tcp: instead"
            ),
        ),
        (
            'trusted_proxies = ["x"]',
            (
                "gateway.toml: key \"trusted_proxies\": 'x' is no network ('x' does not appear to be an IPv4 or IPv6"
                " network): write a network such as '10.0.0.0/8', an address, or 'unix'"
            ),
        ),
        ("[limits]\ntimeout = inf", 'gateway.toml: [limits]: key "timeout": expected a number, got inf'),
    ],
)
def test_contradictions(tmp_path: Path, text: str, line: str) -> None:
    """The line says which key cannot be, and why."""
    assert mistake(tmp_path, text) == line


def test_networks_of_the_admin(tmp_path: Path) -> None:
    """They are looked at as all others."""
    line = mistake(tmp_path, '[admin]\nendpoint = "tcp:1"\nallow = ["x"]')
    assert line.startswith("gateway.toml: [admin]: key \"allow\": 'x' is no network")


@pytest.mark.parametrize("other", ['tls = { cert = "x" }', "https_port = 443"])
def test_a_redirect_leads_somewhere(tmp_path: Path, other: str) -> None:
    """To another listener's TLS, or to that of another server, whose port is named."""
    text = f'{LISTEN}redirect = "https"\n' + (other if "port" in other else f'[[listen]]\nendpoint = "tcp:2"\n{other}')
    assert loaded(tmp_path, text).listen[0].redirect == "https"


def test_tls_by_upgrade_has_certificates(tmp_path: Path) -> None:
    """The listener stays cleartext, so a redirect does not lead there."""
    text = f'{LISTEN}tls = {{ cert = "x" }}\ntls_upgrade = "required"\n'
    assert loaded(tmp_path, text).listen[0].tls_upgrade == "required"
    assert "there is no TLS" in mistake(tmp_path, text + '[[listen]]\nendpoint = "tcp:2"\nredirect = "https"')
