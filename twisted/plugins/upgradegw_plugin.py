"""What twistd reads to know the command ``upgradegw``; names are strings, so that listing plugins imports nothing."""

from twisted.application.service import ServiceMaker

upgradegw = ServiceMaker(
    "upgradegw",
    "upgradegw.service.tap",
    "HTTP/1.1 server and gateway for Upgrade: WebSocket, your own protocols, correct refusals.",
    "upgradegw",
)
