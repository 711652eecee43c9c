"""curl, and what it prints."""

from __future__ import annotations

import re

from tests.clients.support import run_tool, tool
from tests.support.process import Server

#: What curl prints behind each response.
WRITTEN = "\n%{http_code} %{http_version} %{num_connects} %{size_download}\n"


def curl(*arguments: str, **options: object) -> str:
    """Run curl silently, in spite of a proxy or a file of settings that this user may have; return what it printed."""
    done = run_tool([tool("curl"), "-q", "-sS", "--noproxy", "*", "--max-time", "20", *arguments], **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def address(server: Server, path: str) -> str:
    """Return a URL on the first port of a server."""
    return f"{server.urls[0].rstrip('/')}{path}"


def split(printed: str) -> list[tuple[str, dict[str, str], str]]:
    """Split what ``curl -i`` printed of one response after another: status line, fields, content."""
    responses = []
    parts = re.split(r"^(?=HTTP/\d(?:\.\d)? \d{3} )", printed.replace("\r\n", "\n"), flags=re.MULTILINE)
    for part in parts[1:]:
        head, _, content = part.partition("\n\n")
        status, *lines = head.split("\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        responses.append((status, fields, content))
    return responses
