"""Take a connection away from a stock twisted.web site, without UpgradeResource."""

from __future__ import annotations

from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

import shout
from upgradegw.takeover import takeable


class Tunnel(Resource):
    """Switches every request for ``Upgrade: tunnel``; the checks of a real one are left out."""

    isLeaf = True

    def render_GET(self, request):
        connection = takeable(request)
        if connection is None or request.getHeader(b"upgrade") != b"tunnel":
            request.setResponseCode(426)
            request.setHeader(b"Upgrade", b"tunnel")
            request.setHeader(b"Connection", b"upgrade")
            return b"This is a tunnel.\n"
        protocol = shout.factory.buildProtocol(None)
        protocol.name = "there"
        taken = connection.take(request)  # from here on this is no HTTP connection
        taken.attach(protocol)
        taken.write_head(b"Switching Protocols", ((b"Upgrade", b"tunnel"), (b"Connection", b"Upgrade")))
        protocol.makeConnection(taken.transport)
        if taken.leading_data:
            protocol.dataReceived(taken.leading_data)  # what the client sent behind its request
        if taken.resume is not None:
            taken.resume()  # reading had stopped because there was so much
        return NOT_DONE_YET
