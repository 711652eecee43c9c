"""Notes in a Klein application: whoever looks at the page sees a new one at once."""

import json
from pathlib import Path

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from klein import Klein
from zope.interface import alsoProvides

from upgradegw import IUpgradeResource, UpgradeResource, websocket

PAGE = Path(__file__).with_name("index.html")

app = Klein()
notes = []

factory = WebSocketServerFactory()
factory.protocol = WebSocketServerProtocol  # drops what a browser sends
room = websocket(factory)
live_notes = UpgradeResource([room])


@app.route("/", methods=["GET"])
def page(request):
    return PAGE.read_text()


@app.route("/notes", methods=["GET"])
def show(request):
    request.setHeader("Content-Type", "application/json")
    return json.dumps(notes) + "\n"


@app.route("/notes", methods=["POST"])
def add(request):
    note = request.args.get(b"note", [b""])[0].decode(errors="replace")
    notes.append(note)
    del notes[:-100]
    room.broadcast(note)
    return "Noted.\n"


@app.route("/live")
def live(request):
    return live_notes


def site():
    root = app.resource()
    alsoProvides(root, IUpgradeResource)
    return root
