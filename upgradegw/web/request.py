"""The request of an UpgradeSite: twisted.web's, with what every request does made cheaper."""

from __future__ import annotations

from functools import cache, lru_cache
from time import time
from typing import Any
from urllib.parse import unquote_to_bytes

from twisted.python.failure import Failure
from twisted.web.http import datetimeToString
from twisted.web.resource import EncodingResourceWrapper
from twisted.web.server import Request

from upgradegw.http.headers import FastHeaders
from upgradegw.negotiation.model import Fields
from upgradegw.web.no_tunnel import NoTunnel, may_tunnel

#: The value of our Server field: no version, which would only tell what might be attacked.
SERVER = b"upgradegw"


(_PERCENT,) = b"%"


@lru_cache(maxsize=2)
def _standard_fields(second: int) -> Fields:
    return (b"Server", SERVER), (b"Date", datetimeToString(second))


def standard_fields() -> Fields:
    """Return the fields that all our responses begin with."""
    return _standard_fields(int(time()))


class UpgradeRequestMixin(Request):
    """Extended CONNECT for a request class of one's own: ``class MyRequest(UpgradeRequestMixin, TheirRequest)``.

    ``UpgradeSite`` puts it over every subclass of ``server.Request`` that finds its resource as that one does. A class
    with a ``process`` of its own must say that it can be asked with extended CONNECT, for ``render`` has to see it.

    Attributes:
        extended_connect: The token that extended CONNECT asks for (RFC 8441 section 4), or None: set by the stream of
            an HTTP/2 connection. Requests without this attribute are never asked with extended CONNECT.
    """

    extended_connect: bytes | None = None

    def render(self, resrc: Any) -> None:
        """Render a resource, as ``server.Request`` does; extended CONNECT only if the resource knows it."""
        if self.extended_connect is not None and not may_tunnel(resrc):
            resrc = NoTunnel(resrc)
        super().render(resrc)


def with_extended_connect(factory: Any) -> Any:
    """Return a ``requestFactory`` whose requests know extended CONNECT, if that can be had; else the same one.

    Args:
        factory: A class, or anything else that makes requests.
    """
    known = not isinstance(factory, type) or hasattr(factory, "extended_connect")
    if known or not issubclass(factory, Request) or factory.process is not Request.process:
        return factory
    return _derived(factory)


@cache
def _derived(kind: Any) -> Any:
    names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
    return type(kind)(kind.__name__, (UpgradeRequestMixin, kind), names)


def may_be_tunnels(factory: Any) -> bool:
    """Tell whether the requests of a factory may know extended CONNECT: of what is no class, only they can tell."""
    return not isinstance(factory, type) or hasattr(factory, "extended_connect")


class UpgradeRequest(UpgradeRequestMixin):
    """A request of an UpgradeSite, unless its ``requestFactory`` makes others; they work as well."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Make a request (called by the channel)."""
        super().__init__(*args, **kwargs)
        self.requestHeaders = FastHeaders()
        self.responseHeaders = FastHeaders.holding({name: [value] for name, value in standard_fields()})

    def process(self) -> None:
        """Find the resource and render it, as ``server.Request`` does; Server and Date are there already."""
        channel: Any = self.channel
        self.site = site = channel.site
        self.prepath = []
        path = self.path
        segments = path[1:].split(b"/")
        self.postpath = [unquote_to_bytes(segment) for segment in segments] if _PERCENT in path else segments
        try:
            if path == b"*":
                self._answer_for_the_server()
                return
            resource = site.getResourceFor(self)
            if isinstance(resource, EncodingResourceWrapper):
                self._encode(resource.getEncoder(self))
            self.render(resource)
        except BaseException:  # noqa: BLE001 - as server.Request does
            self.processingFailed(Failure())

    def connectionLost(self, reason: Failure) -> None:
        """Tell those who wait; an encoder is let go of, so that this request is freed at once."""
        super().connectionLost(reason)
        for name in ("write", "finish"):
            self.__dict__.pop(name, None)

    def _answer_for_the_server(self) -> None:
        """Answer ``OPTIONS *`` (RFC 9110 section 9.3.7); the channel lets no other method come with ``*``.

        A root that answers for another server has a method ``resource_for_server``, which returns a resource or None.
        """
        find = getattr(getattr(self.site, "resource", None), "resource_for_server", None)
        resource = None if find is None else find()
        if resource is not None:
            self.render(resource)
            return
        self.setHeader(b"Content-Length", b"0")
        self.finish()

    def _encode(self, encoder: Any) -> None:
        """Let an encoder of the resource's (gzip) see everything that is written."""
        if encoder is None:
            return
        write, finish = self.write, self.finish

        def finish_encoded() -> None:
            rest = encoder.finish()
            if rest and self.method != b"HEAD":
                write(rest)
            finish()

        self.__dict__.update(write=lambda data: write(encoder.encode(data)), finish=finish_encoded)
