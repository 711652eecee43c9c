"""A WebSocket echo whose access events feed Prometheus metrics. Run it with ``python metrics.py``."""

from collections.abc import Iterable
from http import HTTPStatus

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.task import react
from twisted.logger import ILogObserver
from twisted.web.resource import Resource
from twisted.web.server import Site
from zope.interface import implementer

from upgradegw import UpgradeResource, UpgradeSite, access_events, websocket
from upgradegw.negotiation.reasons import Reason

REASONS = {reason.value for reason in Reason}

#: Upgraded connections live for seconds or for days.
LIFETIMES = (0.1, 1, 10, 60, 600, 3600, 6 * 3600, 24 * 3600)


@implementer(ILogObserver)
class Metrics:
    """Counts access events. No label's values come from clients: each is one of a list, or ``other``."""

    def __init__(self, tokens: Iterable[str], registry: CollectorRegistry) -> None:
        def counter(name, text, *labels):
            return Counter(name, text, labels, registry=registry)

        self.tokens = set(tokens)
        self.requests = counter("upgradegw_requests", "Responses sent.", "status")
        self.request_seconds = Histogram(
            "upgradegw_request_seconds", "From a request to its answer.", registry=registry
        )
        self.content_bytes = counter("upgradegw_response_content_bytes", "Content of responses.")
        self.refusals = counter("upgradegw_refusals", "Requests that were refused.", "reason")
        self.switches = counter("upgradegw_switches", "Connections switched.", "token")
        self.open = Gauge("upgradegw_upgraded_connections", "Open now.", ["token"], registry=registry)
        self.ends = counter("upgradegw_ends", "Upgraded connections ended.", "token", "reason")
        self.upgraded_bytes = counter(
            "upgradegw_upgraded_bytes", "Bytes of upgraded connections that have ended.", "token", "direction"
        )
        self.upgraded_seconds = Histogram(
            "upgradegw_upgraded_seconds", "From a switch to its end.", ["token"], buckets=LIFETIMES, registry=registry
        )

    def __call__(self, event) -> None:
        """Count one event; ``docs/reference/events.md`` has the fields."""
        getattr(self, event["event"])(event)

    def request(self, event) -> None:
        self.requests.labels(event["status"]).inc()
        self.request_seconds.observe(event["seconds"])
        self.content_bytes.inc(event["bytes_out"])
        if "reason" in event and event["status"] >= HTTPStatus.MULTIPLE_CHOICES:  # else a plain resource has answered
            self.refuse(event)

    def refuse(self, event) -> None:
        self.refusals.labels(one_of(REASONS, event["reason"])).inc()

    def switch(self, event) -> None:
        token = one_of(self.tokens, event["token"])
        self.switches.labels(token).inc()
        self.open.labels(token).inc()

    def end(self, event) -> None:
        token = one_of(self.tokens, event["token"])
        self.open.labels(token).dec()
        self.ends.labels(token, one_of(REASONS, event["reason"])).inc()
        self.upgraded_bytes.labels(token, "in").inc(event["bytes_in"])
        self.upgraded_bytes.labels(token, "out").inc(event["bytes_out"])
        self.upgraded_seconds.labels(token).observe(event["seconds"])


def one_of(known: set[str], value: str) -> str:
    return value if value in known else "other"


class MetricsPage(Resource):
    """What Prometheus reads."""

    isLeaf = True

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__()
        self.registry = registry

    def render_GET(self, request) -> bytes:
        request.setHeader(b"content-type", CONTENT_TYPE_LATEST.encode())
        return generate_latest(self.registry)


class Echo(WebSocketServerProtocol):
    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.sendMessage(payload, isBinary)


def echo_factory() -> WebSocketServerFactory:
    factory = WebSocketServerFactory()
    factory.protocol = Echo
    return factory


async def main(reactor) -> None:
    registry = CollectorRegistry()
    access_events.subscribe(Metrics(["websocket"], registry))

    root = Resource()
    root.putChild(b"ws", UpgradeResource([websocket(echo_factory())]))
    await serverFromString(reactor, "tcp:8080").listen(UpgradeSite(root, reactor=reactor))

    # On a port of its own that only this machine reaches: metrics are not for everybody.
    inside = Resource()
    inside.putChild(b"metrics", MetricsPage(registry))
    await serverFromString(reactor, "tcp:9464:interface=127.0.0.1").listen(Site(inside, reactor=reactor))
    await Deferred()


if __name__ == "__main__":
    react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
