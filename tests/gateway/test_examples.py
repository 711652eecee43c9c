"""The pages on passing requests on: their configurations are accepted as they are, and do what the pages say."""

from __future__ import annotations

import shutil
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.certificates import self_signed
from tests.clients.nginx import replace_once
from tests.docs.conftest import EXAMPLES
from tests.gateway import frames, rows_of_commands
from tests.gateway.dockerd import Dockerd
from tests.gateway.kubernetes import Kubernetes
from tests.gateway.rows import echo, echoes, request, switched, to
from tests.gateway.upstream import Answer, Asked, Upstream, text
from tests.gateway.wire import Wire
from tests.support.process import IN_FOREGROUND, Server, run, serving

PROTOCOLS, NGINX = "other_protocols.toml", "replace_nginx.toml"

HERE = "tcp:0:interface=127.0.0.1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the configurations speak of."""
    folder = tmp_path_factory.mktemp("examples")
    files = self_signed(folder)
    shutil.copy(files.cert, folder / "fullchain.pem")
    shutil.copy(files.key, folder / "privkey.pem")
    shutil.copy(files.cert, folder / "kubernetes-ca.crt")
    (folder / "public").mkdir()
    (folder / "public" / "index.html").write_text("a file")
    (folder / "webroot").mkdir()
    return folder


@pytest.fixture(scope="module")
def stack() -> Iterator[ExitStack]:
    """Ends what a test has started."""
    with ExitStack() as stack:
        yield stack


def client(folder: Path) -> ssl.SSLContext:
    """TLS as a client speaks it that trusts the gateway's certificate."""
    return ssl.create_default_context(cafile=folder / "fullchain.pem")


def started(stack: ExitStack, folder: Path, name: str, changes: dict[str, str]) -> Server:
    """Run the gateway with a documented configuration in which some places are others."""
    configuration = (EXAMPLES / name).read_text()
    for old, new in changes.items():
        configuration = replace_once(configuration, old, new)
    changed = folder / f"changed_{name}"
    changed.write_text(configuration)
    return stack.enter_context(serving("--config", changed.name, folder=folder, command=IN_FOREGROUND, listen=False))


def ports(server: Server) -> list[int]:
    """The ports of the listeners, in the order of the configuration."""
    return [int(url.rstrip("/").rpartition(":")[2]) for url in server.urls]


@pytest.mark.parametrize("name", [PROTOCOLS, NGINX])
def test_the_configuration_is_accepted(folder: Path, name: str) -> None:
    """``--check`` finds nothing to object to, and nothing to warn of, in the very file that the page shows."""
    content = (EXAMPLES / name).read_text().replace("/var/lib/acme-webroot", str(folder / "webroot"))
    (folder / name).write_text(content)
    done = run("--config", name, "--check", folder=folder)
    assert done.returncode == 0, done.stderr
    assert "arning" not in done.stdout + done.stderr


@pytest.fixture(scope="module")
def protocols(stack: ExitStack, folder: Path) -> tuple[Server, dict[str, Upstream]]:
    """The gateway before Docker, Kubernetes, Headscale and CUPS, or who stands in for them."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(folder / "fullchain.pem", folder / "privkey.pem")
    upstreams = {
        "docker": Upstream(folder / "docker.sock"),
        "kubernetes": Upstream(tls=tls),
        "headscale": Upstream(),
        "cups": Upstream(folder / "cups.sock"),
    }
    for upstream in upstreams.values():
        stack.enter_context(upstream)
    changes = {
        '"tcp:443"': f'"{HERE}"',
        '"tcp:2375:interface=10.1.0.1"': f'"{HERE}"',
        '"tcp:631"': f'"{HERE}"',
        '"docker.example"': '"127.0.0.1"',
        '"kubernetes.example"': '"localhost"',
        "10.1.0.0/16": "127.0.0.0/8",
        "unix:/run/docker.sock": f"unix:{folder}/docker.sock",
        "unix:/run/cups/cups.sock": f"unix:{folder}/cups.sock",
        "https://10.1.0.2:6443": f"https://localhost:{upstreams['kubernetes'].port}",
        "http://127.0.0.1:8080": f"http://127.0.0.1:{upstreams['headscale'].port}",
    }
    return started(stack, folder, PROTOCOLS, changes), upstreams


def test_docker(protocols: tuple[Server, dict[str, Upstream]]) -> None:
    """The docker command gets the output that comes behind the end of its input, through a UNIX socket's daemon."""
    server, upstreams = protocols
    if missing := rows_of_commands.no_docker():
        pytest.skip(missing)
    upstreams["docker"].forget(Dockerd().answer)
    host = f"tcp://127.0.0.1:{ports(server)[1]}"
    done = rows_of_commands.run(["docker", "exec", "-i", "box", "cat"], "input\n", DOCKER_HOST=host)
    assert (done.stdout, done.returncode) == ("hello\ninput\nbye\n", 7), done.stderr


