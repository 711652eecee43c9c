"""The chat's test once more, with pytest: one function, on every transport."""

from __future__ import annotations

import pytest
from twisted.web.resource import Resource

import chat
from upgradegw import UpgradeResource, websocket
from upgradegw.testing import Client


@pytest.fixture(params=["http/1.1", "tls", "http/2", "http/2+tls"])
def client(request):
    root = Resource()
    root.putChild(b"chat", UpgradeResource([websocket(chat.factory())]))
    with Client(root, request.param) as client:
        yield client


def test_what_one_says_all_hear(client):
    alice, bob = client.websocket("/chat"), client.websocket("/chat")
    alice.send("tea?")
    assert bob.messages == ["tea?"]
