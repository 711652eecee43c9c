"""Something that was asked of the site, which may take its time to answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from upgradegw.testing.exchange import Exchange
from upgradegw.testing.responses import Refused, Response, Unanswered

T = TypeVar("T")


class Pending(Generic[T]):
    """A request that has been sent; what comes of it is looked for when it is asked for."""

    def __init__(self, exchange: Exchange, result: Callable[[Exchange], T]) -> None:
        """Wait.

        Args:
            exchange: The exchange.
            result: Makes the result once there is an answer; raises ``Refused`` if it is no switch.
        """
        self._exchange = exchange
        self._result = result
        self._made: list[T] = []

    @property
    def answered(self) -> bool:
        """Whether the response has come in full, or the switch."""
        exchange = self._exchange
        exchange.way.turn()
        return exchange.switched or exchange.complete

    @property
    def response(self) -> Response | None:
        """The response as far as it has come; None before its head."""
        self._exchange.way.turn()
        return self._exchange.response

    @property
    def interim(self) -> list[Response]:
        """The interim responses that have come: 100 (Continue), for example."""
        self._exchange.way.turn()
        return list(self._exchange.interim)

    @property
    def closed(self) -> bool:
        """Whether the connection, or on HTTP/2 the stream, is gone."""
        self._exchange.way.turn()
        return self._exchange.closed

    def result(self) -> T:
        """Return what came of it.

        Raises:
            Refused: An upgrade was asked for, and there is another answer.
            Unanswered: There is no answer yet, or there will be none.
            Violation: The answer is against the protocol's specification.
        """
        if not self.answered:
            if self._exchange.closed:
                raise Unanswered(f"{self._exchange.why} before there was an answer: {self._exchange.response}")
            raise Unanswered("the site has not answered yet; it may wait for time to pass: client.clock.advance")
        if not self._made:
            self._made.append(self._result(self._exchange))
        return self._made[0]

    def send(self, data: bytes) -> None:
        """Send bytes behind the request: more leading data.

        Args:
            data: The bytes.
        """
        self._exchange.way.send(data)

    def half_close(self) -> None:
        """End the client's side and wait on."""
        self._exchange.way.half_close()

    def lose(self) -> None:
        """Wait no longer: close in order."""
        self._exchange.way.lose()

    def abort(self) -> None:
        """Wait no longer: break off."""
        self._exchange.way.abort()


def answer(exchange: Exchange) -> Response:
    """Return the response of an exchange that has one."""
    response = exchange.response
    assert response is not None  # noqa: S101 - for the type checker
    return response


def switched(exchange: Exchange) -> Response:
    """Return the response that announced a switch.

    Raises:
        Refused: There is another answer.
    """
    if not exchange.switched:
        raise Refused(answer(exchange))
    return answer(exchange)
