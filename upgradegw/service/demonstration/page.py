"""The page of the demonstration site, with a policy that lets nothing run but what is in it."""

from __future__ import annotations

import html
from importlib.resources import files
from typing import Any

from twisted.web.resource import Resource

from upgradegw.service.page_policy import content_security_policy

#: What stands in the page, once, where its HTTP version is told; not in the script, of which the policy has a hash.
_VERSION = b"HTTP_VERSION"


class Page(Resource):
    """One self-contained HTML page that says over which HTTP version it went out."""

    isLeaf = True

    def __init__(self) -> None:
        """Read the page."""
        super().__init__()
        page = files(__package__).joinpath("page.html").read_text("utf-8")
        self._before, self._after = page.encode().split(_VERSION)
        self._fields = (
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-security-policy", content_security_policy(page)),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"cache-control", b"no-cache"),
        )

    def render_GET(self, request: Any) -> bytes:
        """Send the page."""
        for name, value in self._fields:
            request.setHeader(name, value)
        version = html.escape(request.clientproto.decode("latin-1"))
        return self._before + version.encode() + self._after
