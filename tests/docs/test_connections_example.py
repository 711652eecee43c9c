"""The example of all connections does what its page says."""

from __future__ import annotations

from tests.docs.test_examples import Example, Listening, frame, open_websocket
from tests.memory import content_of, fields_of


def test_connections(example: Example) -> None:
    """All are told, or one user; who has five connections gets 429; at shutdown all get Close 1001."""
    module = example("connections")
    listening = Listening(module)
    transports = [
        listening.ask(open_websocket(b"/news?user=" + user))[0] for user in (b"ann", b"bob", b"ann", *[b"cy"] * 5)
    ]
    assert content_of(transports[1].value()) == frame(b"2 are here")
    assert [module.tell("tea"), module.tell("cake", user="ann"), module.tell("?", user="dan")] == [8, 2, 0]
    heard = [content_of(transport.value()) for transport in transports[:3]]
    assert heard[0] == frame(b"1 are here") + frame(b"tea") + frame(b"cake")
    assert heard[1].endswith(frame(b"are here")[2:] + frame(b"tea"))
    _, refused = listening.ask(open_websocket(b"/news?user=cy"))
    assert refused.startswith(b"HTTP/1.1 429 ")
    assert fields_of(refused)[b"retry-after"] == b"10"
    assert listening.ask(open_websocket(b"/news"))[1].startswith(b"HTTP/1.1 403 ")
    listening.reactor.triggers["before"]["shutdown"][-1][0]()
    assert content_of(transports[0].value()).endswith(bytes([0x88, 2]) + (1001).to_bytes(2, "big"))
    for transport in transports:
        transport.lose()
    assert len(module.news.connections) == 0
