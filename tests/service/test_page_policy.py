"""The policy of pages of ours: it names what is in the page, and lets nothing else run."""

from __future__ import annotations

import base64
import hashlib

from upgradegw.service.page_policy import content_security_policy


def digest(text: str) -> str:
    """What a policy calls an inline text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_each_style_and_script_is_named() -> None:
    """Every inline style and script may be used, by its hash, and a script may connect to the same host."""
    policy = content_security_policy("<style>a</style><script>b</script><script>c</script>").decode()
    assert f"style-src {digest('a')};" in policy
    assert f"script-src {digest('b')} {digest('c')}; connect-src 'self';" in policy
    assert policy.startswith("default-src 'none';")


def test_a_page_without_script_runs_none() -> None:
    """Without a script there is no directive that would allow one, and nothing that it could connect to."""
    policy = content_security_policy("<style>a</style>").decode()
    assert "script-src" not in policy
    assert "connect-src" not in policy


def test_forms_go_to_the_same_site_or_nowhere() -> None:
    """A page that has forms may send them to its own site, and another one nowhere."""
    assert b"form-action 'none'" in content_security_policy("")
    assert b"form-action 'self'" in content_security_policy("", forms=True)
