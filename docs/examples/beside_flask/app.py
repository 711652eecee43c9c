"""A Flask application, and a WebSocket beside it that knows Flask's sessions."""

import secrets

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from flask import Flask, abort, redirect, render_template, request, session
from twisted.internet import reactor

from upgradegw import Allow, Deny, UpgradeResource, websocket

app = Flask(__name__)
app.secret_key = secrets.token_hex(32)  # new at each start, which ends all sessions; your application keeps one
app.config["SESSION_COOKIE_SAMESITE"] = "Lax"


@app.get("/")
def home():
    return render_template("home.html", name=session.get("name"))


@app.post("/login")
def login():
    session["name"] = request.form["name"][:20]
    return redirect("/")


@app.post("/ring")
def ring():
    if not session.get("name"):
        abort(401)
    reactor.callFromThread(room.broadcast, f"{session['name']} has rung.")
    return "", 204


async def check(handshake):
    cookies = (handshake.getHeader(b"cookie") or b"").decode("latin-1")
    with app.test_request_context(headers={"Cookie": cookies}):
        name = session.get("name")
    return Allow(context=name) if name else Deny(401, fields=[(b"WWW-Authenticate", b"Cookie")])


factory = WebSocketServerFactory()
factory.protocol = WebSocketServerProtocol  # drops what a browser sends
room = websocket(factory)
bell = UpgradeResource([room], authorize=check)
