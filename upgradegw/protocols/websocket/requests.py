"""What an Autobahn protocol wants to know of the request, filled in from the parsed head.

Autobahn reads these values from the request's text. Here no text is made: a field value cannot become a second field
on the way, whatever bytes are in it.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs

from autobahn.websocket.types import ConnectionRequest

from upgradegw.interfaces import UpgradeInfo
from upgradegw.negotiation.model import Fields
from upgradegw.negotiation.websocket import ExtensionOffer, Handshake

#: What stands before the path in absolute-form (RFC 9112 section 3.2.2).
_ABSOLUTE = re.compile(r"\A[^/?]+://[^/?]*")


def describe_request(protocol: Any, info: UpgradeInfo, handshake: Handshake) -> ConnectionRequest:
    """Put the request on a protocol as Autobahn would have, and return what ``onConnect`` gets.

    Args:
        protocol: The protocol, connected to its transport.
        info: The request.
        handshake: What the check of the handshake found.
    """
    head = info.head
    target = head.target.decode("latin-1")
    path, params = split_target(target)
    headers = headers_dict(head.fields)
    if info.client.address != info.client.peer and info.client.address is not None:
        protocol.peer = info.client.address
    origin = (handshake.origin or b"").decode("latin-1")
    protocols = list(handshake.subprotocols)
    extensions = [_extension(offer) for offer in handshake.extensions]
    host = host_name(headers.get("host", ""))
    vars(protocol).update(
        upgrade_info=info,
        http_status_line=f"GET {target} HTTP/1.1",
        http_headers=headers,
        http_request_uri=target,
        http_request_path=path,
        http_request_params=params,
        http_request_host=host,
        http_response_data="",
        websocket_version=13,
        websocket_protocols=protocols,
        websocket_origin=origin,
        websocket_extensions=extensions,
    )
    return ConnectionRequest(protocol.peer, headers, host, path, params, 13, origin, protocols, extensions)


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
