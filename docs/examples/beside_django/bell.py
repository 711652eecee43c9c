"""The WebSocket beside Django: it asks Django who is there, and Django's views ring the bell."""

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.db import close_old_connections
from django.http import HttpRequest
from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from upgradegw import Allow, Deny, UpgradeResource, websocket


def user_of(session_key):
    """Ask the database whose session this is. It takes its time, so it is for a thread."""
    close_old_connections()
    try:
        request = HttpRequest()
        request.session = SessionStore(session_key)
        request.session.cycle_key = lambda: None  # a new key is for a page to give, which can set the cookie
        return get_user(request).get_username()  # "" for a user who is not logged in
    finally:
        close_old_connections()


async def check(request):
    cookie = request.getCookie(settings.SESSION_COOKIE_NAME.encode())
    name = await deferToThread(user_of, cookie.decode("ascii", "replace")) if cookie else ""
    return Allow(context=name) if name else Deny(401, fields=[(b"WWW-Authenticate", b"Cookie")])


def ring(name):
    """Tell everybody; for views, which run in threads."""
    reactor.callFromThread(room.broadcast, f"{name} has rung.")


factory = WebSocketServerFactory()
factory.protocol = WebSocketServerProtocol  # drops what a browser sends
room = websocket(factory)
bell = UpgradeResource([room], authorize=check)
