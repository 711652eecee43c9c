"""What TLS agreed on, and whose certificate it is, in lines; whatever a server may have put into it."""

from __future__ import annotations

import ssl

from cryptography import x509


def tls_facts(secure: ssl.SSLSocket, *, checked: bool) -> list[str]:
    """Say what TLS agreed on, and whose certificate it is.

    Args:
        secure: The connection.
        checked: Whether the certificate was.
    """
    cipher = secure.cipher()
    agreed = secure.selected_alpn_protocol() or "nothing"
    lines = [f"{secure.version()}, {cipher[0] if cipher else 'no cipher'}; ALPN agreed on {agreed}"]
    der = secure.getpeercert(binary_form=True)
    if der is None:
        return lines
    said = "trusted, and the name is right" if checked else "not checked (-k)"
    try:
        certificate = x509.load_der_x509_certificate(der)
        subject, until = certificate.subject.rfc4514_string() or "nobody", certificate.not_valid_after_utc
    except ValueError:
        return [*lines, f"certificate that cannot be understood; {said}"]
    lines.append(f"certificate of {subject}, for {_names(certificate)}")
    lines.append(f"certificate valid until {until:%Y-%m-%d %H:%M UTC}; {said}")
    return lines


def _names(certificate: x509.Certificate) -> str:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return "no name"
    except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return "names that cannot be understood"
    return ", ".join(str(name.value) for name in found)
