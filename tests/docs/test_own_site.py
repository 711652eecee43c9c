"""The example of a Site subclass of an application, and what its page says of it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from upgradegw.testing import Client, Reactor
from upgradegw.testing.client import TRANSPORTS


@pytest.mark.parametrize("over", TRANSPORTS)
def test_a_site_of_ones_own(example: Callable[[str], ModuleType], over: Any) -> None:
    """Its requests and its log are the application's on every transport, and its uploads may be large."""
    module = example("own_site")
    site = module.UpgradedShopSite(b"tea", module.root(), reactor=Reactor(), max_connections_per_client=100)
    with Client(site, over) as client:
        answer = client.request("PUT", "/uploads", content=b"x" * 2_000_000)
        assert (answer.content, answer.get("X-Shop")) == (b"2000000 bytes\n", b"tea")
        assert client.request("POST", "/", content=b"x" * 2_000_000).status == 413
        client.websocket("/chat")
    assert site.served == [b"/uploads", b"/chat"]
