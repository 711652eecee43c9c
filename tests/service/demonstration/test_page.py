"""The page: self-contained, and nothing but itself may run in it."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

from twisted.web.test.requesthelper import DummyRequest

from tests.http2.client import Client
from tests.memory import Memory, content_of, fields_of
from upgradegw.service import demonstration
from upgradegw.service.demonstration.page import Page


class Elements(HTMLParser):
    """All elements of a page with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def page() -> tuple[bytes, str]:
    """Return the answer and the page in it."""
    answer = Memory(demonstration.site()).send(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
    return answer, content_of(answer).decode()


def test_the_policy_lets_only_the_page_itself_run() -> None:
    """CSP: the hashes are those of the one style and the one script; nothing else, from nowhere else."""
    answer, text = page()
    policy = fields_of(answer)[b"content-security-policy"].decode()
    for element in ("style", "script"):
        contents = re.findall(rf"<{element}[^>]*>(.*?)</{element}>", text, re.DOTALL)
        assert len(contents) == 1
        digest = base64.b64encode(hashlib.sha256(contents[0].encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "connect-src 'self';" in policy


def test_nothing_is_loaded_from_elsewhere() -> None:
    """No element names another resource, no style imports one, no attribute runs script."""
    _answer, text = page()
    for tag, attributes in Elements(text).found:
        assert not {"src", "srcset", "action", "style"} & set(attributes), tag
        assert not [name for name in attributes if name.startswith("on")], tag
        assert (attributes.get("href") or "data:").startswith("data:"), tag
    assert "@import" not in text
    assert "url(" not in text


def told(text: str) -> str:
    """Return the version that the page tells."""
    (version,) = re.findall(r'<dd id="loaded">(.*?)</dd>', text)
    return str(version)


def test_it_tells_its_http_version() -> None:
    """The page says over which version it went out, and its policy is the same for all of them."""
    answer, text = page()
    assert told(text) == "HTTP/1.1"
    old = Memory(demonstration.site()).send(b"GET / HTTP/1.0\r\n\r\n")
    assert told(content_of(old).decode()) == "HTTP/1.0"
    client = Client(demonstration.site())
    new = client.send(client.head(1))[1]
    assert told(new.body.decode()) == "HTTP/2"
    policies = {
        fields_of(answer)[b"content-security-policy"],
        fields_of(old)[b"content-security-policy"],
        new.get(b"content-security-policy"),
    }
    assert len(policies) == 1


def test_a_version_is_no_html() -> None:
    """In a site that takes whatever stands there for a version, it is text."""
    request = DummyRequest([b""])
    request.clientproto = b"HTTP/<b>&\xe4"
    assert told(Page().render_GET(request).decode()) == "HTTP/&lt;b&gt;&amp;ä"


def test_it_is_sent_with_care() -> None:
    """Its type with its charset, no guessing, no referrer, and asked for again each time."""
    answer, text = page()
    fields = fields_of(answer)
    assert fields[b"content-type"] == b"text/html; charset=utf-8"
    assert fields[b"x-content-type-options"] == b"nosniff"
    assert fields[b"referrer-policy"] == b"no-referrer"
    assert fields[b"cache-control"] == b"no-cache"
    assert int(fields[b"content-length"]) == len(text.encode())


def test_it_is_made_for_phones_and_for_everybody() -> None:
    """It has a viewport, a language and a dark mode, and each control has a name."""
    _answer, text = page()
    elements = Elements(text).found
    assert ("html", {"lang": "en"}) in elements
    assert any(attributes.get("name") == "viewport" for _tag, attributes in elements)
    assert "@media (prefers-color-scheme: dark)" in text
    assert all(attributes.get("aria-label") for tag, attributes in elements if tag == "input")
    assert all(re.search(rf'id="{attributes["id"]}"[^>]*>\w', text) for tag, attributes in elements if tag == "button")


def test_head_and_what_is_not_there() -> None:
    """HEAD has no content; other paths are not found."""
    site = Memory(demonstration.site())
    assert content_of(site.send(b"HEAD / HTTP/1.1\r\nHost: a.example\r\n\r\n")) == b""
    site = Memory(demonstration.site())
    site.send(b"GET /favicon.ico HTTP/1.1\r\nHost: a.example\r\n\r\n")
    assert site.status == 404
