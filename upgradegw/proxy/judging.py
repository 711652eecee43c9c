"""Whether an upstream's switch is the one that was asked for: the rules alone, no I/O.

A tunnel hides what goes through it, so nobody may be led into one by accident: the 101 must name what the client has
offered and the route allows, and for WebSocket prove that it was meant (RFC 9110 section 7.8, RFC 6455 section 4.1).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache

from upgradegw.negotiation.extensions import parse_extensions
from upgradegw.negotiation.fields import by_name, connection_options, members, printable
from upgradegw.negotiation.model import Fields, RequestHead, UpgradeProtocol
from upgradegw.negotiation.upgrade import offered
from upgradegw.negotiation.websocket import Handshake, accept_value
from upgradegw.proxy.exchange import ResponseHead
from upgradegw.proxy.fields import HOP_BY_HOP, may_be_tunnelled

_HTTP2 = b"HTTP/2"

#: What frames a content; a 101 has none (RFC 9110 section 15.2.2).
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})

#: What proves a WebSocket on HTTP/1.1, and does not exist on HTTP/2 (RFC 8441 section 5).
_PROOF = frozenset({b"sec-websocket-accept", b"sec-websocket-key"})

_NOT_PASSED = HOP_BY_HOP | _FRAMING
_NOT_PASSED_WITH_PROOF = _NOT_PASSED | _PROOF

#: What Connection says in nearly every 101; the field of that name is not passed anyway.
_UPGRADE_ALONE = frozenset({b"upgrade"})

_Said = dict[bytes, list[bytes]]

# Up to how many bytes of Upgrade what they lead to is kept; with the number of those kept, a stranger can fill 100 KB.
_CACHED_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Offer:
    """What went to the upstream.

    Attributes:
        tokens: The tokens, in the client's order.
        handshake: What the client's WebSocket request said, with the key that went to the upstream; None if it was no
            WebSocket, or one without a key that the route lets pass.
        strict: Whether the 101 must have ``Connection: upgrade``.
    """

    tokens: tuple[UpgradeProtocol, ...]
    handshake: Handshake | None = None
    strict: bool = True


@dataclass(frozen=True, slots=True)
class Switch:
    """A switch that was asked for.

    Attributes:
        token: The value of Upgrade for the client.
        fields: The fields for the client: the upstream's, without those of its connection.
        subprotocol: The WebSocket subprotocol, or None.
        framed: Whether WebSocket frames follow.
    """

    token: bytes
    fields: Fields
    subprotocol: str | None
    framed: bool


class WrongSwitch(Exception):  # noqa: N818 - the name says what it is
    """The upstream's switch is not the one that was asked for; the text says why."""


def tokens_for(
    head: RequestHead, allowed: Collection[UpgradeProtocol], *, lenient: bool
) -> tuple[UpgradeProtocol, ...]:
    """Return the tokens that go to the upstream: those that the client offered and the route allows, in its order.

    A WebSocket is asked for with GET, and without content (RFC 6455 section 4.1).

    Args:
        head: The client's request.
        allowed: What the route allows; see ``fields.may_be_tunnelled``.
        lenient: Whether a token's version may hold spaces.
    """
    if head.protocol is not None:
        return (UpgradeProtocol.parse(head.protocol),)
    values = head.get_all(b"upgrade")
    may_be_websocket = head.method == b"GET" and not head.has_content
    if sum(map(len, values)) <= _CACHED_LENGTH:
        return _recall_tokens(tuple(values), tuple(allowed), lenient, may_be_websocket)
    return _tokens(values, allowed, lenient, may_be_websocket)


def _tokens(
    values: Iterable[bytes], allowed: Collection[UpgradeProtocol], lenient: bool, may_be_websocket: bool
) -> tuple[UpgradeProtocol, ...]:
    tokens = dict.fromkeys(offered(tuple([(b"Upgrade", value) for value in values]), lenient=lenient))
    return tuple(
        token for token in tokens if (may_be_websocket or not is_websocket(token)) and may_be_tunnelled(token, allowed)
    )


# All clients of a kind send the same few words.
_recall_tokens = lru_cache(128)(_tokens)


def is_websocket(token: UpgradeProtocol) -> bool:
    """Tell whether a token is WebSocket's."""
    return token.version is None and token.name.lower() == b"websocket"


