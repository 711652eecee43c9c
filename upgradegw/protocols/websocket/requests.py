"""What an Autobahn protocol wants to know of the request, read off the parsed head.

Autobahn reads these values from the request's text. Here no text is made: a field value cannot become a second field
on the way, whatever bytes are in it.
"""

from __future__ import annotations

import re
from functools import cached_property
from urllib.parse import parse_qs

from autobahn.twisted.websocket import WebSocketServerProtocol
from autobahn.websocket.types import ConnectionRequest

from upgradegw.interfaces import UpgradeInfo
from upgradegw.negotiation.model import Fields
from upgradegw.negotiation.websocket import ExtensionOffer, Handshake

#: What stands before the path in absolute-form (RFC 9112 section 3.2.2).
_ABSOLUTE = re.compile(r"\A[^/?]+://[^/?]*")


class Described(WebSocketServerProtocol):  # type: ignore[misc]
    """What Autobahn's protocols know of their request, each made when the application first asks for it.

    Attributes:
        upgrade_info: The request.
    """

    upgrade_info: UpgradeInfo

    http_response_data = ""
    websocket_version = 13

    @cached_property
    def http_status_line(self) -> str:
        """The request line."""
        return f"GET {self.http_request_uri} HTTP/1.1"

    @cached_property
    def http_request_uri(self) -> str:
        """The request target."""
        return self.upgrade_info.head.target.decode("latin-1")

    @cached_property
    def http_headers(self) -> dict[str, str]:
        """The fields."""
        return headers_dict(self.upgrade_info.head.fields)

    @cached_property
    def http_request_host(self) -> str:
        """Host without its port."""
        return host_name(self.http_headers.get("host", ""))

    @cached_property
    def http_request_path(self) -> str:
        """The target's path."""
        return split_target(self.http_request_uri)[0]

    @cached_property
    def http_request_params(self) -> dict[str, list[str]]:
        """The target's query."""
        return split_target(self.http_request_uri)[1]

    @cached_property
    def websocket_origin(self) -> str:
        """The page's origin, or nothing."""
        return (self._upgradegw_handshake.origin or b"").decode("latin-1")

    @cached_property
    def websocket_protocols(self) -> list[str]:
        """The subprotocols that the client offered."""
        return list(self._upgradegw_handshake.subprotocols)

    @cached_property
    def websocket_extensions(self) -> list[tuple[str, dict[str, list[str | bool]]]]:
        """The extensions that the client offered."""
        return [_extension(offer) for offer in self._upgradegw_handshake.extensions]

    @property
    def _upgradegw_handshake(self) -> Handshake:
        checked = self.upgrade_info.checked
        assert isinstance(checked, Handshake)  # noqa: S101 - for the type checker
        return checked


def connection_request(protocol: Described) -> ConnectionRequest:
    """Return what ``onConnect`` gets."""
    return ConnectionRequest(
        protocol.peer,
        protocol.http_headers,
        protocol.http_request_host,
        protocol.http_request_path,
        protocol.http_request_params,
        protocol.websocket_version,
        protocol.websocket_origin,
        protocol.websocket_protocols,
        protocol.websocket_extensions,
    )


def headers_dict(fields: Fields) -> dict[str, str]:
    """Return the fields as Autobahn has them: names in lower case, values of repeated fields joined.

    Values are joined with a comma (RFC 9110 section 5.2), those of Cookie with a semicolon (RFC 6265 section 5.4).
    """
    headers: dict[str, str] = {}
    for raw_name, raw_value in fields:
        name = raw_name.decode("latin-1").lower()
        value = raw_value.decode("latin-1").strip(" \t")
        if name in headers:
            value = headers[name] + ("; " if name == "cookie" else ", ") + value
        headers[name] = value
    return headers


def split_target(target: str) -> tuple[str, dict[str, list[str]]]:
    """Return the path, as it was sent, and the query's parameters (RFC 9112 section 3.2)."""
    path, _, query = _ABSOLUTE.sub("", target).partition("?")
    if ";" in path:
        # The parameters of the last segment are no part of Autobahn's path.
        above, slash, last = path.rpartition("/")
        path = above + slash + last.partition(";")[0]
    return path, parse_qs(query) if query else {}


def host_name(host: str) -> str:
    """Return Host without its port."""
    name, colon, _ = host.rpartition(":")
    return name if colon and not host.endswith("]") else host


def _extension(offer: ExtensionOffer) -> tuple[str, dict[str, list[str | bool]]]:
    parameters: dict[str, list[str | bool]] = {}
    for name, value in offer.parameters:
        parameters.setdefault(name.lower(), []).append(True if value is None else value)
    return offer.name.lower(), parameters
