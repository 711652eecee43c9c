"""What stands before all routes: challenges of a certificate authority, and the redirect from cleartext to TLS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.web.resource import IResource, Resource

from upgradegw.negotiation.authority import DEFAULT_PORTS, single_host, split_authority
from upgradegw.service.acme import CHALLENGE_PATH, Challenges
from upgradegw.takeover import takeable
from upgradegw.web.clients import client_of
from upgradegw.web.responses import write_refusal

_TEXT = b"This is served over TLS: see the Location field of this response.\n"


class ToHttps(Resource):
    """Sends every request to the same host and target at ``https://``, whatever its method (RFC 9110 section 15.4.9).

    The host is the one that the client used: what a trusted proxy says of it, else Host. It is known to name a host,
    and it is the client's own, so the redirect leads nowhere that the client did not ask for.
    """

    isLeaf = True

    def __init__(self, port: Callable[[], int]) -> None:
        """Redirect.

        Args:
            port: Returns the port on which clients reach TLS.
        """
        super().__init__()
        self._port = port

    def render(self, request: Any) -> bytes:
        """Redirect, or refuse where there is nowhere to redirect to."""
        client = client_of(request)
        if client.scheme == b"https":
            # A trusted proxy has taken TLS off: the redirect would lead back to here for ever.
            text = "This port only leads to https, which is what you asked for."
            return write_refusal(request, 421, text=text)
        hosts = tuple((b"Host", value) for value in request.requestHeaders.getRawHeaders(b"host", ()))
        found = split_authority(client.authority or single_host(hosts) or b"")
        if found is None:
            return write_refusal(request, 400)
        port = self._port()
        authority = found[0] if port == DEFAULT_PORTS[b"https"] else b"%b:%d" % (found[0], port)
        # A permanent redirect may be stored for ever (RFC 9110 section 15.4.9); no-store lets an operator change plans.
        return write_refusal(request, 308, ((b"Location", b"https://" + authority + request.uri),), _TEXT)


def _not_switching(request: Any, resource: IResource) -> IResource:
    """Choose a resource that never switches: what came behind an offer to switch is no request (RFC 9931)."""
    connection = takeable(request)
    if connection is not None:
        connection.close_after_response()
    return resource


class Front(Resource):
    """Stands before the root of the routes, and passes on to it whatever is not its own to answer."""

    def __init__(self, root: Any, challenges: Challenges | None, redirect: ToHttps | None) -> None:
        """Stand before a root.

        Args:
            root: The root of all routes.
            challenges: Answers at its path on every listener; None for no such path.
            redirect: Answers all else that comes without TLS; None if cleartext is served as well.
        """
        super().__init__()
        self._root = root
        self._challenges = challenges
        self._redirect = redirect

    def getChildWithDefault(self, path: bytes, request: Any) -> IResource:
        """Choose; Twisted has just moved the first segment from ``postpath`` to ``prepath``."""
        if self._challenges is not None and (path, *request.postpath[:1]) == CHALLENGE_PATH:
            request.prepath.append(request.postpath.pop(0))
            return _not_switching(request, self._challenges)
        if self._redirect is not None and not request.isSecure():
            request.postpath.insert(0, request.prepath.pop())
            return _not_switching(request, self._redirect)
        child: IResource = self._root.getChildWithDefault(path, request)
        return child

    def static_route(self, _segments: list[bytes], _host: object = None) -> tuple[Any, int]:
        """Show the root to those who look for the limits of a subtree."""
        return self._root, 0

    def resource_for_server(self) -> Any:
        """Return what answers ``OPTIONS *``: what the root says, where requests get there at all."""
        find = getattr(self._root, "resource_for_server", None)
        return None if find is None or self._redirect is not None else find()

    def render(self, request: Any) -> Any:
        """Answer a request without a path."""
        return self._root.render(request)
