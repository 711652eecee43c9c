"""Children that end, seen on a uvloop loop.

Twisted learns of SIGCHLD through Python's wakeup descriptor. While uvloop runs, that descriptor is uvloop's own, and
it takes no handler for this signal, which is to be that of ``asyncio``'s subprocesses. But it runs Python's handlers,
so ours asks Twisted to look. A program cannot start children both with ``asyncio`` and with ``spawnProcess``: libuv
then takes the signal.
"""

from __future__ import annotations

import signal
import threading
from asyncio import AbstractEventLoop

from twisted.internet.process import reapAllProcesses


def watch_children(loop: AbstractEventLoop) -> None:
    """Look for children that have ended whenever the system says that there are some.

    Does nothing if the reactor was told to leave signals alone, which shows in that there is no handler.

    Args:
        loop: The loop that runs.
    """
    if threading.current_thread() is not threading.main_thread() or not callable(signal.getsignal(signal.SIGCHLD)):
        return

    def ended(_number: int, _frame: object) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(reapAllProcesses)

    signal.signal(signal.SIGCHLD, ended)
    signal.siginterrupt(signal.SIGCHLD, False)
    reapAllProcesses()  # those that ended meanwhile
