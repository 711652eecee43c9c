"""Running uvloop's coroutines without tasks.

``create_connection`` and the like are coroutines. A task would begin them a turn later and cost as much as all else
that connecting needs.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any


def at_once(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that waits for nothing; those that make servers are such, given a socket.

    Raises:
        RuntimeError: It waits.
    """
    try:
        coroutine.send(None)
    except StopIteration as result:
        return result.value
    coroutine.close()
    raise RuntimeError("this was not expected to wait")


class Driven:
    """A coroutine under way."""

    __slots__ = ("_coroutine", "_done", "_future")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], done: Callable[[BaseException | None], None]) -> None:
        """Begin, up to the first wait.

        Args:
            coroutine: Waits for futures of its loop alone.
            done: Called at the end, with what was raised; not after ``cancel``. It may be called at once.
        """
        self._coroutine: Coroutine[Any, Any, Any] | None = coroutine
        self._done = done
        self._future: Any = None
        self._step()

    def _step(self, _future: Any = None) -> None:
        if self._coroutine is None:
            return
        try:
            self._future = self._coroutine.send(None)
        except StopIteration:
            self._coroutine = None
            self._done(None)
        except BaseException as error:  # noqa: BLE001 - handed on
            self._coroutine = None
            self._done(error)
        else:
            self._future.add_done_callback(self._step)

    def cancel(self) -> None:
        """Give up; what was opened is closed."""
        coroutine, self._coroutine = self._coroutine, None
        if coroutine is not None:
            self._future.cancel()
            coroutine.close()
