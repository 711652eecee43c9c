"""Whose certificate a client has shown: found out once for a connection, and only if somebody wants to know."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

#: The subject for each connection's transport, also that there is none.
_known: WeakKeyDictionary[Any, str | None] = WeakKeyDictionary()


def client_subject(request: Any) -> str | None:
    """Return the subject of the certificate that the client of a request has shown, as RFC 4514 writes it.

    TLS has verified that certificate: it is shown only where the server asked for one. Behind a proxy that has taken
    TLS off there is none, and behind one that speaks TLS itself it is the proxy's. What the subject says is as good as
    the authority that signed it, and it may hold any character.

    Args:
        request: A ``twisted.web.http.Request``, in an ``UpgradeSite`` or a stock ``Site``.

    Returns:
        For example ``"CN=alice,O=Example"``; None without a certificate, without TLS, and on HTTP/2 as twisted.web
        itself speaks it.
    """
    channel = getattr(request, "channel", None)
    return connection_subject(channel) if channel is not None and request.isSecure() else None


def connection_subject(connection: Any) -> str | None:
    """Return the same for a connection, or a stream of one.

    Args:
        connection: With ``transport``: the connection's own.
    """
    layer = getattr(connection, "transport", None)
    if layer is None or not hasattr(layer, "getPeerCertificate"):
        return None
    try:
        return _known[layer]
    except KeyError:
        pass
    if layer.getHandle() is None:  # the connection is gone, and TLS with it
        return None
    certificate = layer.getPeerCertificate()
    subject = None if certificate is None else certificate.to_cryptography().subject.rfc4514_string()
    _known[layer] = subject
    return subject
