"""A small printer for the clients of CUPS: as much of IPP (RFC 8011) as lpstat and ipptool ask for.

Run as a program it is a site that takes offers of TLS: ``python -m tests.clients.ipp CERT KEY [required]``. It prints
its port, and on standard error a line for each request: the operation, and whether it came in TLS.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from struct import pack, unpack_from
from typing import Any

from twisted.internet import endpoints, task
from twisted.internet.defer import Deferred
from twisted.internet.ssl import PrivateCertificate
from twisted.web.resource import Resource

from upgradegw.web.site import UpgradeSite
from upgradegw.web.tls_upgrade import TlsUpgrade

#: RFC 8010 section 3.5: delimiters of groups, and tags of values.
OPERATION, PRINTER, END = 1, 4, 3
INTEGER, BOOLEAN, ENUM = 0x21, 0x22, 0x23
TEXT, NAME, KEYWORD, URI, CHARSET, LANGUAGE, MIME = 0x41, 0x42, 0x44, 0x45, 0x47, 0x48, 0x49

#: The operations that are known, after RFC 8011 section 5.4.15 and CUPS's own numbers.
OPERATIONS = {
    0x000A: "Get-Jobs",
    0x000B: "Get-Printer-Attributes",
    0x4001: "CUPS-Get-Default",
    0x4002: "CUPS-Get-Printers",
}

NOT_FOUND = 0x0406

Attribute = tuple[int, str, bytes | Iterable[bytes]]


def encode(tag: int, name: str, value: bytes | Iterable[bytes]) -> bytes:
    """Return an attribute; further values of one have no name (RFC 8010 section 3.1.5)."""
    values = [value] if isinstance(value, bytes) else value
    encoded = b""
    for each in values:
        encoded += pack("!BH", tag, len(name)) + name.encode() + pack("!H", len(each)) + each
        name = ""
    return encoded


def response(request: bytes, status: int, attributes: Iterable[Attribute] = ()) -> bytes:
    """Return the answer to a request: its version and number, a status, and what is told of the printer."""
    version, _, number = unpack_from("!HHI", request)
    head = pack("!HHI", version, status, number) + bytes([OPERATION])
    head += encode(CHARSET, "attributes-charset", b"utf-8") + encode(LANGUAGE, "attributes-natural-language", b"en")
    told = b"".join(encode(*attribute) for attribute in attributes)
    return head + (bytes([PRINTER]) + told if told else b"") + bytes([END])


def printer(authority: bytes) -> list[Attribute]:
    """Return what the printer says of itself."""
    return [
        (NAME, "printer-name", b"standin"),
        (URI, "printer-uri-supported", b"ipp://" + authority + b"/printers/standin"),
        (KEYWORD, "uri-security-supported", b"tls"),
        (KEYWORD, "uri-authentication-supported", b"none"),
        (TEXT, "printer-info", b"a printer for tests"),
        (ENUM, "printer-state", pack("!I", 3)),
        (KEYWORD, "printer-state-reasons", b"none"),
        (TEXT, "printer-state-message", b""),
        (BOOLEAN, "printer-is-accepting-jobs", b"\x01"),
        (INTEGER, "printer-type", pack("!I", 0)),
        (INTEGER, "queued-job-count", pack("!I", 0)),
        (INTEGER, "printer-up-time", pack("!I", 1)),
        (INTEGER, "printer-state-change-time", pack("!I", 1)),
        (KEYWORD, "ipp-versions-supported", (b"1.1", b"2.0")),
        (ENUM, "operations-supported", [pack("!I", operation) for operation in OPERATIONS]),
        (CHARSET, "charset-configured", b"utf-8"),
        (CHARSET, "charset-supported", b"utf-8"),
        (LANGUAGE, "natural-language-configured", b"en"),
        (LANGUAGE, "generated-natural-language-supported", b"en"),
        (MIME, "document-format-default", b"application/octet-stream"),
        (MIME, "document-format-supported", b"application/octet-stream"),
        (KEYWORD, "pdl-override-supported", b"not-attempted"),
        (KEYWORD, "compression-supported", b"none"),
    ]


class Printer(Resource):
    """Answers POST with IPP at every path."""

    isLeaf = True

    def render_POST(self, request: Any) -> bytes:
        """Answer one operation."""
        content = request.content.read()
        operation = OPERATIONS.get(unpack_from("!HH", content)[1], "unknown")
        sys.stderr.write(f"{operation} {'TLS' if request.isSecure() else 'cleartext'}\n")
        request.setHeader(b"Content-Type", b"application/ipp")
        if operation == "Get-Jobs":
            return response(content, 0)
        if operation == "unknown":
            return response(content, NOT_FOUND)
        return response(content, 0, printer(request.requestHeaders.getRawHeaders(b"Host")[0]))


def tls_upgrade(certificate: str, key: str, required: str = "") -> TlsUpgrade:
    """Read certificate and key."""
    pair = PrivateCertificate.loadPEM(Path(certificate).read_bytes() + Path(key).read_bytes())
    return TlsUpgrade(pair.options(), required=bool(required))


async def main(reactor: Any, tls: TlsUpgrade) -> None:
    """Serve the printer on a free port."""
    site = UpgradeSite(Printer(), reactor=reactor, tls_upgrade=tls)
    port = await endpoints.serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(site)
    sys.stdout.write(f"{port.getHost().port}\n")
    sys.stdout.flush()
    await Deferred()


if __name__ == "__main__":
    task.react(lambda reactor: Deferred.fromCoroutine(main(reactor, tls_upgrade(*sys.argv[1:]))))
