"""TLS by an Upgrade field: which offer is accepted, the switch, and what the log and the resources see of it."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.ssl import CertificateOptions
from twisted.trial.unittest import SynchronousTestCase

from tests.http1.test_tls import make_options
from tests.http1.wire import Rendered, get
from tests.protocols_for_tests import RecorderFactory, echo
from tests.web.securing import CUPS, Securing, certificates, offer, securing
from upgradegw.events import access_events
from upgradegw.protocols.stream import stream
from upgradegw.web.clients import client_of
from upgradegw.web.resource import UpgradeResource
from upgradegw.web.tls_upgrade import TlsUpgrade


def told(request: Any) -> bytes:
    """Say what a resource sees of a request."""
    client = client_of(request)
    fields = request.requestHeaders.hasHeader(b"Upgrade"), request.requestHeaders.hasHeader(b"Connection")
    return repr((request.uri, request.isSecure(), client.scheme, client.address, *fields)).encode()


SEEN = b"(b'/x', True, b'https', '192.0.2.7', False, False)"


class TlsUpgradeTests(SynchronousTestCase):
    """A site that takes offers of TLS."""

    def switched(self, connection: Securing, request: bytes, version: str = "1.3") -> None:
        """Send the request and the first bytes of TLS behind it; the switch must come."""
        connection.send(request + connection.begin())
        answer = connection.head()
        assert answer.status == 101
        assert answer.get(b"upgrade") == b"TLS/" + version.encode()
        connection.shake()
        assert connection.tls.version() == f"TLSv{version}"

    def test_cups(self) -> None:
        """TL-01: ``OPTIONS *`` as CUPS sends it: 101 without Content-Length, this answer and the next in TLS."""
        connection = securing(Rendered(told))
        connection.send(offer())
        first = connection.begin()
        answer = connection.head()
        assert answer.status == 101
        assert answer.fields == [(b"Upgrade", b"TLS/1.3"), (b"Connection", b"Upgrade")]
        connection.send(first).shake()
        (answer,) = connection.inside()
        assert (answer.status, answer.body) == (200, b"")
        bodies = [each.body for each in connection.inside(get(b"/x"), get(b"/x"))]
        assert bodies == [SEEN, SEEN]

    def test_the_request_that_waits(self) -> None:
        """The request with the offer is answered once, in TLS, as one that came in TLS and offered nothing."""
        connection = securing(Rendered(told))
        self.switched(connection, offer(method=b"GET", target=b"/x"))
        assert [each.body for each in connection.inside()] == [SEEN]
        assert connection.inside() == []

    def test_bytes_one_by_one(self) -> None:
        """The first bytes of TLS may come with the request or behind it, cut anywhere."""
        connection = securing(Rendered(told))
        hello = connection.begin()
        whole = offer(method=b"GET", target=b"/x") + hello
        connection.send(*(whole[at : at + 1] for at in range(len(whole))))
        assert connection.head().status == 101
        connection.shake()
        assert [each.body for each in connection.inside()] == [SEEN]

    def test_the_version_is_the_highest(self) -> None:
        """TL-01: what the 101 names is the most that is spoken: a client that could do better is held to its offer."""
        connection = securing(Rendered(told))
        self.switched(connection, offer(b"TLS/1.2,TLS/1.1,TLS/1.0", method=b"GET", target=b"/x"), "1.2")
        assert [each.body for each in connection.inside()] == [SEEN]

    def test_versions_of_the_site(self) -> None:
        """A site may offer one version only."""
        self.switched(securing(versions=("1.2",)), offer(), "1.2")
        (answer,) = securing(versions=("1.3",)).send(offer(b"TLS/1.2")).answers()
        assert answer.status == 200

    def test_a_list_over_several_lines(self) -> None:
        """Lines of one field are one list."""
        self.switched(securing(), offer(b"TLS/1.1,", b"Upgrade: TLS/9, tls/1.2"), "1.2")

    def test_what_is_no_offer(self) -> None:
        """TL-01: old versions alone, HTTP/1.0 and a missing Connection option: the request is a plain one."""
        connectionless = offer(method=b"GET", target=b"/x").replace(b"Connection: upgrade\r\n", b"")
        old = offer(method=b"GET", target=b"/x").replace(b"HTTP/1.1", b"HTTP/1.0")
        for request in (connectionless, old, offer(b"TLS/1.0, TLS/9.9, TLS", method=b"GET", target=b"/x")):
            (answer,) = securing(Rendered(told)).send(request).answers()
            assert answer.status == 200
            assert b"False, b'http'" in answer.body

    def test_without_the_setting(self) -> None:
        """By default nothing is offered: TLS by an Upgrade field is ignored, and named in no 426."""
        connection = securing(UpgradeResource([stream("echo", RecorderFactory())]), tls=certificates())
        site = connection.protocol.site
        plain = Securing(type(site)(site.resource, reactor=connection.reactor), connection.reactor)
        (answer,) = plain.send(offer(method=b"GET", target=b"/")).answers()
        assert (answer.status, answer.get(b"upgrade")) == (426, b"echo")

    def test_through_a_proxy(self) -> None:
        """A-01: what has come through a proxy is no offer to us: the proxy would not see what follows."""
        for field in (b"Via: 1.1 front", b"Forwarded: for=192.0.2.9", b"X-Forwarded-For: 192.0.2.9"):
            (answer,) = securing().send(offer(CUPS, field)).answers()
            assert answer.status == 200
        (answer,) = securing(trusted_proxies=["192.0.2.7"]).send(offer()).answers()
        assert answer.status == 200

    def test_beside_h2c(self) -> None:
        """Of TLS and h2c, TLS is taken, and in it the other is not offered any more."""
        settings = b"HTTP2-Settings: AAMAAABkAAQAAgAAAAIAAAAA"
        connection = securing(Rendered(told), h2c_upgrade="always")
        self.switched(connection, offer(b"h2c, TLS/1.2", settings, method=b"GET", target=b"/x"), "1.2")
        assert [each.body for each in connection.inside()] == [SEEN]

    def test_an_offer_in_tls(self) -> None:
        """In TLS an offer of TLS is ignored."""
        connection = securing(Rendered(told))
        self.switched(connection, offer())
        _, answer = connection.inside(offer(method=b"GET", target=b"/x"))
        assert (answer.status, answer.body) == (200, SEEN.replace(b"False, False", b"True, True"))

    def test_another_protocol_in_tls(self) -> None:
        """Who offers TLS and another protocol has one in the other; a later request may ask for one, too."""
        for request, later in (
            (offer(b"TLS/1.3, echo", method=b"GET", target=b"/"), ()),
            (offer(), (get(b"/", b"Connection: Upgrade", b"Upgrade: echo"),)),
        ):
            connection = securing(UpgradeResource([stream("echo", RecorderFactory(data=echo))]))
            self.switched(connection, request)
            answer = connection.inside(*later)[-1]
            assert (answer.status, answer.get(b"upgrade")) == (101, b"echo")
            connection.tls.write(b"in TLS")
            connection._exchange()
            connection.advance(0.1)
            connection._exchange()
            assert connection.tls.read(100) == b"in TLS"

    def test_a_context_factory_of_twisted(self) -> None:
        """``CertificateOptions`` will do, too."""
        options: CertificateOptions = make_options()
        connection = securing(Rendered(told), tls=options)
        self.switched(connection, offer(b"TLS/1.2", method=b"GET", target=b"/x"), "1.2")
        assert [each.body for each in connection.inside()] == [SEEN]

    def test_the_log(self) -> None:
        """The switch is an event, and its end; every request in between has its own, with the same name."""
        seen: list[Any] = []
        self.addCleanup(access_events.subscribe(seen.append))
        connection = securing(Rendered(told))
        self.switched(connection, offer(method=b"GET", target=b"/x?y"))
        connection.inside(get(b"/z"))
        connection.close()
        assert [each["event"] for each in seen] == ["switch", "request", "request", "end"]
        switch, *requests, end = seen
        assert (switch["token"], switch["path"], switch["http_version"]) == ("TLS/1.3", "/x", "HTTP/1.1")
        assert [each["target"] for each in requests] == ["/x?y", "/z"]
        assert {each["connection_id"] for each in seen} == {switch["connection_id"]}
        assert {each["client"] for each in seen} == {"192.0.2.7"}
        assert end["bytes_in"] > 100
        assert end["bytes_out"] > 100
        assert end["reason"] in ("closed", "lost")


def test_versions_that_are_none():
    """An empty list and versions that are not spoken are refused when the site is made."""
    for versions in ((), ("1.1",), ("1.2", "TLS/1.3")):
        with pytest.raises(ValueError, match=r"'1\.2' or '1\.3'"):
            TlsUpgrade(certificates(), versions=versions)
