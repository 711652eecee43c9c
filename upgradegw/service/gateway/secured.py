"""The certificates of listeners: read once for each table that names them, and watched while one uses them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from twisted.python.usage import UsageError

from upgradegw.service.certificate_watch import CertificateWatch
from upgradegw.service.config.model import Tls
from upgradegw.service.self_signed import self_signed
from upgradegw.service.tls import ServerTls, self_signed_options, tls_from_files
from upgradegw.service.tls_files import TlsFiles

#: In the place of a certificate's file. A file of this name is ``./self-signed``.
SELF_SIGNED = "self-signed"


class Secured:
    """Certificates in use.

    Attributes:
        table: What names them.
        tls: Gives connections their certificates.
        notice: A line for the log, of what a person should know of them; None without one.
    """

    def __init__(self, table: Tls, tls: ServerTls, notice: str | None, reactor: Any) -> None:
        """Watch nothing yet.

        Args:
            table: What names them.
            tls: What was read.
            notice: A line for the log, or None.
            reactor: Gives the time between two looks at the files.
        """
        self.table = table
        self.tls = tls
        self.notice = notice
        self.watch = CertificateWatch(reactor, tls)


def secure(tables: Iterable[Tls], known: Iterable[Secured], reactor: Any) -> list[Secured]:
    """Read the certificates of some tables; those that are known stay, with the keys of their session tickets.

    Args:
        tables: The tables; equal ones share what was read.
        known: What is in use.
        reactor: Gives the time between two looks at the files.

    Raises:
        UsageError: A file is missing, unreadable or not what it should be.
    """
    found: list[Secured] = []
    for table in tables:
        if any(each.table == table for each in found):
            continue
        same = next((each for each in known if each.table == table), None)
        found.append(same or _read(table, reactor))
    return found


def _read(table: Tls, reactor: Any) -> Secured:
    try:
        tls, notice = _made(table)
    except UsageError as error:
        raise UsageError(str(error) if table.typed else _in_file(table, str(error))) from None
    return Secured(table, tls, notice, reactor)


def _made(table: Tls) -> tuple[ServerTls, str | None]:
    """Read, or make, what a table names; and say what a person should know of it."""
    if table.client_optional and table.client_ca is None:
        raise UsageError("client_optional is of use only together with client_ca")
    if SELF_SIGNED in (cert for cert, _ in table.pairs):
        if len(table.pairs) > 1 or table.key is not None:
            raise UsageError("self-signed goes with no other certificate, and has a key of its own")
        made = self_signed()
        return self_signed_options(made, TlsFiles((), table.client_ca, table.client_optional)), made.notice
    if not table.pairs:
        raise UsageError("there is no certificate")
    return tls_from_files(TlsFiles(table.pairs, table.client_ca, table.client_optional)), None


def _in_file(table: Tls, error: str) -> str:
    """Name the key of the file in the place of the option."""
    match = re.match(r"--tls-(cert|key|client-ca) ", error)
    key = "cert" if match is None else match[1].replace("-", "_")
    text = error if match is None else error[match.end() :]
    return f"{table.at(key)}: {text.replace('--tls-key', 'key')}"
