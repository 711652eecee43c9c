"""Log lines name the connection that is being read from."""

from __future__ import annotations

from tests.reactor.memory import Link
from tests.reactor.protocols import Remembering
from upgradegw.reactor.log_context import LogContext


def test_lines_written_while_a_connection_reads_name_it() -> None:
    """And others name nobody."""
    seen = []

    class Logging(Remembering):
        def dataReceived(self, data: bytes) -> None:
            seen.append((context["system"], context.copy()["system"], context["isError"]))

    link = Link(Logging())
    context = LogContext(link.streams)
    link.read(b"x")
    assert seen == [("Logging,0,192.0.2.1", "Logging,0,192.0.2.1", 0)]
    assert (context["system"], context.copy()) == ("-", {"system": "-", "isError": 0})


def test_a_prefix_that_cannot_be_made_loses_no_line() -> None:
    """The line says so, as Twisted's would."""
    link = Link(Remembering())
    context = LogContext(link.streams)
    link.streams.reading = object()
    assert context["system"] == "(buggy logPrefix method)"
