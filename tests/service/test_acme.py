"""Challenges of a certificate authority, laid down as certbot does it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from twisted.python.usage import UsageError
from twisted.web.resource import Resource

from tests.memory import Memory, content_of, fields_of
from tests.protocols_for_tests import RecorderFactory
from upgradegw.protocols.stream import stream
from upgradegw.service.acme import Challenges
from upgradegw.service.front import Front
from upgradegw.web.resource import UpgradeResource

TOKEN = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr_oA"
ANSWER = f"{TOKEN}.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"


@pytest.fixture
def webroot(tmp_path: Path) -> Path:
    """What certbot leaves while a domain is being proved, and what else may lie there."""
    folder = tmp_path / "webroot" / ".well-known" / "acme-challenge"
    folder.mkdir(parents=True)
    (folder / TOKEN).write_text(ANSWER)
    (folder / ".hidden").write_text("secret")
    (folder / "with.dot").write_text("secret")
    (folder / "folder").mkdir()
    (folder / "folder" / "inside").write_text("secret")
    (tmp_path / "secret").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "large").write_bytes(bytes(1025))
    os.mkfifo(folder / "pipe")
    return tmp_path / "webroot"


def ask(webroot: Path, target: str, method: str = "GET", *lines: str) -> bytes:
    """Ask a site whose root would switch on every path."""
    everything = UpgradeResource([stream("echo", RecorderFactory())])
    everything.isLeaf = True
    root = Resource()
    root.getChild = lambda _path, _request: everything  # type: ignore[method-assign]
    head = [f"{method} {target} HTTP/1.1", "Host: a.example", *lines, "", ""]
    return Memory(Front(root, Challenges(str(webroot)), None)).send("\r\n".join(head).encode("latin-1"))


@pytest.mark.parametrize("target", [TOKEN, TOKEN + "?x=/..", TOKEN.replace("-", "%2D")])
def test_a_challenge_is_answered(webroot: Path, target: str) -> None:
    """RFC 8555 section 8.3: the file's bytes with status 200, as something that no browser shows, stored by nobody."""
    answer = ask(webroot, f"/.well-known/acme-challenge/{target}")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert content_of(answer) == ANSWER.encode()
    fields = fields_of(answer)
    assert fields[b"content-type"] == b"application/octet-stream"
    assert (fields[b"x-content-type-options"], fields[b"cache-control"]) == (b"nosniff", b"no-store")


def test_a_challenge_of_another_moment_is_answered(webroot: Path) -> None:
    """Files come and go while the server runs, and so may their folder."""
    folder = webroot / ".well-known" / "acme-challenge"
    (folder / TOKEN).unlink()
    assert ask(webroot, f"/.well-known/acme-challenge/{TOKEN}").startswith(b"HTTP/1.1 404 ")
    (folder / "new").write_text("new.thumbprint")
    assert content_of(ask(webroot, "/.well-known/acme-challenge/new")) == b"new.thumbprint"


def test_head_has_no_content(webroot: Path) -> None:
    """RFC 9110 section 9.3.2: HEAD tells the length and sends nothing."""
    answer = ask(webroot, f"/.well-known/acme-challenge/{TOKEN}", "HEAD")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert (fields_of(answer)[b"content-length"], content_of(answer)) == (b"%d" % len(ANSWER), b"")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_not_allowed(webroot: Path, method: str) -> None:
    """A challenge is read and nothing else."""
    answer = ask(webroot, f"/.well-known/acme-challenge/{TOKEN}", method)
    assert answer.startswith(b"HTTP/1.1 405 ")
    assert fields_of(answer)[b"allow"] == b"GET, HEAD"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "nothing",
        ".hidden",
        "with.dot",
        "folder",
        "folder/",
        "folder/inside",
        "link",
        "large",
        "pipe",
        "../../../secret",
        "..%2f..%2f..%2fsecret",
        "%2e%2e/acme-challenge/" + TOKEN,
        TOKEN + "/",
        TOKEN + "%00",
        TOKEN + "%0a",
        "x" * 129,
        "%ff",
    ],
)
def test_nothing_else_is_found(webroot: Path, name: str) -> None:
    """A-37: only regular files with names of the base64url alphabet, in that one folder (RFC 8555 section 8.1)."""
    answer = ask(webroot, f"/.well-known/acme-challenge/{name}")
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"secret" not in answer


def test_a_challenge_is_never_an_upgrade(webroot: Path) -> None:
    """The path is the certificate authority's; a route that switches everywhere does not switch here."""
    offer = "Connection: Upgrade", "Upgrade: echo"
    assert ask(webroot, "/elsewhere", "GET", *offer).startswith(b"HTTP/1.1 101 ")
    answer = ask(webroot, f"/.well-known/acme-challenge/{TOKEN}", "GET", *offer)
    assert content_of(answer) == ANSWER.encode()


@pytest.mark.parametrize("target", ["/.well-known/other", "/.well-known", "/acme-challenge/x", "/x/.well-known"])
def test_other_paths_are_the_routes(webroot: Path, target: str) -> None:
    """Other well-known addresses (RFC 8615) belong to the application."""
    assert ask(webroot, target).startswith(b"HTTP/1.1 426 ")


def test_the_webroot_must_be_there(tmp_path: Path) -> None:
    """A wrong folder is found at the start, and not when the certificate has expired."""
    with pytest.raises(UsageError, match=r"^there is no such folder$"):
        Challenges(str(tmp_path / "nowhere"))
