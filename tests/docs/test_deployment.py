"""The pages on deployment, certbot and the move from nginx: their commands are accepted, and the move is made."""

from __future__ import annotations

import re
import shlex
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import self_signed
from tests.clients.support import run_tool, tool
from tests.docs.conftest import EXAMPLES
from tests.source_tree import ROOT
from tests.support.process import Server, serving
from tests.support.sockets import ask, read_all, switch
from upgradegw.service.options import Options

HOW_TO = ROOT / "docs" / "how-to"
PAGES = ("certbot", "deploy", "move-from-nginx")


def commands(page: str) -> list[list[str]]:
    """The options of each ``upgradegw`` command of a page, in a container, from twistd or in a unit, too."""
    text = (HOW_TO / f"{page}.md").read_text()
    found = [shlex.split(line) for line in re.findall(r"^ExecStart=\S+/upgradegw (.*)$", text, re.MULTILINE)]
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line)
            starts = words[:1] == ["upgradegw"] or words[:1] == ["twistd"] or words[:2] == ["podman", "run"]
            if starts and "upgradegw" in words:
                found.append(words[words.index("upgradegw") + 1 :])
    return found


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of an application's with what the pages speak of, in which one stands."""
    for name in ("chat.py", "wsgi_site.py"):
        (tmp_path / name).write_bytes((EXAMPLES / name).read_bytes())
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "index.html").write_text("a file")
    (tmp_path / "webroot").mkdir()
    files = self_signed(tmp_path)
    (tmp_path / "fullchain.pem").write_bytes(files.cert.read_bytes())
    (tmp_path / "privkey.pem").write_bytes(files.key.read_bytes())
    gateway = (EXAMPLES / "deploy" / "gateway.toml").read_text()
    gateway = gateway.replace("/srv/app", str(tmp_path)).replace("/var/lib/acme-webroot", str(tmp_path / "webroot"))
    (tmp_path / "gateway.toml").write_text(gateway)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "example.com.pem").write_bytes(files.key.read_bytes() + files.cert.read_bytes())
    monkeypatch.chdir(tmp_path)
    path, modules = sys.path[:], set(sys.modules)
    yield tmp_path
    sys.path[:] = path
    for name in ("chat", "wsgi_site"):
        if name not in modules:
            sys.modules.pop(name, None)


def here(words: list[str], site: Path) -> list[str]:
    """Let the places that the pages name lie in a folder."""
    places = {
        "/etc/letsencrypt/live/example.com/": f"{site}/",
        "/etc/upgradegw/": f"{site}/",
        "/certificates/": f"{site}/",
        "/var/lib/acme-webroot": f"{site}/webroot",
        "/var/log/upgradegw/": f"{site}/",
    }
    for place, other in places.items():
        words = [word.replace(place, other) for word in words]
    return words


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_are_accepted(page: str, site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every option exists, every value is one, and they fit together."""
    found = [words for words in commands(page) if words]
    assert found
    for words in found:
        with pytest.raises(SystemExit) as ended:
            Options().parseOptions([*here(words, site), "--check"])
        assert ended.value.code == 0, capsys.readouterr().err


def test_what_the_pages_show_is_there() -> None:
    """Files of the examples that are copied or built from."""
    for page in PAGES:
        for name in re.findall(r"(?<![\w/])docs/examples/[\w./-]+", (HOW_TO / f"{page}.md").read_text()):
            assert (ROOT / name.rstrip(".")).is_file(), f"{page}: {name}"


def test_nginx_accepts_the_configuration(site: Path) -> None:
    """What the page shows as the state before is a configuration that works."""
    text = (EXAMPLES / "move_from_nginx.conf").read_text()
    text = text.replace("listen 80;", f"listen unix:{site}/plain;").replace("listen 443", f"listen unix:{site}/tls")
    (site / "nginx.conf").write_text(f"pid {site}/pid; events {{}} http {{ {text} }}")
    done = run_tool([tool("nginx"), "-t", "-p", f"{site}/", "-c", "nginx.conf", "-e", "stderr"])
    assert done.returncode == 0, done.stderr


def test_the_move_is_made(site: Path) -> None:
    """The page's command serves what nginx did: redirect, challenge, WebSocket, files, application, and the log."""
    (words,) = commands("move-from-nginx")
    words = here(words, site)
    words = [re.sub(r"^tcp:\d+$", "tcp:0:interface=127.0.0.1", word) for word in words]
    (site / "webroot" / ".well-known" / "acme-challenge").mkdir(parents=True)
    (site / "webroot" / ".well-known" / "acme-challenge" / "token").write_text("token.thumbprint")
    client = ssl.create_default_context(cafile=f"{site}/fullchain.pem")

    def over_tls(path: str) -> bytes:
        with server.connect() as connection, client.wrap_socket(connection, server_hostname="localhost") as tls:
            tls.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            return read_all(tls)

    with serving(*words, folder=site) as server:
        plain = Server(server.process, urls=[server.urls[1]])
        assert ask(plain, b"/page?x=1").startswith(b"HTTP/1.1 308 ")
        assert ask(plain, b"/.well-known/acme-challenge/token").endswith(b"\r\n\r\ntoken.thumbprint")
        assert over_tls("/static/index.html").endswith(b"\r\n\r\na file")
        assert b"This is /some/page\n" in over_tls("/some/page")
        with server.connect() as connection, client.wrap_socket(connection, server_hostname="localhost") as tls:
            switch(tls)
        server.stop()
    log = (site / "access.log").read_text()
    assert '"GET /some/page HTTP/1.1" 200 ' in log
    assert 'switch path="/ws" token="websocket"' in log
    assert "Traceback" not in server.text
