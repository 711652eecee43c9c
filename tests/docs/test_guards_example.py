"""The examples of guards and of TLS that a client asks for, and what their pages say of them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from tests.docs.conftest import EXAMPLES
from tests.docs.test_examples import Listening
from tests.http1.wire import Wire, get
from tests.proxy.upstream_reactor import UpstreamReactor
from tests.web.securing import Securing, certificates, offer
from upgradegw import UpgradeSite
from upgradegw.service.config.loading import load
from upgradegw.service.gateway.building import build_routes
from upgradegw.service.gateway.table import RouteTable
from upgradegw.testing import Client, Refused

ANN = b"Basic " + b64encode(b"ann:open sesame")
Example = Callable[[str], ModuleType]


@pytest.fixture
def ask() -> Callable[..., tuple[int, bytes]]:
    """Return a function that asks the configured gateway, from 192.0.2.7 or through a proxy from elsewhere."""
    config = load(str(EXAMPLES / "guards" / "gateway.toml"))
    reactor = UpstreamReactor()
    site = UpgradeSite(RouteTable(build_routes(config.route, reactor)), reactor=reactor, trusted_proxies=["192.0.2.7"])

    def answer(path: bytes, *fields: bytes, servers: tuple[bytes, ...] = ()) -> tuple[int, bytes]:
        wire = Wire(site, reactor).send(get(path, *fields))
        for number, response in enumerate(servers):
            reactor.turn()
            reactor.upstreams[number].send(response)
        reactor.turn()
        (found,) = wire.answers()
        answer.heard = [each.received for each in reactor.upstreams]  # type: ignore[attr-defined]
        return found.status, found.body

    return answer


def test_networks(ask: Any) -> None:
    """Two networks, behind the trusted proxy, and nobody else."""
    assert ask(b"/intranet", b"X-Forwarded-For: 10.9.8.7") == (200, b"for the house")
    assert ask(b"/intranet/x", b"X-Forwarded-For: 2001:db8::1") == (200, b"for the house")
    assert ask(b"/intranet", b"X-Forwarded-For: 198.51.100.1")[0] == 403


def test_passwords(ask: Any) -> None:
    """Ann's password opens, and both guards of the vault are asked."""
    home = b"X-Forwarded-For: 10.9.8.7"
    assert ask(b"/files")[0] == 401
    assert ask(b"/files", b"Authorization: " + ANN) == (200, b"for friends")
    assert ask(b"/vault", b"Authorization: " + ANN)[0] == 403
    assert ask(b"/vault", home)[0] == 401
    assert ask(b"/vault", home, b"Authorization: " + ANN) == (200, b"for friends at home")


def test_another_server(ask: Any) -> None:
    """The other server is asked first; the application learns who it is."""
    yes = b"HTTP/1.1 200 OK\r\nX-Remote-User: ann\r\nContent-Length: 0\r\n\r\n"
    hello = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
    assert ask(b"/app/a", b"X-Remote-User: root", servers=(yes, hello)) == (200, b"hello")
    auth, application = ask.heard
    assert auth.startswith(b"GET /verify HTTP/1.1\r\n")
    assert b"\r\nX-Forwarded-Uri: /app/a\r\n" in auth
    assert b"\r\nX-Remote-User: ann\r\n" in application
    assert b"root" not in auth + application


def test_nobody_is_let_in(ask: Any) -> None:
    """Its 401 is the client's, and the application hears nothing."""
    no = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno"
    assert ask(b"/app/a", servers=(no,)) == (401, b"no")
    assert len(ask.heard) == 1


def test_guarded_site(example: Example) -> None:
    """Plain requests and WebSockets are for members in office hours."""
    module = example("guarded_site")
    with Client(module.root(module.USERS)) as client:
        assert client.get("/members/").status == 401
        assert client.get("/members/", {"Authorization": ANN}).content == b"Welcome.\n"
        assert client.get("/members/", {"Authorization": ANN, "X-Late": "1"}).content == b"Come back tomorrow.\n"
        with pytest.raises(Refused):
            client.websocket("/members/chat")
        client.websocket("/members/chat", fields={"Authorization": ANN})


def test_guarded_site_listens(example: Example) -> None:
    """It listens where it says."""
    assert Listening(example("guarded_site")).port == 8080


def test_start_tls(example: Example) -> None:
    """TL-01: the same port answers in cleartext, and in TLS to who asks for it."""
    listening = Listening(example("start_tls"), certificates())
    assert listening.port == 631
    connection = Securing(listening.site, listening.reactor)
    (answer,) = connection.send(get()).answers()
    assert answer.body == b"in cleartext\n"
    connection.send(offer(method=b"GET", target=b"/") + connection.begin())
    assert connection.head().status == 101
    connection.shake()
    assert [each.body for each in connection.inside()] == [b"in TLS\n"]