def judge(response: ResponseHead, offer: Offer, head: RequestHead) -> Switch:
    """Judge a 101, or a 2xx to extended CONNECT.

    Args:
        response: The upstream's response.
        offer: What it was asked for.
        head: The client's request; on HTTP/2 no proof is passed on, on HTTP/1.1 one is made if there is none.

    Raises:
        WrongSwitch: Nobody asked for that.
    """
    said = by_name(response.fields)
    named = offer.tokens[:1] if response.http_version == _HTTP2 else _judge_http1(response, said, offer)
    handshake = offer.handshake if any(map(is_websocket, named)) else None
    subprotocol = proof = None
    if handshake is not None:
        proof = None if handshake.key is None else accept_value(handshake.key)
        if response.http_version != _HTTP2:
            _judge_proof(said, proof)
        subprotocol = _judge_subprotocol(said, handshake)
        _judge_extensions(said, handshake)
    fields = _passed_fields(response, said, drop_proof=handshake is not None)
    if proof is not None and head.protocol is None:
        fields = (*fields, (b"Sec-WebSocket-Accept", proof))
    return Switch(b", ".join(map(bytes, named)), fields, subprotocol, framed=handshake is not None)


def _judge_http1(response: ResponseHead, said: _Said, offer: Offer) -> tuple[UpgradeProtocol, ...]:
    """Return the protocols that a 101 names (RFC 9110 sections 7.8 and 15.2.2)."""
    if response.http_version != b"HTTP/1.1":
        raise WrongSwitch(f"a switch in {printable(response.http_version)}, which has none")
    if offer.strict and b"upgrade" not in connection_options(said.get(b"connection", ())):
        raise WrongSwitch("a 101 without Connection: upgrade")
    for name, value in response.fields:
        if name.lower() in _FRAMING and value.strip(b"0"):
            raise WrongSwitch(f"a 101 with {printable(name)}: {printable(value)}, and it has no content")
    values = members(said.get(b"upgrade", ()))
    if not values:
        raise WrongSwitch("a 101 without Upgrade, which would say to what")
    named = tuple(map(UpgradeProtocol.parse, values))
    if not all(any(token.matches(each) for token in offer.tokens) for each in named):
        asked = b", ".join(map(bytes, offer.tokens))
        raise WrongSwitch(f"a switch to {printable(b', '.join(values))}, and {printable(asked)} was asked for")
    return named


def _judge_proof(said: _Said, expected: bytes | None) -> None:
    """Demand the one Sec-WebSocket-Accept that the key leads to (RFC 6455 section 4.1)."""
    if expected is None:
        return
    proofs = said.get(b"sec-websocket-accept", [])
    if proofs != [expected]:
        shown = printable(b" and ".join(proofs)) if proofs else "absent"
        raise WrongSwitch(f"Sec-WebSocket-Accept is {shown}, and {printable(expected)} was expected")


def _judge_subprotocol(said: _Said, handshake: Handshake) -> str | None:
    """Return the subprotocol, which must be one that was offered (RFC 6455 section 4.1)."""
    chosen = said.get(b"sec-websocket-protocol", [])
    if not chosen:
        return None
    if len(chosen) > 1 or chosen[0].decode("latin-1") not in handshake.subprotocols:
        shown = printable(b" and ".join(chosen))
        raise WrongSwitch(f"Sec-WebSocket-Protocol is {shown}, and {', '.join(handshake.subprotocols)} was offered")
    return chosen[0].decode("latin-1")


def _judge_extensions(said: _Said, handshake: Handshake) -> None:
    """Demand that the extensions were offered (RFC 6455 section 4.1)."""
    values = said.get(b"sec-websocket-extensions", [])
    if not values:
        return
    chosen = parse_extensions(values)
    names = {extension.name for extension in handshake.extensions}
    if chosen is None or not {extension.name for extension in chosen} <= names:
        shown = printable(b", ".join(values))
        raise WrongSwitch(f"Sec-WebSocket-Extensions is {shown}, and {', '.join(sorted(names))} was offered")


def _passed_fields(response: ResponseHead, said: _Said, *, drop_proof: bool) -> Fields:
    """Return the upstream's fields without those of its own connection and of content that is not there."""
    removed = _NOT_PASSED_WITH_PROOF if drop_proof else _NOT_PASSED
    options = connection_options(said.get(b"connection", ()))
    if options != _UPGRADE_ALONE:
        removed = removed | options
    return tuple([(name, value) for name, value in response.fields if name.lower() not in removed])
