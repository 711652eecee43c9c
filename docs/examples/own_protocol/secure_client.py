"""The endpoint of a client of one's own protocol over TLS, the certificate checked."""

from __future__ import annotations

from twisted.internet import endpoints, ssl

from upgradegw import UpgradeClientEndpoint


def secure_endpoint(reactor, host, port=443, authority=None):
    tls = ssl.optionsForClientTLS(host, authority, acceptableProtocols=[b"http/1.1"])
    inner = endpoints.wrapClientTLS(tls, endpoints.HostnameEndpoint(reactor, host, port))
    return UpgradeClientEndpoint(inner, "/talk", "shout/1", host=f"{host}:{port}", reactor=reactor)
