"""Several upstreams in memory behind one choice; the test is all of them."""

from __future__ import annotations

from typing import Any

from tests.proxy.upstream_in_memory import Answer, Line, World, request
from upgradegw.proxy.address import UpstreamAddress
from upgradegw.proxy.balance import Balanced
from upgradegw.proxy.exchange import UpstreamRequest
from upgradegw.proxy.health import HealthSettings
from upgradegw.proxy.settings import UpstreamSettings
from upgradegw.proxy.upstream import Upstream


class Several(World):
    """So many upstreams, a and b and so on."""

    def __init__(self, count: int = 3, policy: Any = "round_robin", *, max_idle: int = 0, **health: Any) -> None:
        super().__init__()
        # By default connections are used once, so that each request shows whom it goes to.
        settings = UpstreamSettings(max_idle=max_idle)
        addresses = [f"http://192.0.2.{number + 1}" for number in range(count)]
        upstreams = [Upstream(UpstreamAddress.parse(each), settings, self.reactor) for each in addresses]
        self.balanced = Balanced(upstreams, policy, health=HealthSettings(**health), reactor=self.reactor)

    def ask(self, asked: UpstreamRequest | None = None, *, answer: Answer | None = None, **more: Any) -> Answer:
        """Ask the choice."""
        answer = answer or Answer()
        answer.exchange = self.balanced.ask(asked or request(**more), answer)
        return answer

    @property
    def trying(self) -> str:
        """Who the connections that are being made lead to."""
        return "".join("abcdefgh"[int(host.rpartition(".")[2]) - 1] for host, _ in self.attempts())

    def chosen(self, **more: Any) -> tuple[str, Answer, Line]:
        """Ask, connect, and tell who was asked."""
        answer = self.ask(**more)
        trying = self.trying
        return trying, answer, self.connect()

    def fail(self, *who: str) -> None:
        """Ask as often as there are names; each of these upstreams loses its request."""
        for each in who:
            trying, answer, line = self.chosen()
            assert trying == each
            line.reset()
            assert answer.failure == ("upstream_closed", 502)
