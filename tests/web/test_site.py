"""UpgradeSite as a Site: its arguments, its log, and who its clients are."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IProtocolNegotiationFactory
from twisted.protocols.haproxy._wrapper import HAProxyWrappingFactory
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http import Request as PlainRequest
from twisted.web.resource import Resource
from twisted.web.server import Session, Site

from tests.http1.wire import Later, Rendered, Wire, connect, get, make_site, post
from upgradegw.events import access_events
from upgradegw.negotiation.model import Decline, Refuse
from upgradegw.negotiation.reasons import Reason
from upgradegw.web.clients import client_of
from upgradegw.web.site import UpgradeSite


class Arguments(SynchronousTestCase):
    """What Site takes, and what is added."""

    def test_it_is_a_site(self) -> None:
        """Where a Site is wanted, it is one; over TLS it offers h2 and http/1.1, and nothing else."""
        site, _ = make_site()
        assert isinstance(site, Site)
        assert IProtocolNegotiationFactory.providedBy(site)
        assert site.acceptableProtocols() == [b"h2", b"http/1.1"]

    def test_forms_may_be_left_alone(self) -> None:
        """``parsePOSTFormSubmission=False`` leaves forms in the content, as in Site."""
        root = Later()
        wire = connect(root, parsePOSTFormSubmission=False)
        wire.send(post(b"a=1", b"/", b"Content-Type: application/x-www-form-urlencoded"))
        assert root.requests[0].args == {}
        assert root.requests[0].content.read() == b"a=1"

    def test_session_factory(self) -> None:
        """``sessionFactory`` makes the sessions."""

        class Own(Session):
            pass

        site, reactor = make_site(Rendered(lambda request: type(request.getSession()).__name__.encode()))
        site.sessionFactory = Own
        assert Wire(site, reactor).send(get()).answers()[0].body == b"Own"
        for session in list(site.sessions.values()):
            session.expire()

    def test_where_content_goes(self) -> None:
        """A-27: small content stays in memory, large content and content of unknown length goes to a file."""
        assert isinstance(UpgradeSite.getContentFile(99_999), BytesIO)
        for length in (100_000, None):
            with UpgradeSite.getContentFile(length) as content:
                assert content.fileno() > 0

    def test_nothing_starts(self) -> None:
        """A-25: a site without connections has no delayed call."""
        site, reactor = make_site()
        site.doStart()
        assert reactor.getDelayedCalls() == []
        site.doStop()

    def test_as_a_child(self) -> None:
        """A Site can be put below another resource."""
        inner = Resource()
        inner.putChild(b"x", Rendered(lambda _request: b"inner"))
        root = Resource()
        root.putChild(b"site", make_site(inner)[0])
        assert connect(root).send(get(b"/site/x")).answers()[0].body == b"inner"


@pytest.mark.parametrize(
    "arguments",
    [
        {"trusted_proxies": ["not an address"]},
        {"trusted_proxies": "10.0.0.1"},
        {"allowed_hosts": ["http://a.example"]},
        {"allowed_hosts": ["a b"]},
        {"allowed_hosts": "a.example"},
    ],
)
def test_wrong_arguments(arguments: dict[str, Any]) -> None:
    """What is written wrongly is said when the site is made, and names the value."""
    (value,) = arguments.values()
    with pytest.raises(ValueError, match=value if isinstance(value, str) else value[0]):
        make_site(**arguments)


def test_no_limits() -> None:
    """Limits that may be None can all be None."""
    names = (
        "allowed_hosts",
        "max_content",
        "content_timeout",
        "max_connections",
        "max_connections_per_client",
        "timeout",
    )
    wire = connect(**dict.fromkeys(names))
    assert wire.send(post(b"x" * 100)).answers()[0].status == 200
    assert wire.advance(200).open


class Logging(SynchronousTestCase):
    """The combined log, and access events."""

    def events(self) -> list[Any]:
        seen: list[Any] = []
        self.addCleanup(access_events.subscribe(seen.append))
        return seen

    def test_combined_log(self) -> None:
        """A-36: with ``logPath`` every request is a line of the combined log, control characters escaped."""
        directory = TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        path = Path(directory.name, "access.log")
        site, reactor = make_site(logPath=str(path))
        site.doStart()
        Wire(site, reactor).send(get(b'/a"b', b"User-Agent: \xff", b"Referer: r"))
        site.doStop()
        (line,) = path.read_text().splitlines()
        assert line.startswith('"192.0.2.7" - - [')
        assert '"GET /a\\"b HTTP/1.1" 200 9 "r" "\\xff"' in line

    def test_a_formatter(self) -> None:
        """``logFormatter`` makes the lines."""
        directory = TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        path = Path(directory.name, "access.log")
        site, reactor = make_site(logPath=str(path), logFormatter=lambda _timestamp, request: repr(request.uri))
        site.doStart()
        Wire(site, reactor).send(get(b"/x") + get(b"/y"))
        site.doStop()
        assert path.read_text() == "b'/x'\nb'/y'\n"

    def test_requests_are_events(self) -> None:
        """Every answered request is an event while somebody listens, with the documented fields."""
        seen = self.events()
        root = Later()
        wire = connect(root, trusted_proxies=["192.0.2.0/24"])
        wire.send(get(b"/x?y", b"X-Forwarded-For: 198.51.100.9", b"Referer: r", b"User-Agent: agent"))
        wire.advance(2)
        root.requests[0].write(b"12345")
        root.requests[0].finish()
        (event,) = seen
        assert {
            name: event[name]
            for name in ("event", "connection_id", "client", "method", "target", "http_version", "status", "bytes_out")
        } == {
            "event": "request",
            "connection_id": wire.protocol.connection_id,
            "client": "198.51.100.9",
            "method": "GET",
            "target": "/x?y",
            "http_version": "HTTP/1.1",
            "status": 200,
            "bytes_out": 5,
        }
        assert (event["referer"], event["user_agent"], event["seconds"]) == ("r", "agent", 2.0)
        assert "reason" not in event

    def test_outcomes(self) -> None:
        """Why an offer was not taken is in the event: reason, what was compared, and what to do about it."""
        seen = self.events()

        def render(request: Any) -> bytes:
            request.upgrade_outcome = Refuse(Reason.ORIGIN_MISMATCH, 403, (), "a against b")
            return b""

        connect(Rendered(render)).send(get())
        (event,) = seen
        assert (event["reason"], event["detail"]) == ("origin_mismatch", "a against b")
        assert "--trusted-proxy" in event["hint"]

    def test_the_switch_has_its_own(self) -> None:
        """A request that led to a switch is no ``request`` event: there is one for the switch."""
        seen = self.events()
        connect(Rendered(lambda request: request.setResponseCode(101) or b"")).send(get())
        assert seen == []

    def test_requests_without_site(self) -> None:
        """A request class that knows no site is logged, too."""
        seen = self.events()

        class Direct(PlainRequest):
            def process(self) -> None:
                self.finish()

        connect(requestFactory=Direct).send(get())
        assert [event["status"] for event in seen] == [200]


class NobodyListens(SynchronousTestCase):
    """Without observers."""

    def test_what_goes_to_twisteds_log(self) -> None:
        """Refused offers do, for nobody would hear of them otherwise; plain requests and declined offers do not."""
        said: list[Any] = []
        self.patch(access_events, "emit", lambda _format, **fields: said.append(fields["status"]))
        outcomes = {
            b"/plain": None,
            b"/declined": Decline(Reason.UNSUPPORTED_TOKEN),
            b"/426": Refuse(Reason.NO_UPGRADE, 426),
            b"/refused": Refuse(Reason.BAD_KEY, 400),
        }

        def render(request: Any) -> bytes:
            request.upgrade_outcome = outcomes[request.path]
            request.setResponseCode(400 if request.path == b"/refused" else 200)
            return b""

        connect(Rendered(render)).send(b"".join(map(get, outcomes)))
        assert said == [400]


class Clients(SynchronousTestCase):
    """A-34: who is believed."""

    def client(self, *fields: bytes, preface: bytes = b"", proxy_protocol: bool = False, **kwargs: Any) -> Any:
        """Return the effective client of a request."""
        root = Later()
        site, reactor = make_site(root, **kwargs)
        Wire(HAProxyWrappingFactory(site) if proxy_protocol else site, reactor).send(preface + get(b"/", *fields))
        (request,) = root.requests
        self.request = request
        return client_of(request)

    def test_nobody_by_default(self) -> None:
        """What a stranger says of itself is ignored."""
        client = self.client(b"X-Forwarded-For: 198.51.100.9", b"Forwarded: for=198.51.100.8", b"X-Real-IP: 1.1.1.1")
        assert (client.address, client.scheme, client.authority) == ("192.0.2.7", b"http", b"a.example")

    def test_a_trusted_proxy(self) -> None:
        """The rightmost address that is not a trusted proxy's is the client."""
        client = self.client(
            b"X-Forwarded-For: 1.1.1.1, 198.51.100.9, 192.0.2.8",
            b"X-Forwarded-Proto: https",
            trusted_proxies=["192.0.2.0/24"],
        )
        assert (client.address, client.scheme, client.peer) == ("198.51.100.9", b"https", "192.0.2.7")
        assert client_of(self.request) is client
        assert self.request.getClientAddress().host == "192.0.2.7"

    def test_proxy_protocol(self) -> None:
        """A PROXY header counts from a trusted peer, and from no other; getClientAddress stays Twisted's."""
        preface = b"PROXY TCP4 198.51.100.9 192.0.2.1 1234 80\r\n"
        trusted = self.client(preface=preface, proxy_protocol=True, trusted_proxies=["192.0.2.7"])
        assert (trusted.address, trusted.peer) == ("198.51.100.9", "192.0.2.7")
        assert self.request.getClientAddress() == IPv4Address("TCP", "198.51.100.9", 1234)
        stranger = self.client(preface=preface, proxy_protocol=True)
        assert (stranger.address, stranger.peer) == ("192.0.2.7", "192.0.2.7")

    def test_below_the_limit_per_client(self) -> None:
        """The source of a PROXY header is who is counted for max_connections_per_client."""
        site, reactor = make_site(max_connections_per_client=1, trusted_proxies=["192.0.2.7"])
        wrapped = HAProxyWrappingFactory(site)

        def ask(source: bytes) -> int:
            preface = b"PROXY TCP4 " + source + b" 192.0.2.1 1234 80\r\n"
            return int(Wire(wrapped, reactor).send(preface + get()).answers()[0].status)

        assert [ask(b"198.51.100.9"), ask(b"198.51.100.8"), ask(b"198.51.100.9")] == [200, 200, 503]


def test_the_site_argument_is_the_public_name() -> None:
    """The trusted proxies of a site are where ``client_of`` looks for them."""
    site = UpgradeSite(Resource(), trusted_proxies=["unix", "10.0.0.0/8"])
    assert None in site.trusted
    assert "10.1.2.3" in site.trusted
