"""Gauges that are made at a scrape: they say how the gateway is at that moment."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from tests.service.admin.support import Route, State, tree
from upgradegw import __version__
from upgradegw.proxy.upstreams import Upstreams
from upgradegw.service.admin.gauges import Gauges
from upgradegw.testing import Client

UP, ACTIVE = "upgradegw_upstream_up", "upgradegw_upstream_active"


def scraped(state: State) -> dict[str, dict[tuple[str, ...], float]]:
    """What a scrape has: by name, the value for each set of labels."""
    registry = CollectorRegistry()
    registry.register(Gauges(state))
    return {
        family.name: {tuple(each.labels.values()): each.value for each in family.samples}
        for family in registry.collect()
    }


def test_upstreams() -> None:
    """Each that is watched is up or not, and has so much under way; one that is named twice is one series."""
    with Client(tree()) as gateway:
        state = State(gateway)
        urls = ["http://192.0.2.1", "http://192.0.2.2", "http://192.0.2.1"]
        state.routes = [Route("/ws", [Upstreams(urls, reactor=gateway.clock)]), Route("/echo")]
        first, second, again = state.routes[0].upstreams[0]._asked._members
        first.active, second.active, again.active = 2, 5, 1
        for _ in range(3):
            second.failed("no answer")
        keys = [("/ws", "http://192.0.2.1"), ("/ws", "http://192.0.2.2")]
        values = scraped(state)
        assert values[UP] == dict(zip(keys, (1, 0), strict=True))
        assert values[ACTIVE] == dict(zip(keys, (3, 5), strict=True))
        second.succeeded()
        assert scraped(state)[UP] == dict.fromkeys(keys, 1)


def test_an_upstream_that_is_alone_is_not_watched() -> None:
    """It is asked whatever happens, so there is nothing to say of it."""
    with Client(tree()) as gateway:
        assert scraped(State(gateway))[UP] == {}


def test_routes_that_are_leaving() -> None:
    """Two that had the same name are one series."""
    with Client(tree()) as gateway:
        state = State(gateway)
        state.leaving = [Route("/ws"), Route("/old"), Route("/ws")]
        for route in state.leaving:
            route.drain.add(gateway.clock)
        assert scraped(state)["upgradegw_upgrades_draining"] == {("/ws",): 2, ("/old",): 1}


def test_the_version() -> None:
    """The version that runs is a label, as is the custom."""
    with Client(tree()) as gateway:
        assert scraped(State(gateway))["upgradegw_build_info"] == {(__version__,): 1}
