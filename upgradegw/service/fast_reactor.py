"""Which reactor ``twistd upgradegw`` runs on where nobody named one: ours on uvloop, if uvloop is installed."""

from __future__ import annotations

import sys


def install_fast_reactor() -> bool:
    """Install the reactor on uvloop, unless one is installed or there is no uvloop.

    ``twistd --reactor=…`` installs what it names while it reads its own options, before it asks for ours, so that an
    installed reactor is one that somebody chose. A reactor must be there before anything imports
    ``twisted.internet.reactor``, which modules of users do, and so this comes before any of them.

    Returns:
        Whether it was installed.

    Raises:
        ImportError: Something is wrong with what is not uvloop's.
    """
    if "twisted.internet.reactor" in sys.modules:
        return False
    try:
        from upgradegw.reactor import install  # noqa: PLC0415 - it asks for uvloop
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "uvloop":
            raise
        return False
    install()
    return True
