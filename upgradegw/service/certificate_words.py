"""Certificates in words: whose they are, until when, and what a person should know of them before clients do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from upgradegw.service.certificates import Pair
from upgradegw.service.tls_files import Material

#: A certificate is expected to be renewed before this. Certbot renews when a third of the time is left, or half of it
#: if that is ten days or less; when half of the third has gone, too, renewal does not work.
_WARN_BEFORE = dt.timedelta(days=14)
_WARN_SHARE = 6

#: Bits: the least that RFC 9325 section 4.5 allows.
_LEAST_RSA = 2048
_LEAST_CURVE = 224


def now() -> dt.datetime:
    """Return the time of day, with its zone."""
    return dt.datetime.now(dt.UTC)


def names(pair: Pair) -> str:
    """Return what a certificate is for, as one text."""
    return " ".join((*pair.names, *pair.addresses)) or "no name"


def expiry(certificate: x509.Certificate, when: dt.datetime) -> str:
    """Return until when a certificate is valid: ``expires 2027-01-01 (in 40 days)``.

    Args:
        certificate: The certificate.
        when: The time of day.
    """
    end = certificate.not_valid_after_utc
    left = end - when
    verb = "expires" if left > dt.timedelta() else "expired"
    return f"{verb} {end:%Y-%m-%d} ({_distance(left)})"


def _distance(left: dt.timedelta) -> str:
    seconds = abs(left.total_seconds())
    days, hours = int(seconds // 86400), int(seconds // 3600)
    number, unit = (days, "day") if days else (hours, "hour")
    text = f"{number} {unit}{'' if number == 1 else 's'}"
    return f"in {text}" if left > dt.timedelta() else f"{text} ago"


def time_warnings(pair: Pair, when: dt.datetime) -> list[str]:
    """Return what is wrong with a pair at a time: expired, soon to expire, not yet valid.

    Args:
        pair: The pair.
        when: The time of day.
    """
    certificate = pair.certificate
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if when < begin:
        return [f"not valid before {begin:%Y-%m-%d %H:%M} UTC"]
    if when >= end or end - when < min(_WARN_BEFORE, (end - begin) / _WARN_SHARE):
        return [expiry(certificate, when)]
    return []


def warnings(pair: Pair, when: dt.datetime) -> list[str]:
    """Return what is wrong with a pair, besides what makes it unusable.

    Args:
        pair: The pair.
        when: The time of day.
    """
    found = time_warnings(pair, when)
    if not pair.names and not pair.addresses:
        found.append("no subjectAltName, so no client accepts it for any name")
    found += _chain_warnings(pair.chain)
    for certificate in pair.chain:
        found += [f"{text} ({certificate.subject.rfc4514_string()})" for text in _weaknesses(certificate)]
    return found


def _chain_warnings(chain: tuple[x509.Certificate, ...]) -> list[str]:
    """Look at whether each certificate of a chain was issued by the next one (RFC 8446 section 4.4.2)."""
    for lower, upper in pairwise(chain):
        if not _issued_by(lower, upper):
            subject, issuer = lower.subject.rfc4514_string(), upper.subject.rfc4514_string()
            return [f"chain out of order: {issuer} follows {subject}, and has not issued it"]
    if len(chain) == 1 and chain[0].issuer != chain[0].subject:
        issuer = chain[0].issuer.rfc4514_string()
        return [f"no chain follows: clients that do not have the certificate of {issuer} will refuse this one"]
    return []


def _issued_by(lower: x509.Certificate, upper: x509.Certificate) -> bool:
    try:
        lower.verify_directly_issued_by(upper)
    except InvalidSignature:
        return False
    except (ValueError, TypeError, UnsupportedAlgorithm):  # other names, or an old kind of key or signature
        return lower.issuer == upper.subject
    return True


def _weaknesses(certificate: x509.Certificate) -> list[str]:
    found = []
    key = certificate.public_key()
    least = {rsa.RSAPublicKey: _LEAST_RSA, ec.EllipticCurvePublicKey: _LEAST_CURVE}
    bits: int | None = getattr(key, "key_size", None)
    for kind, enough in least.items():
        if isinstance(key, kind) and bits is not None and bits < enough:
            found.append(f"weak key of {bits} bits")
    try:
        digest = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return found
    self_issued = certificate.issuer == certificate.subject  # nobody looks at its signature
    if isinstance(digest, (hashes.SHA1, hashes.MD5)) and not self_issued:
        found.append(f"signed with {digest.name.upper()}")
    return found


def rows(material: Material, when: dt.datetime) -> Iterator[dict[str, Any]]:
    """Describe what a server shows to clients: names and values for each certificate, and more for each warning.

    Args:
        material: What the files held.
        when: The time of day.
    """
    for pair in material.pairs:
        named = {"file": pair.file, "names": ",".join((*pair.names, *pair.addresses)) or None}
        issuer = {"issuer": pair.certificate.issuer.rfc4514_string()}
        yield {**named, **issuer, **_until(pair.certificate, when)}
        yield from ({"file": pair.file, "warning": warning} for warning in warnings(pair, when))
    for authority in material.authorities:
        need = "optional" if material.client_optional else "required"
        subject = authority.subject.rfc4514_string()
        yield {"client-ca": subject, "client-certificate": need, **_until(authority, when)}


def _until(certificate: x509.Certificate, when: dt.datetime) -> dict[str, Any]:
    end = certificate.not_valid_after_utc
    return {"not-after": f"{end:%Y-%m-%dT%H:%M:%SZ}", "days-left": (end - when).days}
