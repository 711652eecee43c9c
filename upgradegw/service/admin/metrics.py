"""Access events counted for Prometheus.

No label has values that clients choose: each is one of a list, or ``other``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from twisted.logger import ILogObserver, LogEvent
from zope.interface import implementer

from upgradegw.negotiation.reasons import Reason

#: From a millisecond, which a handshake takes, to the seconds after which ``authorize`` and upstreams are given up.
_HANDSHAKE_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)
_REQUEST_SECONDS = (*_HANDSHAKE_SECONDS, 300)
#: Upgraded connections live for seconds or for days.
_LIFETIMES = (0.1, 1, 10, 60, 600, 3600, 6 * 3600, 24 * 3600)

_REASONS = frozenset(reason.value for reason in Reason)
_UPSTREAM = frozenset(reason for reason in _REASONS if reason.startswith("upstream_")) | {Reason.NO_UPSTREAM.value}
_VERSIONS = frozenset(("HTTP/1.1", "HTTP/1.0", "HTTP/2"))
OTHER = "other"

_FIRST_OF_REFUSALS = 300


@implementer(ILogObserver)
class Metrics:
    """Counts what happens; subscribe it to ``access_events``.

    Attributes:
        registry: What is exposed.
        tokens: The upgrade tokens with a label of their own, in lower case; others are ``other``.
        routes: The names of the routes, likewise.
    """

    def __init__(self, tokens: Iterable[str] = (), routes: Iterable[str] = ()) -> None:
        """Count nothing yet.

        Args:
            tokens: The tokens that the configuration names.
            routes: The names of its routes.
        """
        self.registry = registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        self.tokens = frozenset(token.lower() for token in tokens)
        self.routes = frozenset(routes)
        upgraded = ("route", "token", "http_version")
        self._requests = self._counter("requests", "Responses sent.", "route", "status", "http_version")
        self._request_seconds = self._histogram(
            "request_seconds", "From a request to its answer.", _REQUEST_SECONDS, "route"
        )
        self._content = self._counter("response_content_bytes", "Content of responses.", "route")
        self._refusals = self._counter("refusals", "Requests answered with an error, by reason.", "route", "reason")
        self._upstream_failures = self._counter(
            "upstream_failures", "Requests and tunnels that failed at an upstream.", "route", "reason"
        )
        self._switched = self._counter("upgrades", "Connections and streams that were switched.", *upgraded)
        self._active = Gauge(
            "upgradegw_upgrades_active", "Upgraded connections that are open.", upgraded, registry=self.registry
        )
        self._handshakes = self._histogram(
            "upgrade_handshake_seconds", "From a complete request to its switch.", _HANDSHAKE_SECONDS, "route", "token"
        )
        self._ends = self._counter("upgrades_ended", "Upgraded connections that have ended.", *upgraded, "reason")
        self._bytes = self._counter(
            "upgraded_bytes", "Bytes of upgraded connections that have ended.", "route", "token", "direction"
        )
        self._lifetimes = self._histogram("upgraded_seconds", "From a switch to its end.", _LIFETIMES, "route", "token")

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"upgradegw_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"upgradegw_{name}", text, labels, buckets=buckets, registry=self.registry)

    def __call__(self, event: LogEvent) -> None:
        """Count one access event."""
        getattr(self, f"_{event['event']}")(event)

    # --- One method for each kind of event.

    def _request(self, event: LogEvent) -> None:
        route, version = self._route(event), _one_of(_VERSIONS, event["http_version"])
        self._requests.labels(route, str(event["status"]), version).inc()
        self._request_seconds.labels(route).observe(event["seconds"])
        self._content.labels(route).inc(event["bytes_out"])
        if "reason" in event and event["status"] >= _FIRST_OF_REFUSALS:  # else a plain resource has answered
            self._refuse(event)

    def _refuse(self, event: LogEvent) -> None:
        labels = self._route(event), _one_of(_REASONS, event["reason"])
        self._refusals.labels(*labels).inc()
        self._blame(labels)

    def _blame(self, labels: tuple[str, str]) -> None:
        """Count what was an upstream's fault."""
        if labels[1] in _UPSTREAM:
            self._upstream_failures.labels(*labels).inc()

    def _switch(self, event: LogEvent) -> None:
        labels = self._upgraded(event)
        self._switched.labels(*labels).inc()
        self._active.labels(*labels).inc()
        self._handshakes.labels(*labels[:2]).observe(event["seconds"])

    def _end(self, event: LogEvent) -> None:
        labels = self._upgraded(event)
        self._active.labels(*labels).dec()
        reason = _one_of(_REASONS, event["reason"])
        self._ends.labels(*labels, reason).inc()
        self._blame((labels[0], reason))
        self._bytes.labels(*labels[:2], "in").inc(event["bytes_in"])
        self._bytes.labels(*labels[:2], "out").inc(event["bytes_out"])
        self._lifetimes.labels(*labels[:2]).observe(event["seconds"])

    # --- Labels.

    def _upgraded(self, event: LogEvent) -> tuple[str, str, str]:
        token = event["token"].lower().partition(" ")[0]  # a lenient switch may be one to "IF-T/TLS 1.0"
        return self._route(event), _one_of(self.tokens, token), _one_of(_VERSIONS, event["http_version"])

    def _route(self, event: LogEvent) -> str:
        return _one_of(self.routes, event.get("route", OTHER))


def _one_of(known: frozenset[str], value: Any) -> str:
    return value if value in known else OTHER
