"""What keys say of one another: which exclude each other, and which are of no use alone.

What a key names, and how it is written within, is for those to say who use it.
"""

from __future__ import annotations

from twisted.python.usage import UsageError

from upgradegw.service.config.checking_routes import check_route, finite, networks
from upgradegw.service.config.model import Config, Listen
from upgradegw.service.descriptions import parse


def check(config: Config) -> None:
    """Check a configuration.

    Raises:
        UsageError: Two keys contradict one another, or one is of no use without another.
    """
    finite(config)
    finite(config.limits)
    networks(config, "trusted_proxies", config.trusted_proxies)
    for listen in config.listen:
        _check_listen(listen)
    _lead_somewhere(config)
    for route in config.route:
        check_route(route)
    if config.admin is not None:
        networks(config.admin, "allow", config.admin.allow)


def _lead_somewhere(config: Config) -> None:
    """Refuse a redirect to TLS where there is none."""
    if any(each.tls is not None and not each.tls_upgrade for each in config.listen):
        return
    for listen in config.listen:
        if listen.redirect and (listen.typed or listen.https_port is None):
            remedy = "name a --tls-cert" if listen.typed else 'give a listener "tls", or name an "https_port"'
            raise UsageError(f"{listen.at('redirect')}: there is no TLS to lead to; {remedy}")


def _check_listen(listen: Listen) -> None:
    try:
        place = parse(listen.endpoint)
    except UsageError as error:
        raise UsageError(f"{listen.at('endpoint')}: {error}") from None
    if place.has_tls and (listen.tls is not None or listen.redirect):
        what = "--tls-cert" if listen.typed else "tls or redirect"
        raise UsageError(f"{listen.at('endpoint')}: this has TLS of its own; with {what}, write tcp: instead")
    if listen.tls is not None:
        if not listen.tls.pairs:
            raise UsageError(f'{listen.at("tls")}: name a certificate with "cert"')
        if listen.tls.key is not None and listen.tls.cert is None:
            raise UsageError(f'{listen.tls.at("key")}: this is of use only together with "cert"')
        if listen.redirect:
            raise UsageError(f'{listen.at("redirect")}: this is for a listener without "tls"')
    elif listen.tls_upgrade:
        raise UsageError(f'{listen.at("tls_upgrade")}: name certificates with "tls"')
    if listen.https_port is not None and not listen.redirect:
        raise UsageError(f'{listen.at("https_port")}: this is of use only together with "redirect"')
