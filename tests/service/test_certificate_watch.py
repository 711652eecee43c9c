"""Certificates exchanged while the server runs, on a reactor in memory."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from pathlib import Path

from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from tests.certificates import Authority, self_signed
from upgradegw.service.certificate_watch import POLL_SECONDS, CertificateWatch
from upgradegw.service.certificate_words import now
from upgradegw.service.self_signed import self_signed as made_on_the_spot
from upgradegw.service.tls import ServerTls, self_signed_options, tls_from_files
from upgradegw.service.tls_files import TlsFiles

DAY = dt.timedelta(days=1)


class WatchCase(SynchronousTestCase):
    """Files, what is made of them, and what is logged."""

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.reactor = MemoryReactorClock()
        self.time = now() + dt.timedelta(minutes=1)  # behind all certificates, however slowly they are made
        self.authority = Authority.named("authority")
        self.logged: list[str] = []
        self.files = TlsFiles((("a.pem", "a.key"), ("b.pem", "b.key")), folder=self.folder)
        self.put("a", "a.example")
        self.put("b", "b.example")

        def observe(event: LogEvent) -> None:
            if event["log_namespace"].startswith("upgradegw.service.certificate_watch"):
                self.logged.append(formatEvent(event))

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)

    def put(self, file: str, *names: str, ends: dt.timedelta = 90 * DAY) -> None:
        """Write a new certificate and its key."""
        self.authority.certify(self.folder, *names, file=file, begins=ends - 91 * DAY, ends=ends)

    def watch(self) -> ServerTls:
        """Begin to watch."""
        tls = tls_from_files(self.files)
        self.watching = CertificateWatch(self.reactor, tls, time_of_day=lambda: self.time)
        self.watching.start()
        self.addCleanup(self.watching.stop)
        return tls

    def look(self, times: int = 1) -> list[str]:
        """Let the watch look some times; return what it says."""
        self.logged.clear()
        for _ in range(times):
            self.reactor.advance(POLL_SECONDS)
        return self.logged[:]


class Exchanging(WatchCase):
    """Good files."""

    def test_nothing_changes_by_itself(self) -> None:
        """Files that stay as they are are looked at and not read; nothing is said."""
        tls = self.watch()
        before = tls.material
        assert self.look(50) == self.logged == []
        assert tls.material is before

    def test_a_change_is_used_when_the_files_are_quiet(self) -> None:
        """At the second look behind it, in one line with names and expiry."""
        tls = self.watch()
        self.put("a", "new.example", "*.new.example")
        assert self.look() == []
        (line,) = self.look()
        first, second = (pair.certificate.not_valid_after_utc for pair in tls.material.pairs)
        assert line == (
            f"Certificates exchanged: new.example *.new.example expires {first:%Y-%m-%d} (in 89 days),"
            f" b.example expires {second:%Y-%m-%d} (in 89 days)"
        )
        assert tls.material.pairs[0].names == ("new.example", "*.new.example")
        assert self.look(5) == []

    def test_half_of_an_exchange_is_no_error(self) -> None:
        """The certificate, and its key a moment later: nobody sees the moment in between."""
        tls = self.watch()
        key = (self.folder / "a.key").read_bytes()
        self.put("a", "new.example")
        fresh = (self.folder / "a.key").read_bytes()
        (self.folder / "a.key").write_bytes(key)
        assert self.look() == []
        (self.folder / "a.key").write_bytes(fresh)
        assert self.look() == []
        assert len(self.look()) == 1
        assert tls.material.pairs[0].names == ("new.example",)

    def test_files_that_are_touched_are_no_news(self) -> None:
        """The same content again is not spoken of, and tickets stay good."""
        tls = self.watch()
        before = tls.material
        (self.folder / "a.pem").write_bytes((self.folder / "a.pem").read_bytes())
        assert self.look(3) == []
        assert tls.material is before

    def test_a_change_before_the_start_is_seen(self) -> None:
        """Between reading the files and running there is time."""
        tls = tls_from_files(self.files)
        self.put("b", "new.example")
        watching = CertificateWatch(self.reactor, tls)
        watching.start()
        self.addCleanup(watching.stop)
        self.look(2)
        assert tls.material.pairs[1].names == ("new.example",)

    def test_a_signal_reads_at_once(self) -> None:
        """And says so in any case: somebody waits for it."""
        tls = self.watch()
        self.put("a", "new.example")
        self.watching.reload()
        assert [line.partition(":")[0] for line in self.logged] == ["Certificates exchanged"]
        assert tls.material.pairs[0].names == ("new.example",)
        assert self.look(3) == []
        self.watching.reload()
        assert [line.partition(":")[0] for line in self.logged] == ["Certificates read again, nothing has changed"]

    def test_a_stop_ends_it(self) -> None:
        """Nothing is left in the reactor; a stop may come twice."""
        self.watch()
        self.watching.stop()
        self.watching.stop()
        assert self.reactor.getDelayedCalls() == []

    def test_without_files_there_is_nothing_to_watch(self) -> None:
        """Cleartext, and a certificate that was made on the spot."""
        for tls in (None, self_signed_options(made_on_the_spot())):
            watching = CertificateWatch(self.reactor, tls)
            watching.start()
            watching.reload()
            assert self.reactor.getDelayedCalls() == []
        assert self.logged == []


class Refusing(WatchCase):
    """Files that cannot be used."""

    def test_all_are_exchanged_or_none(self) -> None:
        """A good pair beside a bad one waits until that is good as well; one line for each change says why."""
        tls = self.watch()
        before = tls.material
        self.put("a", "new.example")
        (self.folder / "b.key").unlink()
        stay = "Certificates cannot be exchanged, the ones in use stay: "
        assert self.look(10) == [f"{stay}--tls-key b.key: no such file or directory"]
        (self.folder / "b.key").write_bytes((self.folder / "a.key").read_bytes())
        assert self.look(10) == [f"{stay}--tls-key b.key: this is not the key of the certificate in b.pem"]
        assert tls.material is before
        self.put("b", "other.example")
        assert [line.partition(":")[0] for line in self.look(2)] == ["Certificates exchanged"]
        assert [pair.names for pair in tls.material.pairs] == [("new.example",), ("other.example",)]

    def test_a_return_to_what_was_there_is_no_news(self) -> None:
        """Whoever puts the old file back has nothing to be told."""
        self.watch()
        old = (self.folder / "a.pem").read_bytes()
        (self.folder / "a.pem").write_bytes(b"junk")
        assert len(self.look(2)) == 1
        (self.folder / "a.pem").write_bytes(old)
        assert self.look(5) == []

    def test_what_nobody_thought_of_ends_nothing(self) -> None:
        """It is logged with its traceback, and the next change is looked at as before."""
        tls = self.watch()
        use = tls.use
        tls.use = lambda _material: {}["a kind of file that nobody thought of"]  # type: ignore[method-assign, assignment]
        self.put("a", "new.example")
        assert self.look(10) == ["Certificates cannot be exchanged, the ones in use stay"]
        assert len(self.flushLoggedErrors(KeyError)) == 1
        tls.use = use  # type: ignore[method-assign]
        self.put("a", "newer.example")
        self.look(2)
        assert tls.material.pairs[0].names == ("newer.example",)

    def test_authorities_are_exchanged_with_the_rest(self) -> None:
        """An empty file would let nobody in, so the old ones stay."""
        self.files = TlsFiles(self.files.pairs, "ca.pem", folder=self.folder)
        shutil.copy(self.authority.write(self.folder), self.folder / "ca.pem")
        tls = self.watch()
        (self.folder / "ca.pem").write_bytes(b"")
        (line,) = self.look(2)
        assert line.endswith("--tls-client-ca ca.pem: this file holds no certificate in PEM form")
        other = Authority.named("other")
        shutil.copy(other.write(self.folder), self.folder / "ca.pem")
        self.look(2)
        assert tls.material.authorities == (other.certificate,)


class Expiring(WatchCase):
    """Certificates near their end."""

    def test_a_warning_at_the_start_and_once_a_day(self) -> None:
        """One line for each certificate that should have been renewed; it goes on in use."""
        self.put("a", "a.example", ends=4.5 * DAY)
        self.watch()
        (line,) = self.logged
        assert line.startswith("a.pem (a.example): expires ")
        assert line.endswith(" (in 4 days)")
        assert self.look(int(86400 / POLL_SECONDS) - 1) == []
        assert self.look(1) == [line]

    def test_expired_is_no_reason_to_refuse(self) -> None:
        """A clock may be wrong, and an old certificate is better than none; a warning says so."""
        tls = self.watch()
        self.put("a", "new.example", ends=-dt.timedelta(minutes=5))
        exchanged, warning = self.look(2)
        assert exchanged.startswith("Certificates exchanged: new.example expired ")
        assert warning.startswith("a.pem (new.example): expired ")
        assert tls.material.pairs[0].names == ("new.example",)

    def test_a_certificate_made_on_the_spot_is_spoken_of_near_its_end(self) -> None:
        """It lasts a week; a server that runs longer says so."""
        watching = CertificateWatch(self.reactor, self_signed_options(made_on_the_spot()))
        self.time += 7 * DAY
        watching._now = lambda: self.time
        watching.start()
        (line,) = self.logged
        assert line.startswith("self-signed (localhost ")

    def test_files_of_one_pair_may_be_one(self) -> None:
        """A file that holds both is watched once."""
        both = self_signed(self.folder)
        both.cert.write_bytes(both.cert.read_bytes() + both.key.read_bytes())
        self.files = TlsFiles((("localhost.pem", None),), folder=self.folder)
        tls = self.watch()
        before = tls.material
        both = self_signed(self.folder)
        both.cert.write_bytes(both.cert.read_bytes() + both.key.read_bytes())
        self.look(2)
        assert not tls.material.same_as(before)
