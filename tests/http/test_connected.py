"""Sites that share their connections: counted together, stopped together."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

from tests.memory import Memory, MemoryTransport

REQUEST = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"


def asked(memory: Memory) -> MemoryTransport:
    """Open a connection and ask something."""
    transport = memory.connect()
    transport.deliver(REQUEST)
    return transport


class Sharing(SynchronousTestCase):
    """Two sites of one server, as behind two listeners."""

    def pair(self, **limits: int) -> tuple[Memory, Memory]:
        """Make both; each begins with one connection."""
        first = Memory(Resource(), **limits)
        return first, Memory(Resource(), clock=first.clock, sharing=first.site, **limits)

    def test_connections_are_counted_together(self) -> None:
        """A-27: a limit holds for the server, whichever listener a client takes; who leaves makes room."""
        first, second = self.pair(max_connections=3)
        third, fourth = asked(second), asked(first)
        assert [each.value()[9:12] for each in (third, fourth)] == [b"404", b"503"]
        assert first.site.connections == second.site.connections
        fourth.lose()
        third.lose()
        assert asked(first).value()[9:12] == b"404"

    def test_a_client_is_counted_over_both(self) -> None:
        """A-27: nobody has twice as many for coming by two doors."""
        first, second = self.pair(max_connections_per_client=2)
        assert asked(first).value()[9:12] == b"503"
        second.transport.lose()
        assert asked(first).value()[9:12] == b"404"

    def test_names_of_connections_are_not_used_twice(self) -> None:
        """A log of both sites can tell one from the other."""
        first, _ = self.pair()
        names = [each.connection_id for each in first.site.connections]
        assert len(set(names)) == 2

    def test_each_stops_both(self) -> None:
        """Whichever is told to stop, idle connections of both end, and new ones are turned away by both."""
        first, second = self.pair()
        stopping = second.site.drain()
        assert [each.transport.disconnecting for each in (first, second)] == [True, True]
        assert asked(first).value()[9:12] == b"503"
        for connection in list(first.site.connections):
            connection.abort()
            connection.transport.lose()
        assert self.successResultOf(stopping) == 0