@pytest.mark.parametrize(("websocket", "token"), [(True, "websocket"), (False, "SPDY/3.1")])
def test_kubectl(protocols: tuple[Server, dict[str, Upstream]], folder: Path, websocket: bool, token: str) -> None:
    """Kubectl runs a command over TLS on both sides, with each of its two protocols."""
    server, upstreams = protocols
    if missing := rows_of_commands.no_websocket():
        pytest.skip(missing)
    kubernetes = Kubernetes()
    upstreams["kubernetes"].forget(kubernetes.answer)
    cluster = f"server: 'https://localhost:{ports(server)[0]}', certificate-authority: {folder}/fullchain.pem"
    done = rows_of_commands.kubectl_exec(cluster, "-i", "box", "--", "cat", text="input\n", websocket=websocket)
    assert (done.stdout, done.returncode) == ("hello\ninput\nbye\n", 0), done.stderr
    assert [used.split()[0] for used in kubernetes.used] == [token]


def test_tailscale(protocols: tuple[Server, dict[str, Upstream]], folder: Path) -> None:
    """Headscale's first words arrive behind its 101, and what follows passes both ways."""
    server, upstreams = protocols
    token = "tailscale-control-protocol"

    def answer(wire: Wire, asked: Asked) -> None:
        wire.send(switched(*to(token), data=b"early noise") if asked.head.upgrades(token) else b"")
        echo(wire)

    upstreams["headscale"].forget(answer)
    lines = (f"Upgrade: {token}", "Connection: upgrade", "X-Tailscale-Handshake: AAE=", "Content-Length: 0")
    asked = request("POST /ts2021", *lines).replace(b"gateway.example", b"headscale.example")
    with Wire.to(ports(server)[0]).over_tls(client(folder), "localhost") as wire:
        wire.send(asked)
        head = wire.head()
        assert head is not None
        assert head.upgrades(token)
        assert wire.take(11) == b"early noise"
        assert echoes(wire)


def test_cups(protocols: tuple[Server, dict[str, Upstream]], folder: Path) -> None:
    """RFC 2817: ``OPTIONS *`` is answered inside of the TLS that it has asked for, by the upstream of ``/``."""
    server, upstreams = protocols
    upstreams["cups"].forget(text("", "Allow: GET, HEAD, OPTIONS, POST, PUT"))
    asked = request("OPTIONS *", "Connection: upgrade", "Upgrade: TLS/1.3,TLS/1.2,TLS/1.1,TLS/1.0")
    cleartext = Wire.to(ports(server)[2])
    cleartext.send(asked.replace(b"gateway.example", b"printers.example"))
    head = cleartext.head()
    assert head is not None
    assert head.status == 101
    with cleartext.over_tls(client(folder), "localhost") as wire:
        head = wire.head()
        assert head is not None
        assert head.all("allow") == ["GET, HEAD, OPTIONS, POST, PUT"]


def test_nginx_is_replaced(stack: ExitStack, folder: Path) -> None:
    """Redirect, WebSocket, file and application: each is where nginx had it, and sees what nginx told it."""
    websockets, application = stack.enter_context(Upstream()), stack.enter_context(Upstream())
    changes = {
        '"tcp:80"': f'"{HERE}"',
        '"tcp:443"': f'"{HERE}"',
        "/var/lib/acme-webroot": str(folder / "webroot"),
        "http://127.0.0.1:9000": f"http://127.0.0.1:{websockets.port}",
        "http://127.0.0.1:8000": f"http://127.0.0.1:{application.port}",
    }
    server = started(stack, folder, NGINX, changes)
    plain, secure = ports(server)

    def ask(asked: bytes, answer: Answer) -> Wire:
        websockets.forget(answer)
        application.forget(answer)
        wire = stack.enter_context(Wire.to(secure).over_tls(client(folder), "localhost"))
        wire.send(asked.replace(b"gateway.example", b"app.example"))
        return wire

    redirect = stack.enter_context(Wire.to(plain))
    redirect.send(request("GET /page?x=1").replace(b"gateway.example", b"app.example"))
    head = redirect.head()
    assert head is not None
    assert (head.status, head.all("location")[0].rpartition("/")[2]) == (308, "page?x=1")

    def chat(wire: Wire, asked: Asked) -> None:
        accept = frames.accept_for(asked.head.all("sec-websocket-key")[0])
        wire.send(switched(*to("websocket", f"Sec-WebSocket-Accept: {accept}")))
        echo(wire)

    wire = ask(request("GET /ws/room", *frames.FIELDS, "Origin: https://app.example"), chat)
    head = wire.head()
    assert head is not None
    assert head.upgrades("websocket")
    assert echoes(wire, frames.frame(frames.TEXT, b"tea?", masked=True))

    wire = ask(request("GET /static/"), text("not this"))
    head = wire.head()
    assert head is not None
    assert wire.content(head) == b"a file"

    wire = ask(request("GET /page", "X-Forwarded-For: 192.0.2.1"), text("a page"))
    head = wire.head()
    assert head is not None
    assert wire.content(head) == b"a page"
    seen = application.asked()
    assert seen is not None
    told = [seen.head.all(name) for name in ("host", "x-forwarded-proto", "x-forwarded-for")]
    assert told == [["app.example"], ["https"], ["127.0.0.1"]]
