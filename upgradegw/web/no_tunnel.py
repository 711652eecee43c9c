"""What extended CONNECT gets from a resource that does not know it (RFC 8441 section 4).

To render such a request would mean to run an application on a request whose content never ends, under a method that
most take for one without side effects or for none of theirs.
"""

from __future__ import annotations

from typing import Any

from twisted.web.http import NOT_ALLOWED, NOT_FOUND
from twisted.web.resource import Resource
from twisted.web.util import DeferredResource

from upgradegw.interfaces import IUpgradeResource
from upgradegw.negotiation.fields import printable
from upgradegw.negotiation.model import Refuse
from upgradegw.negotiation.reasons import Reason
from upgradegw.web.outcomes import note_outcome
from upgradegw.web.responses import write_refusal


def may_tunnel(resource: Any) -> bool:
    """Tell whether a resource may be asked with extended CONNECT.

    One that waits for another (guards return such) does nothing but render that one, which is judged in its turn.
    """
    return bool(IUpgradeResource.providedBy(resource)) or isinstance(resource, DeferredResource)


class NoTunnel(Resource):
    """Stands for another resource, which it does not ask: 404 where there is nothing, else 405."""

    isLeaf = True

    def __init__(self, resource: Any) -> None:
        """Stand for a resource.

        Args:
            resource: What was found at the path.
        """
        super().__init__()
        self._resource = resource

    def render(self, request: Any) -> bytes:
        """Refuse."""
        if getattr(self._resource, "code", None) == NOT_FOUND:
            return write_refusal(request, NOT_FOUND)
        detail = f":protocol: {printable(request.extended_connect)}"
        note_outcome(request, Refuse(Reason.NO_EXTENDED_CONNECT, NOT_ALLOWED, detail=detail))
        allowed = getattr(self._resource, "allowedMethods", None) or (b"GET", b"HEAD")
        return write_refusal(request, NOT_ALLOWED, ((b"Allow", b", ".join(allowed)),))
