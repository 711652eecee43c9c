"""A request that was not switched has the answer that its protocol found: what ``Respond`` becomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.web.resource import Resource
from zope.interface import implementer

from upgradegw.interfaces import IUpgradeResource
from upgradegw.negotiation.model import Fields
from upgradegw.web.responses import add_fields


@implementer(IUpgradeResource)
class Answering(Resource):
    """A resource made for one request, which may be an extended CONNECT."""

    isLeaf = True

    def __init__(self, render: Callable[[Any], bytes | int], fields: Fields = ()) -> None:
        """Stand for a function.

        Args:
            render: Writes the response; see ``Respond``.
            fields: Fields of the response that ``authorize`` has added.
        """
        super().__init__()
        self._render = render
        self._fields = fields

    def render(self, request: Any) -> bytes | int:
        """Answer."""
        add_fields(request, self._fields)
        return self._render(request)
