"""What a scrape asks the gateway itself: how its upstreams are, and which routes are leaving.

Nothing of it is kept up to date between two scrapes, so it costs a server nothing that is not watched.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from upgradegw import __version__
from upgradegw.service.admin.state import ServerState, upstreams_of


class Gauges(Collector):
    """Looks at a server at each scrape."""

    def __init__(self, state: ServerState) -> None:
        """Look at nothing yet.

        Args:
            state: The server.
        """
        self._state = state

    def describe(self) -> Iterator[Metric]:
        """Say nothing: what there is depends on the configuration, and no other collector has these names."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Yield what there is now."""
        build = GaugeMetricFamily("upgradegw_build_info", "The version that runs.", labels=("version",))
        build.add_metric((__version__,), 1)
        yield build
        yield from self._upstreams()
        draining = GaugeMetricFamily(
            "upgradegw_upgrades_draining", "Upgraded connections of routes that are no more.", labels=("route",)
        )
        numbers: dict[str, int] = {}
        for route in self._state.leaving:
            numbers[route.name] = numbers.get(route.name, 0) + route.drain.open
        for name, number in numbers.items():
            draining.add_metric((name,), number)
        yield draining

    def _upstreams(self) -> Iterator[Metric]:
        labels = ("route", "upstream")
        up = GaugeMetricFamily("upgradegw_upstream_up", "1 for an upstream that is asked, 0 while not.", labels=labels)
        active = GaugeMetricFamily(
            "upgradegw_upstream_active", "Requests under way and tunnels of an upstream.", labels=labels
        )
        # A route may name an upstream twice, to give it a double share; a series may be there once.
        found: dict[tuple[str, str], tuple[bool, int]] = {}
        for route in self._state.routes:
            for each in upstreams_of(route):
                if each.up is not None and each.active is not None:
                    was_up, was_active = found.get((route.name, each.upstream), (False, 0))
                    found[route.name, each.upstream] = was_up or each.up, was_active + each.active
        for key, (is_up, number) in found.items():
            up.add_metric(key, is_up)
            active.add_metric(key, number)
        yield up
        yield active
