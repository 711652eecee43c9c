"""Tables of listeners, as listeners and as arguments of sites."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.testing import MemoryReactorClock
from twisted.python.usage import UsageError
from twisted.web.resource import Resource

from upgradegw.service.config.model import Config, Limits, Listen, Tls
from upgradegw.service.front import Front
from upgradegw.service.gateway.places import front_of, make_listeners, make_site, site_arguments
from upgradegw.service.self_signed import self_signed
from upgradegw.service.tls import self_signed_options


def placed(endpoint: str, **keys: object) -> Listen:
    """A table as if it stood in a file."""
    made = Listen(endpoint=endpoint, **keys)  # type: ignore[arg-type]
    made.placed(f"g.toml: [[listen]] ({endpoint})", {})
    return made


def test_listeners_are_called_as_their_tables() -> None:
    """And know whether connections begin with TLS."""
    tls = Tls(cert="x")
    tables = placed("tcp:1"), placed("tcp:2", tls=tls), placed("tcp:3", tls=tls, tls_upgrade=True)
    listeners = make_listeners(tables)
    assert [each.option for each in listeners] == [table.where for table in tables]
    assert [each.cleartext for each in listeners] == [True, False, True]


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ((placed("tcp:x"),), 'g.toml.* key "endpoint": '),
        ((placed("tcp:1"), placed("tcp:1:backlog=9")), "is the same place"),
        ((placed("unix:/x"), placed("unix:/x:mode=600")), "is the same place"),
        ((placed("ssl:1:privateKey=x", tls=Tls(cert="x")),), "TLS of its own"),
    ],
)
def test_mistakes_name_the_table(tables: tuple[Listen, ...], message: str) -> None:
    """A place that is none, or that two listeners want."""
    with pytest.raises(UsageError, match=message):
        make_listeners(tables)


def test_sites_of_the_same_arguments_are_alike() -> None:
    """What a listener or the configuration says of connections makes another site; routes and certificates do not."""
    table, config = placed("tcp:1"), Config()
    tls = self_signed_options(self_signed())
    same = site_arguments(config, table, None)
    assert site_arguments(config, placed("tcp:2", tls=Tls(cert="x")), tls) == same
    others = [
        site_arguments(Config(limits=Limits(max_head=99)), table, None),
        site_arguments(Config(trusted_proxies=("unix",)), table, None),
        site_arguments(Config(extended_connect=False), table, None),
        site_arguments(config, placed("tcp:1", http2=False), None),
        site_arguments(config, placed("tcp:1", h2c_upgrade="direct"), None),
        site_arguments(config, placed("tcp:1", tls_upgrade=True), tls),
        site_arguments(config, placed("tcp:1", tls_upgrade="required"), tls),
    ]
    assert all(other != same for other in others)
    assert all(make_site(each, MemoryReactorClock(), None) for each in others)


def test_a_site_that_cannot_be_is_a_mistake() -> None:
    """What only the site can tell is told as any other mistake."""
    with pytest.raises(UsageError, match="trusted proxy"):
        make_site(site_arguments(Config(trusted_proxies=("x",)), placed("tcp:1"), None), MemoryReactorClock(), None)


def test_what_stands_before_the_routes(tmp_path: Path) -> None:
    """Nothing, unless the listener asks for it."""
    root = Resource()
    assert front_of(placed("tcp:1"), lambda: 443)(root) is root
    for table in (placed("tcp:1", redirect="https"), placed("tcp:1", acme_webroot=str(tmp_path))):
        assert isinstance(front_of(table, lambda: 443)(root), Front)
    with pytest.raises(UsageError, match=r'key "acme_webroot": .*no such folder'):
        front_of(placed("tcp:1", acme_webroot="/nowhere/at/all"), lambda: 443)
