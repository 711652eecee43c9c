"""The checks of a guard: networks, and names with passwords."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.interfaces import IReactorThreads
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import directlyProvides

from tests.http1.wire import Answer, Rendered, Wire, connect, get, make_site
from upgradegw.web.guarding import Guard, granted
from upgradegw.web.guards import BasicAuth, allow_networks
from upgradegw.web.passwords import hash_password

ANN = {"ann": hash_password("s:ecret", log2_n=1)}


def who(request: Any) -> bytes:
    """Say who has come."""
    return repr(granted(request).context).encode()


def basic(credentials: bytes, scheme: bytes = b"Basic") -> bytes:
    """Return the field."""
    return b"Authorization: " + scheme + b" " + b64encode(credentials)


class Networks(SynchronousTestCase):
    """allow_networks: the peer of a ``Wire`` is 192.0.2.7."""

    def status(self, *networks: str, ask: bytes | None = None, **site: Any) -> int:
        """Return the status for a client."""
        (answer,) = connect(Guard(Rendered(who), [allow_networks(networks)]), **site).send(ask or get()).answers()
        return answer.status

    def test_inside_and_outside(self) -> None:
        """Networks and addresses let their clients pass, others get 403; nobody is in an empty list."""
        assert self.status("10.0.0.0/8", "192.0.2.0/24") == 200
        assert self.status("192.0.2.7") == 200
        assert self.status("10.0.0.0/8", "192.0.2.8", "::/0", "unix") == 403
        assert self.status() == 403

    def test_behind_a_proxy(self) -> None:
        """A-34: the client is whom a trusted proxy names; what a stranger says of itself does not count."""
        ask = get(b"/", b"X-Forwarded-For: 10.1.2.3")
        assert self.status("10.0.0.0/8", ask=ask) == 403
        assert self.status("10.0.0.0/8", ask=ask, trusted_proxies=["192.0.2.7"]) == 200
        assert self.status("192.0.2.7", ask=ask, trusted_proxies=["192.0.2.7"]) == 403

    def test_what_is_none(self) -> None:
        """A network that is none is refused when the check is made."""
        for networks in (["10.0.0.0/33"], ["localhost"], "10.0.0.0/8"):
            with pytest.raises(ValueError, match=r"10\.0\.0\.0|localhost"):
                allow_networks(networks)


class Passwords(SynchronousTestCase):
    """BasicAuth."""

    def ask(self, *fields: bytes, check: Any = None) -> Answer:
        """Return the answer to a request."""
        (answer,) = connect(Guard(Rendered(who), [check or BasicAuth(ANN)])).send(get(b"/", *fields)).answers()
        return answer

    def test_right(self) -> None:
        """Name and password lead in, the name is the context, and a colon belongs to the password."""
        for scheme in (b"Basic", b"basic", b"Basic "):
            answer = self.ask(basic(b"ann:s:ecret", scheme))
            assert (answer.status, answer.body) == (200, b"'ann'")

    def test_not_right(self) -> None:
        """Everything else is 401, with the realm that a browser shows."""
        for fields in (
            (),
            (basic(b"ann:s:ecreT"),),
            (basic(b"ann:"),),
            (basic(b"Ann:s:ecret"),),
            (basic(b"bob:s:ecret"),),
            (basic(b"ann"),),
            (basic(b"\xff:s:ecret"),),
            (basic(b"ann:s:ecret", b"Bearer"),),
            (b"Authorization: Basic",),
            (b"Authorization: Basic !!!",),
            (b"Authorization: Basic \xc3\xa9",),
            (basic(b"ann:s:ecret"), basic(b"ann:s:ecret")),
        ):
            answer = self.ask(*fields)
            assert answer.status == 401, fields
            assert answer.get(b"www-authenticate") == b'Basic realm="upgradegw", charset="UTF-8"'

    def test_realm(self) -> None:
        """The realm is quoted; what cannot stand in a field is refused."""
        answer = self.ask(check=BasicAuth(ANN, realm='the "inner" \\ ring'))
        assert answer.get(b"www-authenticate") == b'Basic realm="the \\"inner\\" \\\\ ring", charset="UTF-8"'
        for realm in ("a\nb", "caf\xe9"):
            with pytest.raises(ValueError, match="realm"):
                BasicAuth(ANN, realm=realm)

    def test_remembered(self) -> None:
        """A right password is hashed once, a wrong one each time; and what is remembered opens for no other."""
        check, looked = BasicAuth(ANN), []
        look = check._look
        check._look = lambda *about: looked.append(about[1]) or look(*about)  # type: ignore[method-assign]
        for password, status in ((b"s:ecret", 200), (b"s:ecret", 200), (b"no", 401), (b"no", 401), (b"s:ecret", 200)):
            assert self.ask(basic(b"ann:" + password), check=check).status == status
        assert self.ask(basic(b"bob:s:ecret"), check=check).status == 401
        assert looked == ["ann", "ann", "ann", "bob"]

    def test_in_threads(self) -> None:
        """On a reactor with threads, hashing is theirs, two at a time."""
        site, reactor = make_site(Guard(Rendered(who), [BasicAuth(ANN)]))
        pool = Pool()
        reactor.getThreadPool = lambda: pool  # type: ignore[attr-defined]
        reactor.callFromThread = lambda call, *args: call(*args)  # type: ignore[attr-defined]
        directlyProvides(reactor, IReactorThreads)
        wires = [Wire(site, reactor).send(get(b"/", basic(b"ann:" + word))) for word in (b"s:ecret", b"no", b"s:ecret")]
        assert len(pool.waiting) == 2
        pool.work()
        assert [wire.answers()[0].status for wire in wires[:2]] == [200, 401]
        pool.work()
        assert wires[2].answers()[0].status == 200

    def test_nobody(self) -> None:
        """A guard through which nobody could come is a mistake; so are names that cannot be sent."""
        with pytest.raises(ValueError, match="nobody"):
            BasicAuth({})
        for name in ("", "a:b", "a\n"):
            with pytest.raises(ValueError, match="no name"):
                BasicAuth({name: ANN["ann"]})
        with pytest.raises(ValueError, match="bob: this is no hash"):
            BasicAuth({"bob": "secret"})


class Pool:
    """Threads that work when they are told to."""

    def __init__(self) -> None:
        self.waiting: list[Any] = []

    def callInThreadWithCallback(self, done: Any, work: Any, *args: Any, **kwargs: Any) -> None:
        self.waiting.append((done, work, args, kwargs))

    def work(self) -> None:
        """Do what is waiting now."""
        waiting, self.waiting = self.waiting, []
        for done, work, args, kwargs in waiting:
            done(True, work(*args, **kwargs))


def test_a_file(tmp_path: Path):
    """A line for each; empty lines and remarks say nothing."""
    file = tmp_path / "users"
    file.write_text(f"# who may\n\nann:{ANN['ann']}\n  bob:{ANN['ann']}  \n")
    check: Any = BasicAuth.from_file(str(file))
    assert list(check._users) == ["ann", "bob"]


@pytest.mark.parametrize(
    ("line", "wrong"),
    [("ann", "write name:hash"), (f"bob:{ANN['ann']}", "each name once"), ("ann:secret", "ann: this is no hash")],
)
def test_a_wrong_line(tmp_path: Path, line: str, wrong: str):
    """What is wrong is told with file and line."""
    file = tmp_path / "users"
    file.write_text(f"bob:{ANN['ann']}\n{line}\n")
    with pytest.raises(ValueError, match=f"users, line 2: .*{wrong}"):
        BasicAuth.from_file(str(file))
