"""What twistd calls."""

from __future__ import annotations

import pytest
from twisted.application.service import IService

from upgradegw.service.tap import Options, makeService


def test_options_become_a_service() -> None:
    """twistd gets a service that it can start."""
    options = Options()
    options.parseOptions(["--listen=tcp:0:interface=127.0.0.1"])
    assert IService.providedBy(makeService(options))
    for listener in options.listeners:
        assert listener.bound is not None
        listener.bound.close()


def test_an_endpoint_that_twisted_does_not_know_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """It is found out before twistd becomes a daemon, and the sockets bound so far are closed."""
    options = Options()
    options.parseOptions(["--listen=tcp:0:interface=127.0.0.1", "--listen=nope:1"])
    bound = options.listeners[0].bound
    assert bound is not None
    with pytest.raises(SystemExit) as caught:
        makeService(options)
    assert (caught.value.code, bound.socket.fileno()) == (1, -1)
    assert capsys.readouterr().err == "upgradegw: --listen nope:1: Unknown endpoint type: 'nope'\n"
