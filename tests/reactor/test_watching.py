"""Descriptors that are read by somebody else than uvloop."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest
from twisted.internet.interfaces import IReadDescriptor
from twisted.logger import globalLogPublisher
from twisted.python.context import get
from twisted.python.log import ILogContext
from zope.interface import implementer

from tests.reactor.running import new_reactor, run


@implementer(IReadDescriptor)
class Reader:
    """Reads from a pipe, and does something then."""

    def __init__(self, do: Callable[[], Any]) -> None:
        self.inlet, self.outlet = os.pipe()
        self.do = do
        self.lost: list[Any] = []

    def __enter__(self) -> Self:
        os.write(self.outlet, b"x")
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.inlet)
        os.close(self.outlet)

    def fileno(self) -> int:
        return self.inlet

    def logPrefix(self) -> str:
        return "a reader"

    def doRead(self) -> Any:
        os.read(self.inlet, 1)
        return self.do()

    def connectionLost(self, reason: Any) -> None:
        self.lost.append(reason.value)


@pytest.fixture
def logged() -> Any:
    """What is logged meanwhile."""
    seen: list[Any] = []
    observer: Any = seen.append
    globalLogPublisher.addObserver(observer)
    yield seen
    globalLogPublisher.removeObserver(observer)


def test_lines_written_while_a_descriptor_reads_name_it() -> None:
    """As on Twisted's other reactors; and those behind it name nobody."""
    seen: list[str] = []
    with new_reactor() as reactor, Reader(lambda: seen.append(get(ILogContext)["system"])) as reader:
        run(reactor, lambda: bool(seen), lambda: reactor.addReader(reader))
        assert reactor.streams.reading is None
    assert seen == ["a reader"]


def test_who_is_removed_is_not_called() -> None:
    """And may be added again, and twice."""
    seen: list[int] = []
    with new_reactor() as reactor, Reader(lambda: seen.append(1)) as reader:
        reactor.addReader(reader)
        reactor.removeReader(reader)
        later: list[int] = []
        run(reactor, lambda: bool(later), lambda: reactor.callLater(0.05, later.append, 1))
        assert (seen, reader in reactor.getReaders()) == ([], False)
        reactor.addReader(reader)
        reactor.addReader(reader)
        reactor.removeReader(reader)
        assert reader not in reactor.getReaders()


@pytest.mark.parametrize("error", [ValueError("wrong"), SystemExit(1)])
def test_a_reader_that_raises(error: BaseException, logged: list[Any]) -> None:
    """It is logged, and the reactor goes on; who raises an exception is read from no more, as Twisted has it."""

    def fail() -> None:
        raise error

    with new_reactor() as reactor, Reader(fail) as reader:
        run(reactor, lambda: any("log_failure" in event for event in logged), lambda: reactor.addReader(reader))
    assert (reader.lost[0] is error) == isinstance(error, ValueError)  # else it is the reactor's end
    assert next(event["log_failure"].value for event in logged if "log_failure" in event) is error


def test_a_reader_that_has_ended() -> None:
    """What ``doRead`` returns is the reason of its end."""
    reason = ConnectionError("over")
    with new_reactor() as reactor, Reader(lambda: reason) as reader:
        run(reactor, lambda: bool(reader.lost), lambda: reactor.addReader(reader))
        assert reader not in reactor.getReaders()
    assert reader.lost == [reason]


def test_a_file_is_polled() -> None:
    """The system does not watch files: there Twisted's own polling is left in place."""
    seen: list[int] = []
    with new_reactor() as reactor, Reader(lambda: seen.append(1)) as reader, Path(__file__).open("rb") as file:
        reader.fileno = file.fileno  # type: ignore[method-assign]
        reader.doRead = lambda: seen.append(1)  # type: ignore[method-assign]
        run(reactor, lambda: len(seen) > 1, lambda: reactor.addReader(reader))
        reactor.removeReader(reader)
