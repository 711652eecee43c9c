"""The policy of a page of ours, which lets nothing run and nothing be loaded but what is in the page."""

from __future__ import annotations

import base64
import hashlib
import re


def content_security_policy(page: str, *, forms: bool = False) -> bytes:
    """Return the policy (CSP level 3) of a page with inline styles and scripts.

    Nothing is loaded from elsewhere, ``connect-src 'self'`` covers a WebSocket of the same host where there is a script
    to open it, and the icon is a ``data:`` URL.

    Args:
        page: The page's text.
        forms: Whether it has forms, which may then be sent to the same site.
    """
    styles, scripts = _hashes(page, "style"), _hashes(page, "script")
    parts = ["default-src 'none'"]
    parts += [f"style-src {styles}"] * bool(styles)
    parts += [f"script-src {scripts}; connect-src 'self'"] * bool(scripts)
    sent_to = "'self'" if forms else "'none'"
    parts += ["img-src data:", "base-uri 'none'", f"form-action {sent_to}", "frame-ancestors 'none'"]
    return "; ".join(parts).encode("ascii")


def _hashes(page: str, element: str) -> str:
    found = re.findall(rf"<{element}>(.*?)</{element}>", page, re.DOTALL)
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii") for text in found)
    return " ".join(f"'sha256-{digest}'" for digest in digests)
