"""OpenSSL between two buffers: records in, records out, and the errors that pyOpenSSL would raise."""

from __future__ import annotations

import ssl
from types import SimpleNamespace
from typing import Any

import pytest
from OpenSSL import SSL

from tests.tls.pairs import Pair
from upgradegw.tls.memory import PIECE, RECORD, Memory


def connected() -> tuple[Pair, Memory]:
    """A connection after its handshake, past the layer."""
    pair = Pair()
    memory = Memory.of(pair.layer.getHandle())
    assert memory is not None
    return pair, memory


def test_this_pyopenssl_is_known() -> None:
    """Or else everything is slower than it need be."""
    assert connected()[1] is not None


def test_another_pyopenssl_is_left_alone() -> None:
    """Where a name is missing, there is no way past it."""
    other: Any = SimpleNamespace(_ssl=None, _into_ssl=None)
    assert Memory.of(other) is None


def test_what_is_complete_is_read() -> None:
    """All records at once, then nothing; the rest of a record makes it complete."""
    pair, memory = connected()
    assert memory.put(b"") == b""
    pair.client.write(b"one ")
    pair.client.write(b"two ")
    pair.client.write(b"three")
    sent = pair.sent()
    assert memory.put(sent[:-1]) == b"one two "
    assert memory.put(b"") == b""
    assert memory.put(sent[-1:]) == b"three"
    assert memory.error is None


def test_a_piece_behind_the_begin_of_a_record_is_read() -> None:
    """There is room for all of it."""
    pair, memory = connected()
    data = bytes(each % 251 for each in range(3 * RECORD))
    pair.client.write(data)
    sent = pair.sent()
    first = RECORD  # the record is a little longer
    pieces = [sent[:first], sent[first : first + PIECE], sent[first + PIECE :]]
    assert b"".join(map(memory.put, pieces)) == data


@pytest.mark.parametrize("size", [1, 2**14, 2**14 + 1, PIECE])
def test_a_piece_fits(size: int) -> None:
    """All of it is encrypted at once, and taken at once."""
    pair, memory = connected()
    assert memory.take() == b""
    assert memory.write(memoryview(bytes(size))) == size
    pair.wire.write(memory.take())
    assert memory.take() == b""
    assert pair.read() == bytes(size)


@pytest.mark.parametrize("size", [1, RECORD])
def test_a_record_is_sent(size: int) -> None:
    """It is there at once, with nothing left behind."""
    pair, memory = connected()
    pair.wire.write(memory.encrypt(bytes(size)))
    assert memory.take() == b""
    assert pair.read() == bytes(size)


def test_the_peers_end() -> None:
    """It is told behind what came before it."""
    pair, memory = connected()
    pair.client.write(b"goodbye")
    with pytest.raises(ssl.SSLWantReadError):
        pair.client.unwrap()
    assert memory.put(pair.sent()) == b"goodbye"
    assert isinstance(memory.error, SSL.ZeroReturnError)


def test_what_is_no_tls() -> None:
    """It is pyOpenSSL's error, with OpenSSL's reason, and there is an alert for the peer."""
    pair, memory = connected()
    pair.client.write(b"fine")
    assert memory.put(pair.sent() + b"GET / HTTP/1.1\r\n\r\n") == b"fine"
    with pytest.raises(SSL.Error, match="record"):
        raise memory.error or AssertionError
    assert memory.take()
    for send in (memory.write, memory.encrypt):
        with pytest.raises(SSL.Error):
            send(b"more")
