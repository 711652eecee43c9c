"""Which limits hold for the present request: those of the site, or of a part of its tree."""

from __future__ import annotations

from typing import Any

from upgradegw.http.context import Context
from upgradegw.http.limits import Limits
from upgradegw.http.subtrees import limits_for
from upgradegw.http1.head import Head
from upgradegw.http1.sending import SendingHalf


class LimitedHalf(SendingHalf):
    """The part of the channel that knows its limits.

    Attributes:
        site: The site: its ``resource`` is asked for the limits of requests.
    """

    site: Any = None
    _context: Context
    _limits: Limits
    _head: Head | None = None
    # Those of the present request, once somebody has asked: most responses are written before a limit matters.
    _own_limits: Limits | None = None

    def _find_limits(self, head: Head) -> bool:
        """Find the limits of a request; return whether its content is to be streamed."""
        root, context = getattr(self.site, "resource", None), self._context
        self._own_limits, streams = limits_for(
            root, head.target, self._limits, lambda: context.find_client(self, head.fields).authority
        )
        return streams

    def _limits_now(self) -> Limits:
        """Return the limits of the present request."""
        if self._own_limits is None and self._head is not None:
            self._find_limits(self._head)
        return self._own_limits or self._limits
