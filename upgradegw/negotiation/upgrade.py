"""The decision on an Upgrade field: which protocol, if any, this request switches to (RFC 9110 section 7.8)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from upgradegw.negotiation.fields import connection_options, get_all, has_control, is_token, members, printable
from upgradegw.negotiation.model import Candidate, Decline, Refuse, UpgradeProtocol
from upgradegw.negotiation.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from upgradegw.negotiation.model import Fields, RequestHead, Supported, U

    _Offers: TypeAlias = tuple[list[bytes], list[UpgradeProtocol], list[UpgradeProtocol]]

# Fields on which the next hop relies: RFC 9110 section 7.6.1 has a proxy remove what Connection names, so naming one
# of these either asks a proxy to hide it from us or has already done so.
_PROTECTED = frozenset(
    {
        b"authorization",
        b"content-length",
        b"content-type",
        b"cookie",
        b"expect",
        b"host",
        b"origin",
        b"transfer-encoding",
        b"via",
        b"x-real-ip",
    }
)
# What nearly all clients name, and is none of them: asked about first.
_USUAL = frozenset({b"upgrade", b"keep-alive"})
_PROTECTED_PREFIXES = (b"forwarded", b"x-forwarded-", b"sec-")

# HTTP/2 is never advertised in an Upgrade field: RFC 9113 section 3.1 has withdrawn h2c, and h2 means TLS.
_NEVER_ADVERTISED = (b"h2c", b"h2")

# All clients of a kind send the same few words. With both limits a stranger can fill some 100 KB with others.
_CACHE_SIZE = 128
_CACHED_LENGTH = 64

_NO_STORE = (b"Cache-Control", b"no-store")


def offered(fields: Fields, *, lenient: bool = False) -> list[UpgradeProtocol]:
    """Return the protocols of all Upgrade fields in the client's order of preference; malformed members are dropped.

    Args:
        fields: The field lines.
        lenient: Whether a version may hold spaces, as in ``IF-T/TLS 1.0``.
    """
    return _parse_offers(members(get_all(fields, b"upgrade")), lenient=lenient)


def _parse_offers(upgrade_members: list[bytes], *, lenient: bool) -> list[UpgradeProtocol]:
    """Parse ``protocol-name ["/" protocol-version]``, both tokens (RFC 9110 section 7.8)."""
    found = []
    for member in upgrade_members:
        token = UpgradeProtocol.parse(member)
        version = token.version
        if lenient and version is not None:
            version = version.replace(b" ", b"")
        if is_token(token.name) and (version is None or is_token(version)):
            found.append(token)
    return found


def _read_offers(values: Sequence[bytes]) -> _Offers:
    """Return the members of all Upgrade fields, and the protocols that they are without and with leniency."""
    if len(values) == 1 and len(values[0]) <= _CACHED_LENGTH:
        return _recall_offers(values[0])
    return _parse_all_offers(values)


def _parse_all_offers(values: Sequence[bytes]) -> _Offers:
    """Do the work of ``_read_offers``; what leniency changes nothing in is the same list."""
    found = members(values)
    strict, loose = _parse_offers(found, lenient=False), _parse_offers(found, lenient=True)
    return found, strict, strict if loose == strict else loose


@lru_cache(_CACHE_SIZE)
def _recall_offers(value: bytes) -> _Offers:
    """Do the work of ``_read_offers`` for the one line that there mostly is."""
    return _parse_all_offers((value,))


def is_lenient(upgrade: Supported) -> bool:
    """Tell whether a protocol may be asked for against RFC 9110 section 7.8, as clients of IF-T/TLS do.

    Its attribute ``needs_connection_option`` is then there and false: ``Connection`` need not name ``upgrade``, and the
    token's version may hold spaces.

    Args:
        upgrade: The protocol.
    """
    return not getattr(upgrade, "needs_connection_option", True)


def negotiate(head: RequestHead, supported: Sequence[U]) -> Candidate[U] | Decline | Refuse:
    """Decide whether a request may be switched, and to which of the supported protocols.

    The first protocol in the client's order that is supported and whose method and content fit is *the* protocol;
    if its own rules refuse the request, there is no falling back to the next.

    Args:
        head: The request without its content.
        supported: What the resource can speak, in its order of preference.

    Returns:
        Candidate if nothing in the head stands against it; Decline if the request is to be answered as a plain one;
        Refuse if it must be answered with an error.
    """
    options = connection_options(head.get_all(b"connection"))
    chosen = _choose(head, options, supported)
    if isinstance(chosen, Decline):
        return chosen
    refuse = judge_fields(head, options)
    if refuse is not None:
        return refuse
    upgrade, token = chosen
    checked = upgrade.check(head)
    return checked if isinstance(checked, Refuse) else Candidate(upgrade, token, checked)


def is_protected(lower_name: bytes) -> bool:
    """Tell whether a connection option must not name this field: the next hop relies on it.

    Args:
        lower_name: The name in lower case.
    """
    return lower_name in _PROTECTED or lower_name.startswith(_PROTECTED_PREFIXES)


def judge_fields(head: RequestHead, options: frozenset[bytes]) -> Refuse | None:
    """Refuse what nobody must be led to: protected fields named by Connection, and control characters in a value.

    Args:
        head: The request without its content.
        options: Its connection options.
    """
    for option in options - _USUAL:
        if is_protected(option):
            return Refuse(Reason.PROTECTED_CONNECTION_OPTION, 400, detail=f"Connection: {printable(option)}")
    if has_control(b"".join([value for _, value in head.fields])):
        return Refuse(Reason.CONTROL_CHARACTERS, 400, detail=_show_control(head.fields))
    return None


def _choose(
    head: RequestHead, options: frozenset[bytes], supported: Sequence[U]
) -> tuple[U, UpgradeProtocol] | Decline:
    """Find the protocol that the client asks for, or why the request is a plain one."""
    if head.protocol is not None:
        return _choose_for_stream(head.protocol, supported)
    if head.http_version != b"HTTP/1.1":
        # In HTTP/1.0 Upgrade must be ignored (RFC 9110 section 7.8); in HTTP/2 there is none (RFC 9113 section 8.2.2).
        old = head.http_version.startswith((b"HTTP/1.", b"HTTP/0."))
        return Decline(Reason.HTTP_1_0 if old else Reason.NO_UPGRADE, printable(head.http_version))
    upgrade_members, strict, loose = _read_offers(head.get_all(b"upgrade"))
    if not upgrade_members:
        return Decline(Reason.NO_UPGRADE)
    misfit = None
    has_option = b"upgrade" in options
    lenient = (loose is not strict or not has_option) and any(map(is_lenient, supported))
    if not has_option:
        # Improperly forwarded (RFC 9110 section 7.6.1): whoever is in front does not know what it passes on.
        misfit = Decline(Reason.NO_CONNECTION_OPTION, _show_list("Connection", sorted(options)))
        if not lenient:
            return misfit
        supported = [upgrade for upgrade in supported if is_lenient(upgrade)]
    for token in loose if lenient else strict:
        for upgrade in supported:
            if upgrade.protocol.matches(token):
                reason = _misfit(head, upgrade)
                if reason is None:
                    return upgrade, token
                misfit = misfit or Decline(reason, f"{printable(head.method)} for {printable(bytes(token))}")
    return misfit or Decline(Reason.UNSUPPORTED_TOKEN, _show_list("Upgrade", upgrade_members))


def _choose_for_stream(protocol: bytes, supported: Sequence[U]) -> tuple[U, UpgradeProtocol] | Decline:
    """Find the protocol that extended CONNECT asks for: its one method fits all (RFC 8441 section 4)."""
    token = UpgradeProtocol.parse(protocol)
    for upgrade in supported:
        if upgrade.protocol.matches(token):
            return upgrade, token
    return Decline(Reason.UNSUPPORTED_TOKEN, f":protocol: {printable(protocol)}")


def _misfit(head: RequestHead, upgrade: Supported) -> Reason | None:
    """Tell what of the request's semantics could not be honoured behind the switch (RFC 9110 section 7.8)."""
    if head.method not in upgrade.methods:
        return Reason.METHOD_NOT_ALLOWED
    if head.has_content and not upgrade.content:
        return Reason.CONTENT_NOT_ALLOWED
    return None


