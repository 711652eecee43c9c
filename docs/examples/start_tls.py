"""A site on one port, without TLS and with: a client gets it when it asks for it in an Upgrade field."""

from __future__ import annotations

import sys
from pathlib import Path

from twisted.internet import endpoints, task
from twisted.internet.defer import Deferred
from twisted.internet.ssl import PrivateCertificate
from twisted.python import log
from twisted.web.resource import Resource

from upgradegw import TlsUpgrade, UpgradeSite


class Printer(Resource):
    """Says how it was asked."""

    isLeaf = True

    def render_GET(self, request):
        return b"in TLS\n" if request.isSecure() else b"in cleartext\n"


def certificates(certificate="fullchain.pem", key="privkey.pem"):
    pair = PrivateCertificate.loadPEM(Path(certificate).read_bytes() + Path(key).read_bytes())
    return pair.options()


async def main(reactor, tls):
    site = UpgradeSite(Printer(), reactor=reactor, tls_upgrade=TlsUpgrade(tls))
    await endpoints.serverFromString(reactor, "tcp:631").listen(site)
    await Deferred()


if __name__ == "__main__":
    log.startLogging(sys.stdout)
    task.react(lambda reactor: Deferred.fromCoroutine(main(reactor, certificates(*sys.argv[1:]))))
