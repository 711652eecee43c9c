"""Certificates in words."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.certificates import Authority, self_signed
from upgradegw.service.certificate_words import expiry, now, rows, time_warnings, warnings
from upgradegw.service.certificates import Pair, read_pair
from upgradegw.service.self_signed import self_signed as made_on_the_spot
from upgradegw.service.tls import self_signed_options
from upgradegw.service.tls_files import Material

DAY = dt.timedelta(days=1)


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """A certificate for 90 days, as certbot gets them, with its chain."""
    middle = Authority.named("middle", Authority.named("root"))
    files = middle.certify(tmp_path, "a.example", "*.a.example", begins=dt.timedelta(), ends=90 * DAY)
    return read_pair("a.example.pem", "a.example.key", files.cert.parent)


def test_a_good_pair_is_one_row(pair: Pair) -> None:
    """File, names, issuer and expiry."""
    end = pair.certificate.not_valid_after_utc
    assert list(rows(Material((pair,)), end - 40 * DAY)) == [
        {
            "file": "a.example.pem",
            "names": "a.example,*.a.example",
            "issuer": "CN=middle",
            "not-after": f"{end:%Y-%m-%dT%H:%M:%SZ}",
            "days-left": 40,
        }
    ]


def test_warnings_have_rows_of_their_own(pair: Pair) -> None:
    """Whoever greps for a warning finds the file beside it."""
    end = pair.certificate.not_valid_after_utc
    first, second = rows(Material((pair,)), end - 2 * DAY)
    assert first["days-left"] == 2
    assert second == {"file": "a.example.pem", "warning": f"expires {end:%Y-%m-%d} (in 2 days)"}


def test_authorities_for_clients_have_rows(pair: Pair) -> None:
    """With what they are for."""
    end = pair.chain[1].not_valid_after_utc
    for optional, need in ((False, "required"), (True, "optional")):
        material = Material((pair,), authorities=pair.chain[1:], client_optional=optional)
        *_, row = rows(material, end - 20 * DAY)
        assert (row["client-ca"], row["client-certificate"], row["days-left"]) == ("CN=middle", need, 20)


def test_a_certificate_made_on_the_spot_has_a_row() -> None:
    """And no warning: it is as it should be."""
    (row,) = rows(self_signed_options(made_on_the_spot()).material, now())
    assert row["file"] == "self-signed"
    assert row["names"].startswith("localhost,")


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (40 * DAY, "expires {} (in 40 days)"),
        (DAY, "expires {} (in 1 day)"),
        (dt.timedelta(hours=2, minutes=1), "expires {} (in 2 hours)"),
        (dt.timedelta(), "expired {} (0 hours ago)"),
        (-dt.timedelta(hours=1), "expired {} (1 hour ago)"),
        (-3 * DAY, "expired {} (3 days ago)"),
    ],
)
def test_expiry(pair: Pair, left: dt.timedelta, text: str) -> None:
    """A date, and how far away it is."""
    end = pair.certificate.not_valid_after_utc
    assert expiry(pair.certificate, end - left) == text.format(f"{end:%Y-%m-%d}")


@pytest.mark.parametrize(
    ("days", "left", "warned"), [(90, 14.1, False), (90, 13.9, True), (6, 1.1, False), (6, 0.9, True)]
)
def test_a_warning_before_the_end(tmp_path: Path, days: int, left: float, warned: bool) -> None:
    """Two weeks before it, or a sixth of a short life: by then it should have been renewed."""
    Authority.named("root").certify(tmp_path, "a.example", begins=dt.timedelta(), ends=days * DAY)
    pair = read_pair("a.example.pem", "a.example.key", tmp_path)
    when = pair.certificate.not_valid_after_utc - left * DAY
    assert time_warnings(pair, when) == ([expiry(pair.certificate, when)] if warned else [])


def test_a_certificate_of_tomorrow(pair: Pair) -> None:
    """Not valid yet: a wrong clock, or a file that came too early."""
    begin = pair.certificate.not_valid_before_utc
    assert time_warnings(pair, begin - DAY) == [f"not valid before {begin:%Y-%m-%d %H:%M} UTC"]


def test_chains(pair: Pair, tmp_path: Path) -> None:
    """In order, out of order, and not there."""
    when = pair.certificate.not_valid_before_utc + DAY
    assert warnings(pair, when) == []
    stranger = Authority.named("stranger").certificate
    strange = Pair((pair.chain[0], stranger, pair.chain[1]), pair.key, "x.pem")
    assert warnings(strange, when) == ["chain out of order: CN=stranger follows CN=a.example, and has not issued it"]
    alone = Pair(pair.chain[:1], pair.key, "x.pem")
    assert warnings(alone, when) == [
        "no chain follows: clients that do not have the certificate of CN=middle will refuse this one"
    ]
    own = read_pair("localhost.pem", "localhost.key", self_signed(tmp_path).cert.parent)
    assert warnings(own, own.certificate.not_valid_before_utc + DAY / 2) == []


def test_weak_keys_and_no_names(tmp_path: Path) -> None:
    """What clients refuse, an operator is told."""
    root = Authority.named("root")
    root.certify(tmp_path, subject="weak", key=rsa.generate_private_key(65537, 1024))
    pair = read_pair("weak.pem", "weak.key", tmp_path)
    pair = Pair((pair.certificate, root.certificate), pair.key, pair.file)
    assert warnings(pair, pair.certificate.not_valid_before_utc + DAY) == [
        "no subjectAltName, so no client accepts it for any name",
        "weak key of 1024 bits (CN=weak)",
    ]


def test_old_signatures(tmp_path: Path) -> None:
    """SHA-1 is named, but not in a root, whose own signature nobody looks at."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the command openssl is not installed")

    def make(name: str, *more: str) -> None:
        command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha1", "-subj", f"/CN={name}", *more]
        files = ["-keyout", f"{name}.key", "-out", f"{name}.pem", "-addext", f"subjectAltName=DNS:{name}"]
        subprocess.run([*command, *files], cwd=tmp_path, check=True, capture_output=True)

    make("root")
    make("old", "-CA", "root.pem", "-CAkey", "root.key")
    pairs = [read_pair(f"{name}.pem", f"{name}.key", tmp_path) for name in ("root", "old")]
    chain = pairs[1].chain + pairs[0].chain
    when = chain[0].not_valid_before_utc + DAY
    assert warnings(Pair(chain, pairs[1].key, "old.pem"), when) == ["signed with SHA1 (CN=old)"]
