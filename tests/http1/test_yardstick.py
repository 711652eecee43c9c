"""twisted.web's own tests of HTTPChannel, Request and Site, run against our channel.

Our channel stands where those tests make an ``HTTPChannel``. Three things are adapted, and each is tested for itself
elsewhere: their requests often have no Host, which is refused in HTTP/1.1, so one is added; they know one refusal, a
bare ``400``, so ours are shortened to it; and they give a clock and bounds by HTTPChannel's attributes.

What is left out is in ``EXCLUDED``, each with its reason.
"""

from __future__ import annotations

import dataclasses
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from incremental import Version
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase
from twisted.web import http

import twisted
from upgradegw.http.context import Context
from upgradegw.http.limits import Limits
from upgradegw.http1 import channel as channel_module
from upgradegw.http1 import closing
from upgradegw.http1.channel import Channel
from upgradegw.http1.head import BadHead, Head, parse_head
from upgradegw.negotiation.model import Client

pytest.importorskip("hamcrest", reason="twisted.web's tests need PyHamcrest")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # they import what is deprecated
    from twisted.web.test import test_http, test_web

pytestmark = pytest.mark.filterwarnings("ignore")

#: The Twisted whose tests the exclusions name; an earlier one may lack some.
LATEST = Version("Twisted", 26, 10, 0)

OWN_ATTRIBUTE = "looks at a private attribute of HTTPChannel"
HTTP2 = "is about how twisted.web turns an HTTPChannel into its HTTP/2"
STRICT = "accepts what we refuse: "
ABORT = "HTTPChannel's abortTimeout is our write_timeout, which cannot be switched off"

EARLY = "expects a registration before there is a request; see test_sending"
_TIMEOUT_LOG = "expects the log messages of HTTPChannel"

EXCLUDED: dict[str, dict[str, str]] = {
    "HTTP1_0Tests": {
        "test_transportForciblyClosed": _TIMEOUT_LOG,
        "test_transportNotAbortedWithZeroAbortTimeout": ABORT,
    },
    "PipeliningBodyTests": {"test_pipeliningReadLimit": "counts the bytes of the request that is being answered, too"},
    "SecurityTests": {"test_notSecureAfterFinish": "puts a request of its own into HTTPChannel's list"},
    "GenericHTTPChannelTests": {
        "test_genericHTTPChannelCallLaterUpgrade": HTTP2,
        "test_h2CancelsH11Timeout": HTTP2,
        "test_http2_present": HTTP2,
        "test_http2_absent": HTTP2,
        "test_unregistersProducer": HTTP2,
    },
    "PersistenceTests": dict.fromkeys(
        ("test_http09", "test_http10", "test_http11", "test_http11Close"),
        "calls checkPersistence, which is a step of HTTPChannel's own",
    ),
    "ChunkingTests": {"test_multipartFormData": STRICT + "Transfer-Encoding in HTTP/1.0"},
    "ParsingTests": {
        "test_chunkedEncoding": STRICT + "Transfer-Encoding in HTTP/1.0",
        "test_transferEncodingIdentity": STRICT + "Transfer-Encoding: identity",
        "test_headersMultiline": STRICT + "folded field lines (RFC 9112 section 5.2)",
        "test_headerStripWhitespace": STRICT + "folded field lines (RFC 9112 section 5.2)",
        "test_headerLimitPerRequest": "expects HTTPChannel's own bound of 500 fields",
        "test_tooManyHeaders": "expects HTTPChannel's own bound of 500 fields",
        "test_headersTooBigInitialCommand": "sets HTTPChannel's bound, and expects an answer before the head is there",
        "test_headersTooBigOtherHeaders": "sets HTTPChannel's bound, and expects an answer before the head is there",
    },
    "RequestTests": {
        "test_finishCleansConnection": OWN_ATTRIBUTE,
        "test_finishProducesLog": OWN_ATTRIBUTE,
    },
    "ChannelProductionTests": {
        "test_HTTPChannelIsAProducer": EARLY,
        "test_HTTPChannelUnregistersSelfWhenTimingOut": EARLY,
        "test_HTTPChannelCanUnregisterWithNoProducer": OWN_ATTRIBUTE,
        "test_HTTPChannelStopWithNoRequestOutstanding": OWN_ATTRIBUTE,
        "test_HTTPChannelToleratesDataWhenTransportPaused": "who does not read his answers waits for the next",
        "test_HTTPChannelToleratesPullProducers": "ours are driven by the transport, and this one drives none",
    },
}
for _subclass in ("HTTP1_1Tests", "HTTP1_1_close_Tests"):
    EXCLUDED[_subclass] = EXCLUDED["HTTP1_0Tests"]
