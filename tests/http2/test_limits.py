"""The bounds of an HTTP/2 connection as values, and how many connections there may be."""

from __future__ import annotations

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.http1.wire import Rendered, make_site
from tests.http2.client import Client, fields, window_update
from upgradegw.http2.limits import Http2Limits
from upgradegw.web.site import UpgradeSite


@pytest.mark.parametrize("window", [0, 65_534, 2**31])
def test_windows_out_of_range(window: int) -> None:
    """RFC 9113 section 6.9: a window that a client could overrun without fault, or that is none, is an error."""
    for name in ("stream_window", "connection_window"):
        with pytest.raises(ValueError, match=name):
            Http2Limits(**{name: window})
        with pytest.raises(ValueError, match=name):
            UpgradeSite(Rendered(None), **{name: window})


class Connections(SynchronousTestCase):
    """A-40: connections are bounded, whatever they speak."""

    def test_one_too_many_that_is_silent(self) -> None:
        """A connection too many that asks nothing is closed after a moment."""
        client = Client(max_connections=0).advance(4)
        assert client.goaway == (0, 0)
        assert client.eof

    def test_per_client(self) -> None:
        """The bound of a client holds for its HTTP/2 connections."""
        site = make_site(max_connections_per_client=1)
        first, second = Client(site=site), Client(site=site)
        for client in (first, second):
            client.send(client.head(1))
        assert [first[1].status, second[1].status] == [200, 503]

    def test_per_client_behind_a_proxy(self) -> None:
        """A trusted proxy's connections count for the clients that it names, request by request."""
        site = make_site(max_connections_per_client=1, trusted_proxies=["192.0.2.0/24"])
        first, second = Client(site=site), Client(site=site)

        def ask(client: Client, number: int, who: bytes) -> int:
            client.send(client.head(number, fields(b"GET", b"/", (b"x-forwarded-for", who))))
            return client[number].status

        assert ask(first, 1, b"198.51.100.1") == 200
        assert ask(second, 1, b"198.51.100.1") == 503
        assert ask(second, 3, b"198.51.100.2") == 200


class Urgency(SynchronousTestCase):
    """RFC 9218."""

    def test_what_is_urgent_goes_first(self) -> None:
        """Of two streams that share a window the more urgent one is served, then the other."""
        client = Client(Rendered(lambda _: b"x" * 80_000), values={4: 100_000})
        client.send(client.head(1, fields(b"GET", b"/", (b"priority", b"u=6"))) + client.head(3))
        assert (len(client[1].body), len(client[3].body)) == (0, 65_535)
        client.send(window_update(100_000))
        assert client[1].ended
        assert client[3].ended
