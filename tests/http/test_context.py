"""What connections share: how many there may be, for whom, and their end."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from tests.http1.wire import PEER, Later, Wire, get, make_site
from upgradegw.events import access_events


class TooMany(SynchronousTestCase):
    """A-40: limits of connections."""

    def test_max_connections(self) -> None:
        """A connection beyond max_connections is told 503 when it asks; when another ends, the next is served."""
        site, reactor = make_site(max_connections=2)
        first, second, third = (Wire(site, reactor) for _ in range(3))
        (answer,) = third.send(get()).answers()
        assert answer.status == 503
        assert answer.get(b"retry-after") is not None
        assert answer.get(b"connection") == b"close"
        assert third.eof
        for wire in (first, second):
            assert wire.send(get()).answers()[0].status == 200
        first.close()
        assert Wire(site, reactor).send(get()).answers()[0].status == 200

    def test_in_every_way_to_ask(self) -> None:
        """A connection too many is told so also when its request comes in pieces, and no resource sees it."""
        root = Later()
        site, reactor = make_site(root, max_connections=0)
        for segments in ((get(),), (b"G",), (b"\r\nGET",)):
            assert Wire(site, reactor).send(*segments).answers()[0].status == 503
        assert root.requests == []

    def test_silent_ones(self) -> None:
        """A connection too many that says nothing is closed after two seconds."""
        site, reactor = make_site(max_connections=0)
        wire = Wire(site, reactor).advance(3)
        assert (wire.open, wire.take()) == (False, b"")
        assert reactor.getDelayedCalls() == []

    def test_recovery(self) -> None:
        """After a flood the books are empty and requests are answered."""
        site, reactor = make_site(max_connections=10)
        wires = [Wire(site, reactor).send(b"G") for _ in range(100)]
        assert len(site.connections) == 100
        for wire in wires:
            wire.close()
        assert site.connections == set()
        assert reactor.getDelayedCalls() == []
        assert Wire(site, reactor).send(get()).answers()[0].status == 200

    def test_per_client(self) -> None:
        """max_connections_per_client counts addresses, not ports; another client is not affected."""
        site, reactor = make_site(max_connections_per_client=2)
        wires = [Wire(site, reactor, peer=IPv4Address("TCP", "192.0.2.7", port)) for port in (1, 2, 3)]
        assert [wire.send(get()).answers()[0].status for wire in wires] == [200, 200, 503]
        other = Wire(site, reactor, peer=IPv4Address("TCP", "192.0.2.8", 1))
        assert other.send(get()).answers()[0].status == 200
        wires[0].close()
        assert Wire(site, reactor).send(get()).answers()[0].status == 200

    def test_per_client_behind_a_proxy(self) -> None:
        """Behind a trusted proxy the client that it names is counted, at each request anew, and not the proxy."""
        site, reactor = make_site(max_connections_per_client=1, trusted_proxies=["192.0.2.7"])
        wires = [Wire(site, reactor) for _ in range(3)]

        def ask(wire: Wire, client: bytes) -> int:
            return int(wire.send(get(b"/", b"X-Forwarded-For: " + client)).answers()[0].status)

        assert ask(wires[0], b"198.51.100.1") == 200
        assert ask(wires[1], b"198.51.100.2") == 200
        assert ask(wires[0], b"198.51.100.1") == 200
        assert ask(wires[1], b"198.51.100.3") == 200
        assert ask(wires[2], b"198.51.100.2") == 200
        assert ask(wires[2], b"198.51.100.1") == 503
        plain = Wire(site, reactor)
        assert plain.send(get()).answers()[0].status == 200

    def test_a_stranger_cannot_choose_its_count(self) -> None:
        """A-34: fields of a peer that is not trusted do not change for whom it counts."""
        site, reactor = make_site(max_connections_per_client=1)
        Wire(site, reactor)
        wire = Wire(site, reactor).send(get(b"/", b"X-Forwarded-For: 198.51.100.1"))
        assert wire.answers()[0].status == 503

    def test_peers_without_address(self) -> None:
        """Peers on a UNIX socket have no address and are not counted per client."""
        site, reactor = make_site(max_connections_per_client=1)
        for _ in range(3):
            assert Wire(site, reactor, peer=UNIXAddress(None)).send(get()).answers()[0].status == 200


class Stopping(SynchronousTestCase):
    """An orderly stop."""

    def test_nothing_to_stop(self) -> None:
        """A site without connections has stopped at once."""
        site, _ = make_site()
        self.successResultOf(site.stop())

    def test_in_order(self) -> None:
        """Idle connections close, a running request is finished and then its connection closes."""
        root = Later()
        site, reactor = make_site(root)
        idle, busy, used, half = (Wire(site, reactor) for _ in range(4))
        busy.send(get() + get())
        used.send(get())
        root.requests[1].finish()
        half.send(b"GET / HT")
        stopped = site.stop()
        for wire in (idle, used, half):
            wire.turn()
            assert not wire.open
        assert busy.open
        self.assertNoResult(stopped)
        root.requests[0].finish()
        (answer,) = busy.answers()
        assert answer.get(b"connection") == b"close"
        busy.fin()
        self.successResultOf(stopped)
        assert len(root.requests) == 2

    def test_content_on_its_way(self) -> None:
        """A request whose content is still arriving is finished, too."""
        site, reactor = make_site()
        wire = Wire(site, reactor).send(get(b"/", b"Content-Length: 3", method=b"PUT"), b"a")
        stopped = site.stop()
        assert wire.send(b"bc").answers()[0].body == b"PUT / abc"
        self.successResultOf(stopped)

    def test_newcomers(self) -> None:
        """Connections that come while the site stops are told 503."""
        root = Later()
        site, reactor = make_site(root)
        busy = Wire(site, reactor).send(get())
        stopped = site.stop()
        assert Wire(site, reactor).send(get()).fin().answers()[0].status == 503
        busy.close()
        busy.advance(61)
        self.successResultOf(stopped)

    def test_abort(self) -> None:
        """``abort`` ends at once what is left."""
        root = Later()
        site, reactor = make_site(root)
        Wire(site, reactor).send(get())
        stopped = site.stop()
        site.abort()
        reactor.advance(0)
        self.successResultOf(stopped)
        assert site.connections == set()


class Events(SynchronousTestCase):
    """The access log of what the channel answers itself."""

    def test_refusals_are_logged(self) -> None:
        """A-36: a refusal is an event with reason, hint and printable values, though no resource saw the request."""
        seen: list[Any] = []
        self.addCleanup(access_events.subscribe(seen.append))
        site, reactor = make_site(trusted_proxies=["192.0.2.7"], allowed_hosts=["other"])
        wire = Wire(site, reactor)
        wire.send(get(b"/x", b"X-Forwarded-For: 198.51.100.1"))
        Wire(site, reactor).send(b"\x1b]0;evil\r\n")
        host, bad = seen
        assert host["event"] == bad["event"] == "request"
        assert (host["client"], host["method"], host["target"], host["status"]) == ("198.51.100.1", "GET", "/x", 421)
        assert (host["reason"], host["connection_id"]) == ("host_not_allowed", wire.protocol.connection_id)
        assert host["bytes_out"] == len(wire.answers()[0].body)
        assert "allowed_hosts" in host["hint"]
        assert (bad["client"], bad["reason"], bad["status"]) == (PEER.host, "bad_request", 400)
        assert "\x1b" not in repr(sorted(bad["detail"]))
