"""HTTP/2 by an Upgrade field: the same answers on stream 1."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

from tests.http1.wire import Later
from tests.http2.client import (
    HEADER_TABLE_SIZE,
    INITIAL_WINDOW_SIZE,
    PROTOCOL_ERROR,
    STREAM_CLOSED,
    data,
    fields,
    settings,
    window_update,
)
from tests.http2.upgrading import Mirror, Upgrading, offering
from upgradegw import limit
from upgradegw.http2.frames import PREFACE, Kind


@pytest.fixture(params=["UpgradeSite", "stock"])
def upgrading(request: pytest.FixtureRequest) -> Any:
    """Make a client of either kind of site."""
    return lambda *args, **kwargs: Upgrading(*args, stock=request.param == "stock", **kwargs)


def test_the_switch(upgrading: Any) -> None:
    """HC-01, HC-06, UP-16: 101, SETTINGS first, then the answer on stream 1; the client goes on with stream 3."""
    client = upgrading().send(offering())
    assert client.first == (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
    assert client.kinds()[0] == Kind.SETTINGS
    assert (client[1].status, client[1].body, client[1].ended) == (200, b"GET /a?b HTTP/2 ", True)
    client.go_on()
    client.send(client.head(3, fields(b"GET", b"/next")))
    assert client[3].body == b"GET /next HTTP/2 "
    assert client.goaway is None


def test_the_request_on_the_stream(upgrading: Any) -> None:
    """HC-10: the resource sees the request without what spoke of the connection, and with its host."""
    lines = (b"TE: trailers", b"Keep-Alive: 5", b"X-Own: 1", b"Cookie: a=1", b"Cookie: b=2")
    client = upgrading().send(offering(*lines))
    assert client[1].get(b"x-fields") == b"cookie,host,x-own"
    assert client[1].get(b"x-host") == b"a.example"


def test_content_on_later_streams() -> None:
    """HC-10: behind h2c(root) content has no limit, as in the stock Site itself."""
    client = Upgrading(stock=True).send(offering()).go_on()
    size = 1_200_000
    client.send(client.head(3, fields(b"POST", b"/"), end=False))
    for at in range(0, size, 16_000):
        client.send(data(3, b"x" * 16_000, end=at + 16_000 >= size))
    client.send(window_update(1 << 21), window_update(1 << 21, 3))
    assert (client[3].status, len(client[3].body)) == (200, len(b"POST / HTTP/2 ") + size)


def test_head_has_no_content(upgrading: Any) -> None:
    """HC-06: HEAD is answered without DATA."""
    client = upgrading().send(offering(method=b"HEAD")).go_on()
    assert Kind.DATA not in client.kinds()
    assert client[1].ended


@pytest.mark.parametrize("size", [1, 1000, 200_000])
def test_content(upgrading: Any, size: int) -> None:
    """HC-09, UP-12: content is read in full, then comes the 101, then the answer to all of it."""
    content = b"x" * size
    request = offering(method=b"POST", content=content)
    client = upgrading().send(request[:-1])
    assert client.first == b""
    client.send(request[-1:])
    assert client.switched
    client.go_on().send(window_update(1 << 20), window_update(1 << 20, 1))
    assert client[1].body == b"POST /a?b HTTP/2 " + content


def test_chunked_content(upgrading: Any) -> None:
    """HC-09: with content of unknown length the offer is passed over, and the request answered in HTTP/1.1."""
    client = upgrading().send(offering(b"Transfer-Encoding: chunked", method=b"POST") + b"1\r\nx\r\n0\r\n\r\n")
    assert b"POST /a?b HTTP/1.1 x" in client.first


def test_too_much_content() -> None:
    """HC-09: too much content is refused as ever."""
    client = Upgrading(max_content=10).send(offering(method=b"POST", content=b"x" * 11))
    assert client.first.startswith(b"HTTP/1.1 413 ")
    root = Resource()
    root.putChild(b"a", limit(Mirror(), max_content=20))
    client = Upgrading(root, max_content=10).send(offering(method=b"POST", target=b"/a", content=b"x" * 11))
    assert client.switched


@pytest.mark.parametrize("cut", range(1, 24))
def test_the_preface_in_pieces(upgrading: Any, cut: int) -> None:
    """HC-07: the preface may come behind the request in one segment, or in any pieces."""
    client = upgrading()
    request, rest = offering(), PREFACE + settings() + client.head(3)
    client.send(request + rest[:cut], rest[cut:])
    assert client[3].ended
    one = upgrading()
    one.send(offering() + PREFACE + settings() + one.head(3))
    assert one[3].body == client[3].body


@pytest.mark.parametrize(
    "behind", [b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", b"PRI * HTTP/1.1\r\n\r\n", b"\0" * 24]
)
def test_no_preface(upgrading: Any, behind: bytes) -> None:
    """HC-07: whatever else comes behind the 101 ends the connection, and is not parsed as a request."""
    client = upgrading().send(offering() + behind)
    assert client.switched
    assert client.goaway == (PROTOCOL_ERROR, 1)
    client.advance(3)
    assert client.eof
    assert not client.wire.open


def test_a_preface_that_never_comes() -> None:
    """HC-07, A-25: who does not go on is gone after ``preface_timeout``."""
    client = Upgrading(Later(), preface_timeout=7).send(offering())
    for _ in range(6):
        client.advance(1)
    assert client.wire.open
    for _ in range(5):
        client.advance(1)
    assert not client.wire.open


def test_settings_hold_at_once(upgrading: Any) -> None:
    """HC-05: the window and the table of HTTP2-Settings hold for stream 1, and only real SETTINGS are acknowledged."""
    client = upgrading().send(offering(values={INITIAL_WINDOW_SIZE: 3, HEADER_TABLE_SIZE: 0}))
    assert client[1].body == b"GET"
    assert [each.flags for each in client.frames if each.type == Kind.SETTINGS] == [set()]
    client.go_on()
    assert sum(each.type == Kind.SETTINGS and "ACK" in each.flags for each in client.frames) == 1
    client.send(settings({INITIAL_WINDOW_SIZE: 0}), window_update(100, 1))
    assert client[1].body == b"GET /a?b HTTP/2 "


def test_stream_1_is_the_requests(upgrading: Any) -> None:
    """HC-06: the client has ended stream 1; what it sends there is an error of the stream."""
    client = upgrading(Later()).send(offering()).go_on()
    client.send(data(1, b"more"))
    assert client[1].code == STREAM_CLOSED
    client.send(client.head(3))
    assert client.goaway is None


@pytest.mark.parametrize(
    "request_",
    [
        offering().replace(b"Upgrade: h2c", b"Upgrade: h2"),
        offering().replace(b", HTTP2-Settings", b""),
        offering(b"HTTP2-Settings: "),
        offering(values={INITIAL_WINDOW_SIZE: 1 << 31}),
        offering().replace(b"Upgrade: h2c", b"Upgrade: h2c, websocket"),
    ],
    ids=["h2", "not named", "twice", "illegal", "another"],
)
def test_no_offer(upgrading: Any, request_: bytes) -> None:
    """HC-02, HC-03, HC-04, HC-08: what is no right offer is a plain request, and the connection goes on."""
    client = upgrading().send(request_, b"GET /next HTTP/1.1\r\nHost: a.example\r\n\r\n")
    assert not client.switched
    assert b"GET /a?b HTTP/1.1 " in client.first
    assert b"GET /next HTTP/1.1 " in client.first


def test_http_1_0(upgrading: Any) -> None:
    """UP-08, A-07: in HTTP/1.0 there is no upgrade."""
    client = upgrading().send(offering(version=b"HTTP/1.0"))
    assert b"GET /a?b HTTP/1.0 " in client.first


class Books(SynchronousTestCase):
    """What is left when it is over."""

    def test_nothing_is_left(self) -> None:
        """A-40: when the client has gone, nothing of the connection is in the books, and no clock runs."""
        for stock in (False, True):
            client = Upgrading(stock=stock).send(offering()).go_on()
            client.wire.close()
            assert not client.wire.open
            assert client.reactor.getDelayedCalls() == []
            if not stock:
                assert client.site.connections == set()

    def test_a_client_that_leaves_while_it_is_answered(self) -> None:
        """A-32: the resource is told that nobody waits any more."""
        for stock in (False, True):
            root = Later()
            client = Upgrading(root, stock=stock).send(offering())
            gone = root.requests[0].notifyFinish()
            client.wire.transport.abortConnection()
            client.turn()
            self.failureResultOf(gone)
