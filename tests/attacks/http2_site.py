"""What the attacked process serves: something large, something that never answers, and a look at what it has seen."""

from __future__ import annotations

import gc
import json
from typing import Any

from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET


class Attacked(Resource):
    """``/big``, ``/never``, ``/seen``; everything else says what it was asked."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.big = bytes(4 << 20)
        self.running = 0
        self.asked = 0
        self.targets: list[str] = []

    def render(self, request: Any) -> Any:
        """Answer any method."""
        if request.uri == b"/seen":
            gc.collect()
            return json.dumps({"running": self.running, "asked": self.asked, "targets": self.targets}).encode()
        self.asked += 1
        if len(self.targets) < 100:
            self.targets.append(f"{request.method!r} {request.uri!r}")
        if request.uri == b"/big":
            return self.big
        if request.uri == b"/never":
            self.running += 1
            request.notifyFinish().addBoth(self._done)
            return NOT_DONE_YET
        return b"ok"

    def _done(self, _: Any) -> None:
        self.running -= 1


site = Attacked()