def refusal(decline: Decline, head: RequestHead, supported: Sequence[Supported]) -> Refuse:
    """Return what a declined request gets where plain requests are not served.

    405 with Allow if no protocol of the path has this method (RFC 9110 section 15.5.6; HEAD counts as GET), else 426
    with the protocols in order of preference (section 15.5.22). Neither may be stored by a cache.

    On HTTP/2 there is no Upgrade field (RFC 9113 section 8.6), and so no 426: what asks for no protocol gets 400, and
    extended CONNECT with an unknown one 501 (RFC 9220 section 3).

    Args:
        decline: Why the offer was passed over.
        head: The request without its content.
        supported: What the resource can speak, in its order of preference.
    """
    if head.http_version == b"HTTP/2":
        return Refuse(decline.reason, 400 if head.protocol is None else 501, (_NO_STORE,), decline.detail)
    advertised = [upgrade for upgrade in supported if upgrade.protocol.name.lower() not in _NEVER_ADVERTISED]
    methods = list(dict.fromkeys(method for upgrade in advertised for method in upgrade.methods))
    if (b"GET" if head.method == b"HEAD" else head.method) not in methods:
        fields: Fields = ((b"Allow", b", ".join(methods)), _NO_STORE)
        return Refuse(Reason.METHOD_NOT_ALLOWED, 405, fields, f"method {printable(head.method)}")
    tokens = dict.fromkeys(bytes(upgrade.protocol) for upgrade in advertised)
    return Refuse(decline.reason, 426, upgrade_required(b", ".join(tokens)), decline.detail)


def upgrade_required(tokens: bytes) -> Fields:
    """Return the fields that every 426 must have (RFC 9110 sections 7.8 and 15.5.22).

    Args:
        tokens: The value of Upgrade.
    """
    return ((b"Upgrade", tokens), (b"Connection", b"upgrade"), _NO_STORE)


def _show_list(name: str, values: list[bytes]) -> str:
    """Show a list field as it was understood."""
    return f"{name}: {printable(b', '.join(values))}"


def _show_control(fields: Fields) -> str:
    """Show the first field that holds control characters."""
    return next(f"{printable(name)}: {printable(value)}" for name, value in fields if has_control(value))
