"""What a transport still has to send."""

from __future__ import annotations

from types import SimpleNamespace

from twisted.internet.testing import StringTransport

from tests.protocols.websocket.wire import Wire
from upgradegw.transports import unsent_bytes


def test_a_transport_of_twisteds() -> None:
    """All that was written and not sent counts, however far the transport has got with it."""
    wire = Wire()
    wire.window = 30
    assert unsent_bytes(wire) == 0
    wire.write(bytes(100))
    assert unsent_bytes(wire) == 100
    wire.flush()
    wire.write(bytes(5))
    assert unsent_bytes(wire) == 75


def test_a_stream_says_it_itself() -> None:
    """An HTTP/2 stream has an attribute for it."""
    assert unsent_bytes(SimpleNamespace(unsent=7)) == 7


def test_nobody_knows() -> None:
    """Other transports do not tell."""
    assert unsent_bytes(StringTransport()) is None
