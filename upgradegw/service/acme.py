"""Files with which a domain is proved to be ours: ``/.well-known/acme-challenge/`` (RFC 8555 section 8.3)."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Any

from twisted.python.usage import UsageError
from twisted.web.resource import Resource

from upgradegw.web.responses import write_refusal

#: Where a certificate authority looks; certbot's ``--webroot`` puts its files there, below the folder it is given.
CHALLENGE_PATH = (b".well-known", b"acme-challenge")

# RFC 8555 section 8.1: a token has only characters of the base64url alphabet. Certificate authorities use 43.
_TOKEN = re.compile(rb"[A-Za-z0-9_\-]{1,128}")

# A key authorization is the token, a dot and 43 characters (RFC 8555 section 8.1); what is longer is something else.
_MAX_SIZE = 1024


class Challenges(Resource):
    """Serves the files of a webroot's challenge folder: GET and HEAD, and never an upgrade."""

    isLeaf = True

    def __init__(self, webroot: str) -> None:
        """Serve a webroot.

        Args:
            webroot: What certbot is given with ``--webroot-path``.

        Raises:
            UsageError: There is no such folder.
        """
        super().__init__()
        root = Path(webroot).absolute()
        if not root.is_dir():
            raise UsageError("there is no such folder")
        self._folder = root.joinpath(*(part.decode() for part in CHALLENGE_PATH))

    def render(self, request: Any) -> bytes:
        """Answer with the file; a file is read at each request, for it is there for some seconds only."""
        if request.method not in {b"GET", b"HEAD"}:
            return write_refusal(request, 405, ((b"Allow", b"GET, HEAD"),))
        token = request.postpath[0] if len(request.postpath) == 1 else b""
        content = self._read(token.decode("ascii")) if _TOKEN.fullmatch(token) else None
        if content is None:
            return write_refusal(request, 404)
        # RFC 8555 section 8.3 suggests application/octet-stream, which no browser shows as a page.
        request.setHeader(b"Content-Type", b"application/octet-stream")
        request.setHeader(b"X-Content-Type-Options", b"nosniff")
        request.setHeader(b"Cache-Control", b"no-store")
        return content

    def _read(self, token: str) -> bytes | None:
        """Read a file of the folder; None if there is none, or it is a link, a pipe or too large."""
        try:
            # A link could lead to any file, and to open a pipe would wait for its writer.
            descriptor = os.open(self._folder / token, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            about = os.fstat(descriptor)
            fits = stat.S_ISREG(about.st_mode) and about.st_size <= _MAX_SIZE
            return os.read(descriptor, _MAX_SIZE) if fits else None
        finally:
            os.close(descriptor)
