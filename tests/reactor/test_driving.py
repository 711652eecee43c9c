"""uvloop's coroutines run without tasks."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from upgradegw.reactor.driving import Driven, at_once


async def value(result: Any) -> Any:
    """Wait for nothing."""
    return result


def test_what_waits_for_nothing_is_done_at_once() -> None:
    """Its result is returned, its exception raised."""
    assert at_once(value(1)) == 1

    async def fail() -> None:
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - there is one
        at_once(fail())


def test_what_waits_is_refused() -> None:
    """Nobody would ever wake it."""

    async def wait() -> None:
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="wait"):
        at_once(wait())


@pytest.mark.parametrize("error", [None, ValueError("x")])
def test_a_coroutine_is_driven_to_its_end(error: Exception | None) -> None:
    """Through each wait; the end is told with what was raised."""
    loop = asyncio.new_event_loop()
    done: list[BaseException | None] = []
    futures = [loop.create_future(), loop.create_future()]

    async def work() -> None:
        for future in futures:
            assert await future == "result"
        if error is not None:
            raise error

    Driven(work(), done.append)
    for future in futures:
        assert done == []
        future.set_result("result")
        loop.run_until_complete(asyncio.sleep(0))
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert done == [error]


def test_giving_up_closes_what_was_opened() -> None:
    """The coroutine can clean up, and nothing is told."""
    loop = asyncio.new_event_loop()
    done: list[BaseException | None] = []
    cleaned = []
    future = loop.create_future()

    async def work() -> None:
        try:
            await future
        finally:
            cleaned.append(True)

    driven = Driven(work(), done.append)
    driven.cancel()
    driven.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert (cleaned, future.cancelled(), done) == ([True], True, [])
