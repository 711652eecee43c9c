"""From an answer to words: whether the server switched, and if not, what is wrong and what to try; no I/O."""

from __future__ import annotations

from dataclasses import dataclass

from upgradegw.client.response import SWITCHING_PROTOCOLS, UpgradeResponse, wrong_switch
from upgradegw.negotiation.fields import get_all, members, printable
from upgradegw.probe.arguments import Wish
from upgradegw.probe.websocket import wrong_opening

_SUCCESS = range(200, 300)
_REDIRECT = range(300, 400)
_BAD_REQUEST = 400
_FROM_A_PROXY = {502: "reaches no server", 503: "has no server to ask", 504: "waited in vain for the server"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to make of an answer.

    Attributes:
        switched: Whether the server switched, and rightly.
        text: One line for a person.
    """

    switched: bool
    text: str


def judge(wish: Wish, response: UpgradeResponse, body: bytes, key: bytes | None) -> Verdict:
    """Judge an answer.

    Args:
        wish: What was asked.
        response: The answer.
        body: A refusal's content.
        key: The WebSocket key that was sent; None without one.
    """
    announced = response.status in _SUCCESS if wish.http2 else response.status == SWITCHING_PROTOCOLS
    if response.status == _BAD_REQUEST and not wish.secure and b"https" in body.lower():
        return Verdict(False, "not switched: the server speaks TLS here, and says so: use https:// or wss://")
    if not announced:
        return Verdict(False, _refusal(wish, response))
    wrong = None if wish.http2 else wrong_switch(response, wish.token)
    if wrong is None and wish.is_websocket:
        wrong = wrong_opening(response, wish.offered_subprotocols, wish.offered_extensions, key)
    if wrong is not None:
        return Verdict(False, f"the server switched, but wrongly, and a client must leave: {wrong}")
    return Verdict(True, f"ok: switched to {wish.token}{_details(wish, response)}")


def _details(wish: Wish, response: UpgradeResponse) -> str:
    if not wish.is_websocket:
        return ""
    subprotocol = response.get_all(b"sec-websocket-protocol")
    extensions = response.get_all(b"sec-websocket-extensions")
    said = f"subprotocol {printable(subprotocol[0])}" if subprotocol else "no subprotocol"
    return f" ({said}, {printable(b', '.join(extensions)) if extensions else 'no extension'})"


def _refusal(wish: Wish, response: UpgradeResponse) -> str:
    """Say what the status means here, and what to try."""
    status = response.status
    said = f"not switched: {status}"
    if response.phrase:
        said += f" {printable(response.phrase)}"
    if status in _FROM_A_PROXY:
        return f"{said}: a proxy in front {_FROM_A_PROXY[status]}, or the server is overloaded; look at both logs"
    if not wish.http2 and response.http_version == b"HTTP/1.0":
        return (
            f"{said}: the answer is HTTP/1.0, which has no upgrade; the server, or a proxy in front, is too old for it"
        )
    if status in _SUCCESS:
        return (
            f"{said}: a plain answer, as if nothing had been asked; the path serves no upgrade, or a proxy in front"
            " does not pass on Upgrade and Connection in HTTP/1.1"
        )
    if status in _REDIRECT:
        where = printable(next(iter(response.get_all(b"location")), b"nowhere"))
        return f"{said}: it points to {where}; browsers do not follow with a WebSocket, so use that URL yourself"
    words = _WORDS.get(status)
    return f"{said}: {words(wish, response)}" if words else f"{said}: the server's access log has the reason"


def _bad_request(_wish: Wish, response: UpgradeResponse) -> str:
    versions = response.get_all(b"sec-websocket-version")
    if versions:
        return f"the server speaks WebSocket version {printable(b', '.join(versions))}"
    return "the server holds the request for malformed; its log says what was wrong, upgradegw's access log as reason="


def _unauthorized(_wish: Wish, response: UpgradeResponse) -> str:
    schemes = members(response.get_all(b"www-authenticate"))
    wanted = f" ({printable(schemes[0])})" if schemes else ""
    return f"the server wants to know who asks{wanted}: -H 'Authorization: …' or -H 'Cookie: …'"


def _forbidden(wish: Wish, _response: UpgradeResponse) -> str:
    if wish.origin is None:
        return "the server does not let you in; if it wants to be asked by a page, try --origin"
    scheme = "https" if wish.secure else "http"
    own = f"{scheme}://{wish.authority.decode()}"
    if wish.origin.decode("latin-1") == own:
        return (
            f"the server does not let you in. The Origin is its own ({own}), so behind a proxy it may not know its own"
            " name: with upgradegw, --trusted-proxy"
        )
    return f"the Origin may not be acceptable: try --origin {own}, or allow this one (origins=) on the server"


def _method(wish: Wish, response: UpgradeResponse) -> str:
    if wish.http2:
        return "what stands at this path knows no extended CONNECT; try without --http2"
    allowed = printable(b", ".join(response.get_all(b"allow"))) or "GET"
    return f"the method {wish.method.decode()} does not go with this upgrade: try --method {allowed}"


def _upgrade_required(wish: Wish, response: UpgradeResponse) -> str:
    versions = response.get_all(b"sec-websocket-version")
    if versions:
        return f"the server speaks WebSocket version {printable(b', '.join(versions))}, and saw another one or none"
    served = members(get_all(response.fields, b"upgrade"))
    if not served:
        return "the server wants an upgrade and, against RFC 9110, does not say which"
    names = printable(b", ".join(served))
    if any(name.lower() == bytes(wish.token).lower() for name in served):
        return (
            f"the server serves {names} here, but the offer did not reach it: a proxy in front does not pass on Upgrade"
            " and Connection in HTTP/1.1"
        )
    return f"the server serves {names} here, not {wish.token}: try --token {printable(served[0])}"


_WORDS = {
    400: _bad_request,
    401: _unauthorized,
    403: _forbidden,
    404: lambda wish, _: f"the server has nothing at {wish.target.decode('latin-1')}: look at the path",
    405: _method,
    421: lambda wish, _: (
        f"the server is not responsible for {wish.authority.decode()}; behind a proxy it may not know its scheme: with"
        " upgradegw, --trusted-proxy"
    ),
    426: _upgrade_required,
    429: lambda _wish, _: "the server has had enough of this client; Retry-After says for how long",
    501: lambda wish, _: f"the server, or a proxy in front, does not know {wish.token}",
}
