"""Twisted's own way to join two connections: ``python portforward.py PORT UPSTREAM``."""

from __future__ import annotations

import sys
from typing import Any

from twisted.internet import reactor
from twisted.protocols.portforward import ProxyFactory

if __name__ == "__main__":
    listening: Any = reactor
    listening.listenTCP(int(sys.argv[1]), ProxyFactory("127.0.0.1", int(sys.argv[2])), interface="127.0.0.1")
    listening.run()
