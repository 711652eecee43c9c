"""A Twisted reactor whose stream connections are uvloop's own transports.

``AsyncioSelectorReactor`` on a uvloop loop still waits for descriptors and reads in Python. This one hands Twisted's
protocols transports that uvloop reads and writes; all else, from timers to processes, is Twisted's own.

``twistd --reactor=uv`` and ``trial --reactor=uv`` choose it, and so does :func:`install`, which comes before anything
imports ``twisted.internet.reactor``. uvloop must be installed.
"""

from __future__ import annotations

from upgradegw.reactor.core import UvReactor, install

__all__ = ["UvReactor", "install"]
