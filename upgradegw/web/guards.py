"""The checks that a guard is most often made of: networks of clients, and names with passwords (RFC 7617)."""

from __future__ import annotations

import os
from base64 import b64decode
from collections.abc import Awaitable, Iterable, Mapping
from hashlib import sha256
from hmac import compare_digest, digest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, DeferredSemaphore, succeed
from twisted.internet.interfaces import IReactorThreads
from twisted.internet.threads import deferToThreadPool

from upgradegw.interfaces import Allow
from upgradegw.negotiation.client import TrustedProxies
from upgradegw.negotiation.fields import has_control
from upgradegw.negotiation.model import Refuse
from upgradegw.negotiation.reasons import Reason
from upgradegw.web.clients import client_of
from upgradegw.web.guarding import Check

if TYPE_CHECKING:
    from upgradegw.web.passwords import PasswordHash

#: Passwords that are looked at at a time: guessing may cost two processors, and 32 MiB, but no more.
_AT_A_TIME = 2


def allow_networks(networks: Iterable[str]) -> Check:
    """Return a check that lets clients of some networks pass; others get 403.

    Behind a trusted proxy the client is whom that proxy names (``trusted_proxies``), not the proxy.

    Args:
        networks: Networks such as ``10.0.0.0/8``, addresses, or ``"unix"`` for peers on a UNIX socket.

    Raises:
        ValueError: One of them is none of these.
    """
    allowed = TrustedProxies.parse(networks)

    def check(request: Any) -> Allow | Refuse:
        address = client_of(request).address
        if address in allowed:
            return Allow()
        return Refuse(Reason.CLIENT_NOT_ALLOWED, 403, (), f"client {address or 'on a UNIX socket'}")

    return check


class BasicAuth:
    """A check that lets those pass who know a name and its password (RFC 7617); others get 401.

    The name is the request's context: upgrades find it in ``UpgradeInfo.context``. What is sent can be read by whoever
    reads the connection, so use it in TLS only.

    A right password is remembered, as a keyed digest, and the next request that brings it costs nothing. Looking at one
    takes its time in one of the reactor's threads.
    """

    def __init__(self, users: Mapping[str, str], *, realm: str = "upgradegw") -> None:
        """Know some people.

        Args:
            users: Hashes of passwords by name: what ``python -m upgradegw.web.passwords`` prints.
            realm: What a browser shows to the person whom it asks.

        Raises:
            ValueError: There is nobody; a name, a hash or the realm is none.
        """
        from upgradegw.web.passwords import PasswordHash, hash_password  # noqa: PLC0415 - see _parse

        if not users:
            raise ValueError("there is no name with a password: nobody could ever pass")
        self._users = {_checked_name(name): _parse(name, text) for name, text in users.items()}
        if not realm.isascii() or has_control(realm.encode()):
            raise ValueError(f"the realm {realm!r} must be ASCII, and without control characters")
        quoted = realm.replace("\\", "\\\\").replace('"', '\\"')
        self._challenge = ((b"WWW-Authenticate", f'Basic realm="{quoted}", charset="UTF-8"'.encode()),)
        # Compared where there is no such name, so that the time does not tell who there is.
        cost = next(iter(self._users.values())).log2_n
        self._nobody = PasswordHash.parse(hash_password(os.urandom(16).hex(), log2_n=cost))
        self._key = os.urandom(32)
        self._known: dict[str, bytes] = {}
        self._at_a_time = DeferredSemaphore(_AT_A_TIME)

    @classmethod
    def from_file(cls, file: str, *, realm: str = "upgradegw") -> BasicAuth:
        """Read names and hashes from a file.

        Args:
            file: The file: a line ``name:hash`` for each; empty lines, and those that begin with ``#``, say nothing.
            realm: As above.

        Raises:
            ValueError: A line is none, or a name is there twice; the text names the line.
            OSError: The file cannot be read.
        """
        users: dict[str, str] = {}
        for number, line in enumerate(Path(file).read_text("utf-8").splitlines(), 1):
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            name, colon, password_hash = text.partition(":")
            try:
                if not colon or name in users:
                    raise ValueError("write name:hash, and each name once")  # noqa: TRY301 - told with the line
                _parse(name, password_hash)
            except ValueError as error:
                raise ValueError(f"{file}, line {number}: {error}") from None
            users[name] = password_hash
        return cls(users, realm=realm)

    def __call__(self, request: Any) -> Allow | Refuse | Awaitable[Allow | Refuse]:
        """Look at a request's Authorization."""
        credentials = _credentials(request.requestHeaders.getRawHeaders(b"Authorization", ()))
        if credentials is None:
            return self._refuse("no name and password")
        name, password = credentials
        proof = digest(self._key, name.encode() + b":" + password, sha256)
        if compare_digest(self._known.get(name, b""), proof):
            return Allow(context=name)
        reactor = request.site.reactor
        looking = self._at_a_time.run(lambda: self._look(reactor, name, password))
        return looking.addCallback(lambda right: self._judge(name, proof, right=right))

    def _look(self, reactor: Any, name: str, password: bytes) -> Deferred[bool]:
        verify = self._users.get(name, self._nobody).verify
        if IReactorThreads.providedBy(reactor):
            return deferToThreadPool(reactor, reactor.getThreadPool(), verify, password)
        return succeed(verify(password))

    def _judge(self, name: str, proof: bytes, *, right: bool) -> Allow | Refuse:
        if right and name in self._users:
            self._known[name] = proof
            return Allow(context=name)
        return self._refuse("wrong name or password")

    def _refuse(self, detail: str) -> Refuse:
        return Refuse(Reason.UNAUTHENTICATED, 401, self._challenge, detail)


def _credentials(values: Iterable[bytes]) -> tuple[str, bytes] | None:
    """Read name and password (RFC 7617 section 2); None if there are none, or more than one."""
    lines = list(values)
    if len(lines) != 1:
        return None
    scheme, _, encoded = lines[0].partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        name, colon, password = b64decode(encoded.strip(b" "), validate=True).partition(b":")
        return (name.decode("utf-8"), password) if colon else None
    except ValueError:
        return None


def _checked_name(name: str) -> str:
    if not name or ":" in name or has_control(name.encode()):
        raise ValueError(f"{name!r} is no name: it is empty, or holds a colon or control characters")
    return name


def _parse(name: str, text: str) -> PasswordHash:
    # Imported with the package, the module could not be run as a command without a warning of Python's.
    from upgradegw.web.passwords import PasswordHash  # noqa: PLC0415

    try:
        return PasswordHash.parse(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
