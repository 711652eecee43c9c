"""Servers of others as upstreams over HTTP/2: nghttpd in cleartext and over TLS, nghttpx, and Hypercorn."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import SkipTest, TestCase
from twisted.web.resource import Resource

from tests.certificates import self_signed
from tests.clients.proxies import nghttpx
from tests.clients.support import free_port, process, tool
from tests.http2.talking import HalfTalker
from tests.producers import Producer
from tests.protocols_for_tests import RecorderFactory, echo
from tests.proxy.upstream_in_memory import Answer, request
from upgradegw import UpgradeResource, UpgradeSite, stream
from upgradegw.proxy.address import UpstreamAddress
from upgradegw.proxy.http2 import Http2Upstream
from upgradegw.proxy.settings import UpstreamSettings

_APPLICATION = """
async def application(scope, receive, send):
    if scope["type"] != "http":
        return
    fields = [(b"x-version", scope["http_version"].encode())]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    while True:
        message = await receive()
        await send({"type": "http.response.body", "body": message["body"], "more_body": message["more_body"]})
        if not message["more_body"]:
            return
"""


class Waited(Answer):
    """An answer that can be waited for."""

    def __init__(self, **behaviour: Any) -> None:
        super().__init__(**behaviour)
        self.done: Deferred[None] = Deferred()
        self.done.addTimeout(20, reactor)  # type: ignore[arg-type]

    def _note(self, event: str) -> None:
        super()._note(event)
        if event in {"end", "switched", "failed"}:
            self.done.callback(None)


@contextlib.contextmanager
def nghttpd(folder: Path, *options: str) -> Iterator[int]:
    """Run nghttpd for the duration of a ``with`` block; the value is its port."""
    port = free_port()
    files = [option for option in options if option.startswith("/")]  # they stand behind the port
    flags = [option for option in options if option not in files]
    command = [tool("nghttpd"), "--address=127.0.0.1", f"--htdocs={folder}", "--echo-upload", *flags, str(port), *files]
    with process(command, port, folder.parent / "nghttpd.log"):
        yield port


class UpstreamTests(TestCase):
    """Real servers over real sockets."""

    def setUp(self) -> None:
        self.running = contextlib.ExitStack()
        self.addCleanup(self.running.close)
        self.folder = Path(self.running.enter_context(TemporaryDirectory()), "folder")
        (self.folder / "site").mkdir(parents=True)

    def upstream(self, address: str, **settings: Any) -> Http2Upstream:
        """Return an upstream that is closed at the test's end."""
        upstream = Http2Upstream(UpstreamAddress.parse(address), UpstreamSettings(**settings), reactor)
        self.addCleanup(lambda: deferLater(reactor, 0.05))  # type: ignore[arg-type]
        self.addCleanup(upstream.close)
        return upstream

    async def ask(self, upstream: Http2Upstream, content: bytes | None = None, **more: Any) -> Waited:
        """Ask, and wait for the end of the answer."""
        answer = more.pop("answer", None) or Waited()
        if content is not None:
            more.update(method=b"POST", content_length=len(content))
        answer.exchange = upstream.ask(request(**more), answer)
        if content:
            answer.exchange.registerProducer(Producer(), True)
            answer.exchange.write(content)
        await answer.done
        assert answer.error is None, answer.error
        return answer  # type: ignore[no-any-return]

    async def check(self, upstream: Http2Upstream) -> None:
        """Get a large file, one of them slowly, and send as much."""
        large = os.urandom(3_000_000)
        (self.folder / "site" / "large").write_bytes(large)
        slow = Waited(head=lambda answer: answer.exchange.pauseProducing())
        slow.exchange = upstream.ask(request(target=b"/large"), slow)
        answers = [await self.ask(upstream, target=b"/large") for _ in range(3)]
        assert {hashlib.sha256(answer.content).digest() for answer in answers} == {hashlib.sha256(large).digest()}
        assert slow.events == ["head"]
        slow.exchange.resumeProducing()
        await slow.done
        assert slow.content == large
        assert (await self.ask(upstream, target=b"/none")).status == 404
        assert (await self.ask(upstream, method=b"HEAD", target=b"/large")).heads[0].content_length == len(large)
        assert (await self.ask(upstream, large)).content == large

    async def test_nghttpd(self) -> None:
        """h2c:// to nghttpd."""
        port = self.running.enter_context(nghttpd(self.folder / "site", "--no-tls"))
        await self.check(self.upstream(f"h2c://127.0.0.1:{port}"))

    async def test_nghttpd_over_tls(self) -> None:
        """https:// to nghttpd, which chooses h2 with ALPN."""
        made = self_signed(self.folder)
        port = self.running.enter_context(nghttpd(self.folder / "site", str(made.key), str(made.cert)))
        await self.check(self.upstream(f"https://localhost:{port}", ca=str(made.cert)))

    async def test_hypercorn(self) -> None:
        """h2c:// to an ASGI server."""
        if find_spec("hypercorn") is None:
            raise SkipTest("hypercorn is not installed")
        (self.folder / "echoing.py").write_text(_APPLICATION)
        port = free_port()
        command = [sys.executable, "-m", "hypercorn", "--bind", f"127.0.0.1:{port}", "echoing:application"]
        with contextlib.chdir(self.folder):
            self.running.enter_context(process(command, port, self.folder / "hypercorn.log"))
        upstream = self.upstream(f"h2c://127.0.0.1:{port}")
        content = os.urandom(1_000_000)
        answers = [await self.ask(upstream, content) for _ in range(2)]
        assert [answer.content == content for answer in answers] == [True, True]
        assert dict(answers[0].heads[0].fields)[b"x-version"] == b"2"

    async def test_a_tunnel_through_nghttpx(self) -> None:
        """Extended CONNECT to nghttpx, and through it to a site of ours."""
        root = Resource()
        root.putChild(b"ws", UpgradeResource([stream("websocket", RecorderFactory(data=echo))]))
        listening = reactor.listenTCP(0, UpgradeSite(root), interface="127.0.0.1")  # type: ignore[attr-defined]
        self.addCleanup(listening.stopListening)
        port = self.running.enter_context(nghttpx(self.folder, listening.getHost().port))
        answer = await self.ask(self.upstream(f"h2c://127.0.0.1:{port}"), target=b"/ws", tokens=(b"websocket",))
        assert answer.tunnel is not None
        talker = HalfTalker()
        answer.tunnel.attach(talker)
        talker.makeConnection(answer.tunnel.transport)
        answer.tunnel.resume()
        talker.transport.write(b"x" * 1000)  # type: ignore[attr-defined]
        for _ in range(100):
            if len(talker.data) == 1000:
                break
            await deferLater(reactor, 0.02)  # type: ignore[arg-type]
        assert talker.data == b"x" * 1000
        talker.transport.abortConnection()  # type: ignore[attr-defined]
