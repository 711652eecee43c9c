"""What is allowed and hardly ever meant: an operator is told of it by ``--check``."""

from __future__ import annotations

from collections.abc import Iterator

from upgradegw.service.config.model import Config, Route

#: Keys that say who may use a route.
GUARDS = ("allow", "basic_auth", "forward_auth", "authorize")
#: Tokens behind which a client can say what it likes to what is behind the upstream.
_RAW = ("tcp", "*")


def warnings(config: Config) -> Iterator[tuple[str, str]]:
    """Yield what is worth a warning.

    Args:
        config: A configuration that is right otherwise.

    Returns:
        For each what to call the place, and what there is to say.
    """
    for route in config.route:
        if route.path.endswith("*"):
            yield route.at("path"), "the star stands for itself: a path means all below it, too, without a star"
        raw = [token for token in route.upgrades if token.lower() in _RAW] if route.upstreams else []
        if raw and not guarded(route):
            text = f'"{raw[0]}" gives every client a connection of its own to the upstream, and nothing says who may'
            yield route.at("upgrades"), f"{text}: name one of {', '.join(GUARDS)}"
        if route.upstream_tls is not None and not route.upstream_tls.verify:
            text = "whoever is between here and the upstream can read and change everything: name its authority"
            yield route.upstream_tls.at("verify"), f'{text} with "ca" instead'


def guarded(route: Route) -> bool:
    """Tell whether a route says who may use it."""
    return any(getattr(route, name) is not None for name in GUARDS)
