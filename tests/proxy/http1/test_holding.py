"""Between the 101 and the tunnel: nothing is lost, and all is in order."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.error import ConnectionLost

from tests.protocols_for_tests import RecorderFactory
from tests.proxy.upstream_in_memory import Line
from upgradegw.proxy.http1.holding import Holding


def held(**behaviour: Any) -> tuple[Holding, Line, Any]:
    """A holding at a paused line, and a protocol that is attached to it."""
    line = Line()
    line.pauseProducing()
    holding = Holding(line, paused=True)
    protocol = RecorderFactory(**behaviour).buildProtocol(None)
    holding.attach(protocol)
    protocol.makeConnection(line)
    return holding, line, protocol


def test_what_comes_early_is_kept() -> None:
    """TLS delivers all that one read has brought, paused or not."""
    holding, line, protocol = held()
    line.say(b"a", b"b")
    assert protocol.data == b""
    holding.resume()
    assert protocol.data == b"ab"
    assert line.paused == [True, False]
    line.say(b"c")
    assert protocol.events == ["made", "data", "data"]


def test_a_pause_at_what_was_kept_holds() -> None:
    """The protocol may have enough with the first bytes."""
    holding, line, _ = held(data=lambda protocol: protocol.transport.pauseProducing())
    line.say(b"a")
    holding.resume()
    assert line.paused == [True, False, True]


def test_the_end_is_kept() -> None:
    """A connection that was lost meanwhile is lost behind its last bytes."""
    holding, line, protocol = held()
    line.say(b"a")
    line.lose(ConnectionLost())
    assert protocol.events == ["made"]
    holding.resume()
    assert protocol.events == ["made", "data", "lost"]
    assert protocol.lost.check(ConnectionLost)
    assert line.paused == [True]


def test_nobody_to_resume_for() -> None:
    """Bytes are not delivered to nobody."""
    holding = Holding(Line(), paused=True)
    with pytest.raises(RuntimeError, match="attach"):
        holding.resume()