EXCLUDED["HTTP0_9Tests"] = {**EXCLUDED["HTTP1_0Tests"], "test_noPipelining": "is not run by twisted.web either"}

FROM_TEST_HTTP = (
    "HTTP1_0Tests",
    "HTTP1_1Tests",
    "HTTP1_1_close_Tests",
    "HTTP0_9Tests",
    "PipeliningBodyTests",
    "ShutdownTests",
    "SecurityTests",
    "GenericHTTPChannelTests",
    "HTTPLoopbackTests",
    "PersistenceTests",
    "ChunkingTests",
    "ParsingTests",
    "QueryArgumentsTests",
    "RequestTests",
    "MultilineHeadersTests",
    "Expect100ContinueServerTests",
    "ChannelProductionTests",
    "HTTPChannelSanitizationTests",
)
FROM_TEST_WEB = (
    "SiteTest",
    "SessionTests",
    "ConditionalTests",
    "GzipEncoderTests",
    "RememberURLTests",
    "NewRenderTests",
    "AllowedMethodsTests",
    "SiteAccessLogTests",
    "TestRFC9112Section932",
)


def parse_with_host(data: bytes, limits: Limits) -> Head | BadHead:
    """Parse a head, and give it a Host if it needs one; the resource does not see it."""
    if b"\r\nhost:" in data.lower() or b" HTTP/1.1\r\n" not in data:
        return parse_head(data, limits)
    head = parse_head(data.replace(b"\r\n", b"\r\nHost: yardstick\r\n", 1), limits)
    if isinstance(head, Head):
        del head.by_name[b"Host"]
        head = head._replace(fields=tuple(field for field in head.fields if field[0] != b"Host"))
    return head


class StandaloneChannel(Channel):
    """Our channel without a site, with the attributes by which those tests steer an HTTPChannel."""

    def __init__(self) -> None:
        super().__init__(_context(Limits(write_timeout=15.0, max_leading_data=16 * 1024), Clock(), 60.0))
        self.requestFactory = http.Request

    def makeConnection(self, transport: Any) -> None:
        clock = getattr(getattr(self, "callLater", None), "__self__", self._clock)
        if isinstance(clock, Clock):
            limits = dataclasses.replace(self._limits, content_timeout=self.timeOut)
            self._context = _context(limits, clock, self.timeOut)
            self._clock, self._limits = clock, limits
        super().makeConnection(transport)

    @property
    def requests(self) -> list[Any]:
        return [] if self._request is None else [self._request]

    @property
    def _optimisticEagerReadSize(self) -> int:
        return self._limits.max_leading_data

    @_optimisticEagerReadSize.setter
    def _optimisticEagerReadSize(self, size: int) -> None:
        self._limits = dataclasses.replace(self._limits, max_leading_data=size)


def _context(limits: Limits, clock: Clock, idle_timeout: float | None) -> Context:
    return Context(
        limits, clock, lambda _connection, _fields: Client(None, None, None, None), idle_timeout=idle_timeout
    )


def _short_refusal(_status: int, _now: float, *, body: bool) -> bytes:
    return b"HTTP/1.1 400 Bad Request\r\n\r\n"


def _adapted(case: type[TestCase]) -> type[TestCase]:
    def set_up(self: Any) -> None:
        self.patch(http, "HTTPChannel", StandaloneChannel)
        self.patch(channel_module, "parse_head", parse_with_host)
        self.patch(closing, "refusal", _short_refusal)
        super(adapted, self).setUp()

    def temporary_path(self: Any) -> str:
        directory = TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        return str(Path(directory.name, "file"))

    body: dict[str, Any] = dict.fromkeys(EXCLUDED.get(case.__name__, {}))
    adapted = type(case.__name__, (case,), {"setUp": set_up, "mktemp": temporary_path, "__module__": __name__, **body})
    return adapted


def _cases() -> dict[str, type[TestCase]]:
    found = {
        f"TestHTTP{name}": _adapted(getattr(test_http, name)) for name in FROM_TEST_HTTP if hasattr(test_http, name)
    }
    found.update(
        {f"TestWeb{name}": _adapted(getattr(test_web, name)) for name in FROM_TEST_WEB if hasattr(test_web, name)}
    )
    return found


globals().update(_cases())


@pytest.mark.parametrize("name", sorted(EXCLUDED))
def test_every_exclusion_excludes_something(name: str) -> None:
    """An exclusion that names no test any more would hide that the test is gone."""
    case = getattr(test_http, name, None) or getattr(test_web, name)
    unknown = [method for method in EXCLUDED[name] if not callable(getattr(case, method, None))]
    assert not unknown or twisted.version < LATEST
