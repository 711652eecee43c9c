"""``ssl:`` endpoints: TCP with the certificate that the description names, like a listener with ``tls``.

So they resume sessions, read their files again when these change, and are bound before the process becomes a daemon.
Where a description has parts that only Twisted understands, it is left to Twisted.
"""

from __future__ import annotations

from msgspec import structs

from upgradegw.service.config.loading import replaced
from upgradegw.service.config.model import Config, Listen, Tls
from upgradegw.service.descriptions import certified


def with_certificates(config: Config) -> Config:
    """Return a configuration in which endpoints that name a certificate are TCP with ``tls``.

    Args:
        config: The configuration, checked.

    Raises:
        UsageError: A description is malformed.
    """
    return replaced(config, listen=tuple(map(_translated, config.listen)))


def _translated(listen: Listen) -> Listen:
    found = certified(listen.endpoint)
    if found is None:
        return listen
    tls = Tls(cert=_plain(found.cert), key=_plain(found.key))
    named = listen.at("endpoint")
    tls.placed(f"the endpoint of {listen.where}", {"cert": named, "key": named})
    made = structs.replace(listen, endpoint=found.endpoint, tls=tls)
    made.placed(listen.where, listen.keys)
    return made


def _plain(file: str) -> str:
    """Return the name of a file so that it is none of the words that stand for one."""
    return file if "/" in file else f"./{file}"
