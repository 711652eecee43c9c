"""Who may use a route: its keys, made the checks of a guard; the file of names is read again while the route stays."""

from __future__ import annotations

from typing import Any

from twisted.python.usage import UsageError

from upgradegw.proxy.forward_auth import ForwardAuth
from upgradegw.service.config.model import BasicAuth as BasicAuthTable
from upgradegw.service.config.model import Route
from upgradegw.service.resolving import load
from upgradegw.web.guarding import Check
from upgradegw.web.guards import BasicAuth, allow_networks


class Passwords:
    """The check of ``basic_auth``, whose file can be read again.

    Attributes:
        table: The keys.
    """

    def __init__(self, table: BasicAuthTable) -> None:
        """Read.

        Raises:
            UsageError: Neither file nor names are given, or both.
            ValueError: A name or a hash is none.
            OSError: The file cannot be read.
        """
        self.table = table
        self._check = self.read()

    def read(self) -> BasicAuth:
        """Return the check as the file is now; ``use`` puts it in force.

        Raises:
            ValueError: As at the beginning, as the other errors.
        """
        table = self.table
        if (table.file is None) == (table.users is None):
            raise UsageError('write either "file" or "users"')
        if table.file is not None:
            try:
                return BasicAuth.from_file(table.file, realm=table.realm)
            except OSError as error:
                raise UsageError(f"{table.file}: {(error.strerror or str(error)).lower()}") from None
            except UnicodeDecodeError:
                raise UsageError(f"{table.file}: this is not UTF-8") from None
        return BasicAuth(table.users or {}, realm=table.realm)

    def use(self, check: BasicAuth) -> None:
        """Let those pass whom another check lets pass."""
        self._check = check

    def __call__(self, request: Any) -> Any:
        """Ask."""
        return self._check(request)


def check_networks(route: Route) -> list[Check]:
    """Return the check of ``allow``, if it is there.

    Args:
        route: The route.

    Raises:
        ValueError: An entry is no network.
    """
    return [] if route.allow is None else [allow_networks(route.allow)]


def check_passwords(route: Route) -> list[Passwords]:
    """Return the check of ``basic_auth``, if it is there; see ``Passwords``."""
    return [] if route.basic_auth is None else [Passwords(route.basic_auth)]


def check_elsewhere(route: Route, reactor: Any) -> list[ForwardAuth]:
    """Return the check of ``forward_auth``, if it is there.

    Args:
        route: The route.
        reactor: Connects.

    Raises:
        ValueError: The address, or the name of a field, is none.
    """
    table = route.forward_auth
    if table is None:
        return []
    if isinstance(table, str):
        return [ForwardAuth(table, reactor=reactor)]
    return [ForwardAuth(table.url, fields=table.fields, reactor=reactor)]


def check_by_application(route: Route) -> list[Check]:
    """Return the check of ``authorize``, if it is there.

    Args:
        route: The route.

    Raises:
        UsageError: It cannot be called.
    """
    if route.authorize is None:
        return []
    found = load(route.authorize)
    if not callable(found):
        raise UsageError(f"{route.authorize} cannot be called")
    return [found]
