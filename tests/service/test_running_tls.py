"""The service with certificates: watched from the start to the end."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from pathlib import Path

from twisted.internet.address import UNIXAddress
from twisted.internet.defer import succeed

from tests.certificates import self_signed
from tests.service.test_running import Port, ServiceCase, listening
from upgradegw.service.certificate_watch import POLL_SECONDS
from upgradegw.service.tls import tls_options


class Watching(ServiceCase):
    """Certificates of a running service."""

    def test_certificates_are_watched_while_it_runs(self) -> None:
        """Exchanged when their files change, and when somebody asks for it; not looked at behind the end."""
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        files = self_signed(folder)
        tls = tls_options(str(files.cert), str(files.key))
        service = self.service(listening(succeed(Port(UNIXAddress(b"/run/x.sock")))), tls=tls)
        service.startService()
        seen = [tls.material]
        self_signed(folder)
        self.reactor.pump([POLL_SECONDS] * 2)
        seen.append(tls.material)
        self_signed(folder)
        service._reload()
        seen.append(tls.material)
        assert not any(one.same_as(other) for one, other in itertools.combinations(seen, 2))
        stopped = service.stopService()
        self.reactor.pump([service._stop_timeout(), 1.0])
        self.successResultOf(stopped)
        self_signed(folder)
        self.reactor.pump([POLL_SECONDS] * 2)
        assert tls.material is seen[-1]
