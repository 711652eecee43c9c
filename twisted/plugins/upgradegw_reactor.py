"""What twistd and trial read to know the reactor ``uv``: strings, so that listing reactors imports nothing of ours."""

from twisted.application.reactors import Reactor

uv = Reactor("uv", "upgradegw.reactor", "Connections are uvloop's transports; fast. Needs uvloop: upgradegw[speed].")
