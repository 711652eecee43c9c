"""Hashes of passwords: scrypt (RFC 7914), which the standard library has, in the form that passlib and PHC write.

Not the older forms of ``htpasswd``: they are hashed so fast that whoever has the file has the passwords; and the slow
one among them, bcrypt, would need one more library. ``python -m upgradegw.web.passwords`` asks for a password, or reads
a line if nobody can be asked, and prints its hash.
"""

from __future__ import annotations

import os
import re
import sys
from base64 import b64decode, b64encode
from dataclasses import dataclass
from getpass import getpass
from hashlib import scrypt
from hmac import compare_digest

#: $scrypt$ln=LOG2_N,r=R,p=P$SALT$HASH, the last two in base64 without padding.
_FORM = re.compile(r"\$scrypt\$ln=([0-9]{1,2}),r=([0-9]{1,2}),p=([0-9]{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)")

#: Those of scrypt's author for people who wait: less than a tenth of a second, and 16 MiB.
_LOG2_N, _R, _P = 14, 8, 1
_SALT_BYTES, _HASH_BYTES = 16, 32
#: Memory for one verification, so that a file of strangers costs no more.
_MAX_MEMORY = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class PasswordHash:
    """What is kept of a password.

    Attributes:
        log2_n: The cost.
        r: The size of a block.
        p: How often it is all done.
        salt: The salt.
        digest: The hash.
    """

    log2_n: int
    r: int
    p: int
    salt: bytes
    digest: bytes

    @classmethod
    def parse(cls, text: str) -> PasswordHash:
        """Read a hash.

        Args:
            text: ``$scrypt$ln=14,r=8,p=1$…$…``.

        Raises:
            ValueError: It is none, or costs too much.
        """
        match = _FORM.fullmatch(text)
        if match is None:
            raise ValueError("this is no hash: write what 'python -m upgradegw.web.passwords' prints, $scrypt$ln=…")
        log2_n, r, p = (int(match[number]) for number in (1, 2, 3))
        salt, digest = (_decode(match[number]) for number in (4, 5))
        if not (log2_n and r and p and digest) or 128 * r * p << log2_n > _MAX_MEMORY:
            raise ValueError(f"a hash with ln={log2_n},r={r},p={p} needs no memory, or more than 256 MiB")
        return cls(log2_n, r, p, salt, digest)

    def verify(self, password: bytes) -> bool:
        """Tell whether a password is the one; takes as long for one as for another.

        Args:
            password: The password, in UTF-8.
        """
        return compare_digest(self.hash(password), self.digest)

    def hash(self, password: bytes) -> bytes:
        """Return what ``digest`` is for the right password.

        Args:
            password: The password, in UTF-8.
        """
        n = 1 << self.log2_n
        memory = 128 * self.r * (n + self.p + 2)
        return scrypt(password, salt=self.salt, n=n, r=self.r, p=self.p, maxmem=memory, dklen=len(self.digest))

    def __str__(self) -> str:
        """As it stands in a file."""
        return f"$scrypt$ln={self.log2_n},r={self.r},p={self.p}${_encode(self.salt)}${_encode(self.digest)}"


def hash_password(password: str, *, log2_n: int = _LOG2_N) -> str:
    """Return the hash of a password, with a salt of its own.

    Args:
        password: The password.
        log2_n: The cost: one more is twice the time and memory.
    """
    salt = os.urandom(_SALT_BYTES)
    empty = PasswordHash(log2_n, _R, _P, salt, bytes(_HASH_BYTES))
    return str(PasswordHash(log2_n, _R, _P, salt, empty.hash(password.encode())))


def _encode(data: bytes) -> str:
    return b64encode(data).decode("ascii").rstrip("=")


def _decode(text: str) -> bytes:
    return b64decode(text + "=" * (-len(text) % 4))


if __name__ == "__main__":
    print(hash_password(getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")))  # noqa: T201 - it is what the command is for
