"""A-37: what a folder shows, and what no path gets out of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.memory import content_of, fields_of
from tests.service.gateway.support import placed, served


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files of many kinds, beside a secret."""
    (tmp_path / "secret.txt").write_text("secret")
    folder = tmp_path / "public"
    (folder / "sub" / ".git").mkdir(parents=True)
    (folder / "empty").mkdir()
    (folder / "index.html").write_text("<p>index")
    (folder / "page.html").write_text("<p>page")
    (folder / "data.unknown").write_text("<script>")
    (folder / ".env").write_text("secret")
    (folder / "sub" / ".git" / "config").write_text("secret")
    (folder / "sub" / "index.html").write_text("<p>sub")
    (folder / "inside.html").symlink_to("page.html")
    (folder / "outside.txt").symlink_to("../secret.txt")
    (folder / "up").symlink_to("..")
    (folder / "loop").symlink_to("loop")
    os.mkfifo(folder / "pipe")
    return folder


def get(folder: Path, target: str, *lines: str, mount: str = "/", method: str = "GET") -> Any:
    """Ask a site that serves the folder; return its connection."""
    site = served(placed(path=mount, static=str(folder)))
    head = [f"{method} {target} HTTP/1.1", "Host: a.example", *lines, "", ""]
    site.send("\r\n".join(head).encode("latin-1"))
    while site.transport.producer is not None and not site.transport.streaming:
        site.transport.producer.resumeProducing()  # as a socket does that has room for more
    return site


@pytest.mark.parametrize(
    ("target", "content"),
    [
        ("/", b"<p>index"),
        ("/index.html", b"<p>index"),
        ("/page.html?x=/../", b"<p>page"),
        ("/%70age.html", b"<p>page"),
        ("/sub/", b"<p>sub"),
        ("/inside.html", b"<p>page"),
        ("/data.unknown", b"<script>"),
    ],
)
def test_files_are_served(folder: Path, target: str, content: bytes) -> None:
    """Files, index files and links that stay inside; the browser is told not to guess types."""
    site = get(folder, target)
    assert (site.status, content_of(site.received)) == (200, content)
    fields = fields_of(site.received)
    assert fields[b"x-content-type-options"] == b"nosniff"
    assert fields[b"content-type"] == (b"text/html" if content != b"<script>" else b"application/octet-stream")


@pytest.mark.parametrize(
    "target",
    [
        "/../secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "/sub/../../secret.txt",
        "/..%5csecret.txt",
        "/%00",
        "/page.html%00.txt",
        "/page.html/",
        "/page.html/x",
        "//page.html",
        "//etc/passwd",
        "/.env",
        "/%2eenv",
        "/sub/.git/config",
        "/outside.txt",
        "/up/",
        "/up/secret.txt",
        "/loop",
        "/pipe",
        "/empty/",
        "/missing",
        "/%ff",
        "/" + "x" * 300,
    ],
)
def test_nothing_else_is_served(folder: Path, target: str) -> None:
    """A-37: no way out of the folder, no dotfile, no listing, no pipe; always the same 404."""
    site = get(folder, target)
    assert site.status == 404
    assert b"secret" not in site.received


def test_a_folder_is_found_with_a_slash(folder: Path) -> None:
    """The redirect is relative: it stays behind a proxy's prefix and names no host."""
    site = get(folder, "/sub?a=1")
    assert (site.status, fields_of(site.received)[b"location"]) == (302, b"./sub/?a=1")
    site = get(folder, "/s/sub", mount="/s")
    assert fields_of(site.received)[b"location"] == b"./sub/"


def test_a_mount_is_whole_segments(folder: Path) -> None:
    """A-37: a mount's name is no prefix of other names, and ``..`` does not leave it."""
    assert get(folder, "/s/page.html", mount="/s").status == 200
    for target in ("/spage.html", "/s/../page.html", "/s/..", "/x/../s/page.html", "//s/page.html", "/S/page.html"):
        assert get(folder, target, mount="/s").status == 404


def test_head_and_other_methods(folder: Path) -> None:
    """HEAD is GET without content; a folder takes no POST."""
    site = get(folder, "/page.html", method="HEAD")
    assert (site.status, content_of(site.received)) == (200, b"")
    assert fields_of(site.received)[b"content-length"] == b"7"
    assert get(folder, "/page.html", "Content-Length: 0", method="POST").status == 405


def test_ranges_are_served(folder: Path) -> None:
    """What twisted.web's files can do, ours can."""
    site = get(folder, "/page.html", "Range: bytes=3-")
    assert (site.status, content_of(site.received)) == (206, b"page")


def test_an_unreadable_file_is_no_accident(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A permission that is missing is a 403."""

    def denied(*_args: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("twisted.python.filepath.FilePath.open", denied)
    assert get(folder, "/page.html").status == 403
